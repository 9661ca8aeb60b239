//! Lua 5.1 as scripts of Redis have it: the interpreter, its sandbox and its libraries. Free of I/O: what a script asks
//! of its server goes to a [`Host`].
#![forbid(unsafe_code)]

mod arguments;
mod engine;
mod host;
pub mod libraries;
mod memory;
mod random;
mod replies;
mod results;
mod script;

pub use engine::{Engine, Failure, Kind, reason};
pub use host::{Host, Interrupted, LogLevel, Registered, Replication};
pub use results::{DEPTH_MAX, write};
pub use script::Script;

/// For values of scripts.
pub use mlua;
