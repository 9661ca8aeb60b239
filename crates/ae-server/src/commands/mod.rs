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
pub mod documentation;
pub mod expire;
pub mod geo;
mod geo_options;
pub mod geo_search;
pub mod help;
pub mod hyperloglog;
pub mod info;
pub mod introspection;
pub mod keys;
pub mod lcs;
pub mod lists;
pub mod numbers;
pub mod pubsub;
pub mod scan;
pub mod set;
mod set_options;
pub mod strings;
pub mod tracking;
pub mod transactions;

#[cfg(test)]
mod properties;
