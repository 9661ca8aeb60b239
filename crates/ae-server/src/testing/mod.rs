//! Runs commands on buffers, for tests.

mod like_redis;
mod player;
mod programs;
mod replay;
mod session;

pub use session::Session;
