//! The commands, one file a family. `commands.csv` says which function runs which.

pub mod absent;
pub mod admin;
pub mod bitfield;
pub mod bits;
pub mod client;
pub mod config;
pub mod connection;
pub mod debug;
mod debug_protocol;
pub mod expire;
pub mod geo;
mod geo_options;
pub mod geo_search;
pub mod help;
pub mod hyperloglog;
pub mod info;
pub mod introspection;
pub mod keys;
pub mod latency;
pub mod lcs;
pub mod lists;
pub mod lolwut;
pub mod memory;
pub mod monitor;
pub mod numbers;
pub mod pubsub;
pub mod scan;
pub mod set;
mod set_options;
pub mod slowlog;
pub mod strings;
pub mod tracking;
pub mod transactions;

#[cfg(test)]
mod properties;
