//! The libraries that scripts find beside Lua's own.

pub mod bits;
pub mod json;
pub mod msgpack;
pub mod structs;
