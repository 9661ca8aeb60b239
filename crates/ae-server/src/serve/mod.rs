//! A server on an event loop of its own, from its sockets to its end.

pub mod in_process;
pub mod listen;
pub mod serving;
