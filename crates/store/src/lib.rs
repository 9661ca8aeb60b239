//! The data: databases of keys, their values and deadlines. Knows nothing of clients or replies.
#![forbid(unsafe_code)]

mod bytes;
mod chunks;
mod deadlines;
mod dict;
mod keyspace;
mod slab;
mod value;

pub use bytes::{Bytes, Content};
pub use keyspace::{EntryId, Keyspace};
pub use value::{StringValue, Value};
