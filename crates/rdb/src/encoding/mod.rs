//! Values to bytes.

mod collections;
mod encode;
mod write_stream;
mod writer;

pub use encode::{encode, type_of};
pub use writer::{Compression, Writer};
