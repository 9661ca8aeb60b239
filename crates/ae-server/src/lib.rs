//! ae-server: a Redis-compatible server. All its input and output is libae's.
//!
//! Imports point down: `command::spec` ← `clients` ← `db` ← `server` ← `command::context` ← `commands` ←
//! `command::table` ← `command::dispatch` ← `net` ← `serve` ← `startup`. `tests/rooms.rs` has the whole order.
#![forbid(unsafe_code)]

mod acl;
mod clients;
mod command;
mod commands;
mod config;
mod daemon;
mod db;
mod files;
mod glob;
mod log;
mod long_double;
mod memory;
mod net;
mod observe;
mod persist;
mod process;
mod pubsub;
mod record;
mod replication;
#[cfg_attr(not(feature = "scripting"), allow(dead_code))]
mod scripting;
mod serve;
mod server;
mod signals;
mod startup;
mod stopwatch;
mod tracking;

#[cfg(test)]
mod testing;

/// What fuzzers look at by itself.
#[cfg(fuzzing)]
pub mod fuzzed {
    pub use crate::glob::{Case, matches};
    pub use crate::long_double::LongDouble;
}

pub use serve::in_process::{Running, start};
pub use startup::main;
