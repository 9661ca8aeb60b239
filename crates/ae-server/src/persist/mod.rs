//! Data on disk.
//!
//! - `sink`: where a snapshot goes; `file_sink`: a file that a thread of its own writes
//! - `loader`: a file or a stream that a thread of its own reads
//! - `pieces`: bytes on their way to such a thread
//! - `waker`: how those threads tell the loop
//! - `status`: when what was saved, and how that ended
//! - `check`: looks into a file without a server
//! - `aof`: the append-only file

pub mod aof;
pub mod check;
pub mod file_sink;
pub mod loader;
pub mod pieces;
pub mod sink;
pub mod status;
pub mod waker;
