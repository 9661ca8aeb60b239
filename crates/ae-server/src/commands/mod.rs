//! The commands, one file a family. `commands.csv` says which function runs which.

pub mod absent;
pub mod admin;
pub mod client;
pub mod config;
pub mod connection;
pub mod debug;
pub mod expire;
pub mod help;
pub mod info;
pub mod introspection;
pub mod keys;
pub mod list_moves;
pub mod list_pops;
pub mod lists;
pub mod numbers;
pub mod scan;
pub mod set;
mod set_options;
pub mod strings;
pub mod transactions;

#[cfg(test)]
mod properties;
