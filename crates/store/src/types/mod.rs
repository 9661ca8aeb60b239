//! The data types besides strings: packed while they are small, in a form for many elements beyond that.

pub mod bits;
mod block;
mod element;
pub mod geo;
pub mod hash;
pub mod hyperloglog;
pub mod lcs;
pub mod list;
pub mod packed;
pub mod set;
pub mod stream;
mod table;
pub mod zset;

pub use element::Element;
