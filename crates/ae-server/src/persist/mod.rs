//! What outlives the server: files.

pub mod aof;
