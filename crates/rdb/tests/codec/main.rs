//! Values to bytes and back, with bytes of older versions, of redis-server, and of nobody.

mod files;
mod hostile;
mod like_redis;
mod old_forms;
mod recipe;
mod round_trip;
mod stream_forms;
mod stream_recipe;
mod valkey;
