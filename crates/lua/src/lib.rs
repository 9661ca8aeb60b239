//! Lua 5.1 as scripts of Redis have it: the interpreter, its sandbox and its libraries. Free of I/O.
#![forbid(unsafe_code)]

pub mod libraries;

pub use mlua;
