//! The commands, one file a family.

pub mod admin;
pub mod client;
pub mod config;
pub mod connection;
pub mod expire;
pub mod info;
pub mod introspection;
pub mod keys;
pub mod numbers;
pub mod scan;
pub mod set;
pub mod set_options;
pub mod strings;

#[cfg(test)]
mod properties;
