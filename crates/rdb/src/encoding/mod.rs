//! Values to bytes.
//!
//! - `encode`: any value, at once or in portions of a `budget`; `collections`, `write_stream`: what has elements
//! - `writer`: lengths, strings and numbers

mod budget;
mod collections;
mod encode;
mod write_stream;
mod writer;

pub use encode::{Place, encode, encode_portion, type_of};
pub use writer::{Compression, Writer};
