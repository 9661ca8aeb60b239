//! Values to bytes and back, with bytes of older versions, of redis-server, and of nobody.

mod like_redis;
mod recipe;
mod round_trip;
