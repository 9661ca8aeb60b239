//! Whole files: a header, databases with their entries, an end with a checksum.
//!
//! - `opcode`: what can stand where an entry's type is expected
//! - `writer`: entry by entry, into a buffer that its user takes away
//! - `source`: input that is checksummed, and of which no more is taken than was read
//! - `reader`: what is in a file, one thing at a time

pub(crate) mod opcode;
mod reader;
mod source;
mod writer;

pub use reader::{FileReader, Item, ReadEntry, is_start};
pub use writer::{Entry, FileOptions, FileWriter, Usage};
