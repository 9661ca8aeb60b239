//! The libraries that scripts find beside Lua's own.

mod arguments;
mod numbers;
mod pile;

pub mod bits;
pub mod json;
pub mod msgpack;
pub mod raise;
pub mod structs;
