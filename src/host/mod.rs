//! What the program around the library gives it: hooks, memory, a log.

mod hooks;
mod log;
pub(crate) mod memory;

pub(crate) use hooks::*;
pub(crate) use log::log;
