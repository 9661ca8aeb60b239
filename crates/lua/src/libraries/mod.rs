//! The libraries that scripts find beside Lua's own.

mod arguments;
mod numbers;

pub mod bits;
pub mod json;
pub mod msgpack;
pub mod raise;
pub mod structs;
