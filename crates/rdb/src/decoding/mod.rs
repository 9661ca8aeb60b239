//! Bytes to values.
//!
//! - `reader`: lengths, strings and numbers
//! - `decode`: which type is read how
//! - `elements`: collections that are written element by element
//! - `blocks`: collections that are written as one block, or several
//! - `read_stream`: streams
//! - `ziplist`, `zipmap`: blocks of older versions, as packed sequences

mod blocks;
mod decode;
mod elements;
mod read_stream;
mod reader;
mod ziplist;
mod zipmap;

pub use decode::{Limits, decode};
pub use reader::{Length, Reader};
