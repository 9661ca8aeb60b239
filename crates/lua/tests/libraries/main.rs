//! The libraries of scripts.

mod hostile;
mod interpreter;
mod like_redis;
mod round_trip;
