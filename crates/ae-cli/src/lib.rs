//! ae-cli: a client of Redis-compatible servers, for people and scripts. All its input and output over the network is
//! libae's.
//!
//! Imports point down: `options` ← `format` ← `net` ← `replication` ← `session` ← `help` ← `prompt` ← `modes` ←
//! `startup`. `tests/layering/client.rs` has the whole order.
#![forbid(unsafe_code)]

mod cluster;
mod format;
mod help;
mod modes;
mod net;
mod options;
mod output;
mod password;
mod prompt;
mod replication;
mod session;
mod startup;
mod text;

pub use startup::main;
