//! The libraries that scripts find beside Lua's own.

mod arguments;
pub(crate) mod numbers;
mod pile;

pub mod bits;
pub mod json;
pub mod msgpack;
pub mod raise;
pub mod structs;
