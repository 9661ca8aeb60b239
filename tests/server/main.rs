//! ae-server as a process: start and end, the protocol over real sockets, limits.
#![cfg(feature = "server")]

mod lifecycle;
mod limits;
mod protocol;
mod support;
