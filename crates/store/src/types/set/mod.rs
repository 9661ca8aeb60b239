//! Sets: of integers in one block while they are few, of anything in a table.

pub mod algebra;
pub mod intset;
#[allow(clippy::module_inception)] // the room and what it is about have one name
mod set;

pub use set::{Limits, Set};
