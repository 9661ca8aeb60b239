//! What is recorded of requests for whoever watches the server: nothing that a request depends on.
//!
//! - `commands`: how often each command was called, how long it took, how it failed
//! - `errors`: error replies by their code
//! - `slowlog`: requests that took long
//! - `latency`: pauses, by what caused them
//! - `traffic`: rates of the last moments

pub mod commands;
pub mod errors;
pub mod latency;
pub mod slowlog;
pub mod traffic;
