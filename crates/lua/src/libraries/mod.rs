//! The libraries that scripts find beside Lua's own.

pub(crate) mod numbers;
mod parameters;
mod pile;
pub(crate) mod stand_ins;

pub mod bits;
pub mod json;
pub mod maths;
pub mod msgpack;
pub mod raise;
pub mod structs;
