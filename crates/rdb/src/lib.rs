//! Redis's RDB format: files, and the values in them and in DUMP payloads.
//!
//! What is written is version 10, which Redis 7.0 reads. What is read is every version up to 12, and 80, which is
//! Valkey's. Nothing that is read is trusted: a value that is not well-formed is refused with the offset of the fault,
//! and memory grows with the bytes that are there, not with the lengths that they tell.
//!
//! ```
//! use rdb::{Compression, Limits, dump, restore};
//! use store::{StringValue, Value};
//!
//! let value = Value::from(StringValue::new(b"10"));
//! let payload = dump(&value, Compression::Lzf);
//! assert_eq!(payload[..4], [0, 0xc0, 10, 10]);
//! let Ok(Value::String(value)) = restore(&payload, &Limits::default()) else { panic!("not a string") };
//! assert_eq!(value.as_integer(), Some(10));
//! ```
#![forbid(unsafe_code)]

mod checksum;
pub mod code;
mod decoding;
mod encoding;
mod error;
mod file;
mod frame;
mod functions;
mod lzf;

pub use checksum::crc64;
pub use decoding::{Length, Limits, Reader, decode};
pub use encoding::{Compression, Place, Writer, encode, encode_portion, type_of};
pub use error::{Error, Fault};
pub use file::{Entry, FileOptions, FileReader, FileWriter, Item, ReadEntry, Usage, is_start};
pub use frame::{VERSION, dump, is_readable, restore, unframe};
pub use functions::{dump_functions, restore_functions};
