//! The commands, one file a family. `commands.csv` says which function runs which.

pub mod absent;
pub mod acl;
pub mod admin;
pub mod auth;
pub mod bitfield;
pub mod bits;
pub mod client;
pub mod config;
pub mod connection;
pub mod debug;
mod debug_protocol;
pub mod documentation;
pub mod dump;
pub mod expire;
pub mod failover;
#[cfg_attr(not(feature = "scripting"), allow(dead_code))]
pub mod functions;
pub mod geo;
mod geo_options;
pub mod geo_search;
pub mod hashes;
pub mod help;
pub mod hyperloglog;
pub mod info;
pub mod introspection;
pub mod keys;
pub mod latency;
pub mod lcs;
pub mod list_moves;
pub mod list_pops;
pub mod lists;
pub mod lolwut;
pub mod memory;
pub mod migrate;
pub mod monitor;
pub mod numbers;
pub mod object;
pub mod pubsub;
mod random_count;
pub mod replication;
pub mod saving;
pub mod scan;
mod scan_options;
#[cfg_attr(not(feature = "scripting"), allow(dead_code))]
pub mod script_run;
#[cfg_attr(not(feature = "scripting"), allow(dead_code))]
pub mod scripts;
pub mod set;
pub mod set_algebra;
mod set_options;
pub mod sets;
mod several_keys;
pub mod slowlog;
pub mod sort;
pub mod sorted_set_algebra;
pub mod sorted_set_pops;
pub mod sorted_set_ranges;
pub mod sorted_sets;
pub mod stream_claims;
mod stream_effects;
mod stream_entries;
pub mod stream_group_reads;
pub mod stream_groups;
pub mod stream_info;
mod stream_options;
pub mod stream_pending;
mod stream_read_options;
pub mod stream_reads;
pub mod streams;
pub mod strings;
pub mod tracking;
pub mod transactions;
pub mod wait;

#[cfg(test)]
mod properties;
