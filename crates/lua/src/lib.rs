//! Lua 5.1 as scripts of Redis have it: the interpreter, its sandbox and its libraries. Free of I/O: what a script asks
//! of its server goes to a [`Host`].
#![forbid(unsafe_code)]

#[cfg(not(feature = "interpreter"))]
mod absent;
#[cfg(feature = "interpreter")]
mod arguments;
#[cfg(feature = "interpreter")]
mod calls;
#[cfg(feature = "interpreter")]
mod engine;
mod host;
mod kind;
#[cfg(feature = "interpreter")]
pub mod libraries;
#[cfg(feature = "interpreter")]
mod memory;
#[cfg(feature = "interpreter")]
mod random;
#[cfg(feature = "interpreter")]
mod replies;
#[cfg(feature = "interpreter")]
mod results;
mod script;
#[cfg(feature = "interpreter")]
mod shared;

#[cfg(not(feature = "interpreter"))]
pub use absent::{Engine, reason, write};
#[cfg(feature = "interpreter")]
pub use engine::{Engine, reason};
pub use host::{Host, Interrupted, LogLevel, Registered, Replication};
pub use kind::{Failure, Kind};
#[cfg(feature = "interpreter")]
pub use results::{DEPTH_MAX, write};
pub use script::Script;

/// For values of scripts.
#[cfg(feature = "interpreter")]
pub use mlua;
