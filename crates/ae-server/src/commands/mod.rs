//! The commands, one file a family. `commands.csv` says which function runs which.

pub mod absent;
pub mod admin;
pub mod bitfield;
pub mod bits;
pub mod client;
pub mod config;
pub mod connection;
pub mod debug;
pub mod dump;
pub mod expire;
pub mod geo;
mod geo_options;
pub mod geo_search;
pub mod hashes;
pub mod help;
pub mod hyperloglog;
pub mod info;
pub mod introspection;
pub mod keys;
pub mod lcs;
pub mod list_moves;
pub mod list_pops;
pub mod lists;
pub mod numbers;
pub mod object;
pub mod pubsub;
mod random_count;
pub mod scan;
mod scan_options;
pub mod set;
pub mod set_algebra;
mod set_options;
pub mod sets;
pub mod sort;
pub mod sorted_set_algebra;
pub mod sorted_set_pops;
pub mod sorted_set_ranges;
pub mod sorted_sets;
pub mod strings;
pub mod tracking;
pub mod transactions;
pub mod wait;

#[cfg(test)]
mod properties;
