//! The data types besides strings: packed while they are small, in a form for many elements beyond that.

mod element;
pub mod hyperloglog;
pub mod list;
pub mod packed;
pub mod zset;
pub mod hash;
pub mod packed;
pub mod set;
mod table;

pub use element::Element;
