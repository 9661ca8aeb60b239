//! The libraries of scripts.

mod bytes;
mod hostile;
mod interpreter;
mod like_redis;
mod round_trip;
