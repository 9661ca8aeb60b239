//! Every exported C function, one file per header: argument checks and a call, no logic.
//!
//! The documentation here is the documentation of the generated headers.

// C's names in C's spelling.
#![allow(non_snake_case)]

pub mod ae;
pub mod anet;
mod args;
pub mod connection;
pub mod embedding;
pub mod libae;
pub mod names;
pub mod proxy;
pub mod sockets;
pub mod tls_about;
pub mod tls_context;
pub mod tls_session;
#[cfg(not(feature = "tls"))]
mod without_tls;
