//! ae-server: a Redis-compatible server whose input and output is all libae's.
#![forbid(unsafe_code)]
#![allow(dead_code, unused_imports)]

mod clients;
mod commands;
mod config;
mod dispatch;
mod glob;
mod log;
mod long_double;
mod options;
mod server;
mod store;

/// For INFO.
const ALLOCATOR: &str = "libc";

fn main() {}
