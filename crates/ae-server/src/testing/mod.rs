//! Runs commands on buffers, for tests.

mod like_redis;
mod player;
mod programs;
mod replay;
pub mod saving;
mod session;

pub use session::{Session, answer, one_line};
