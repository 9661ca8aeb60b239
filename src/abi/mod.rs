//! C-visible types and constants, exactly as upstream lays them out. No logic.
//!
//! One ABI profile is built in at a time; this is `redis-7.2`, which redis-7.4 and valkey-7.2 share.
//! What a profile changes without a compiler noticing is listed here:
//!
//! - `anetFdToString` and `ConnectionType::addr`: the last argument is 1 for the remote end and 0 for the
//!   local one (up to redis-7.0: 0 for the peer, 1 for the own end).
//! - [`AeTimeProc`](ae::AeTimeProc) returns `int` milliseconds (valkey-8.1: `long long`).
//! - `aftersleep` takes the loop alone (valkey-8.0 and later: also the number of events).

#![allow(non_camel_case_types, non_snake_case)]

pub mod ae;
pub mod anet;
pub mod connection;
pub mod host;
mod layout;
