//! The table of commands, `crates/ae-server/commands.csv`, for the programs that build scripts make of it.
#![forbid(unsafe_code)]

pub mod arguments;
mod rows;

pub use rows::{Row, read, those_that_run};
