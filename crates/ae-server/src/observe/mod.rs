//! What the operator sees.

pub mod digest;
pub mod doctor;
pub mod graph;
pub mod info;
pub mod memory;
pub mod monitor;
pub mod process;
pub mod replication;
pub mod secrets;
pub mod statistics;
