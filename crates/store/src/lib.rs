//! The data: databases of keys, their values and deadlines. Knows nothing of clients, commands or replies, and has no
//! clock.
#![forbid(unsafe_code)]

mod buckets;
mod bytes;
mod deadlines;
mod dict;
mod entries;
mod entry;
mod index;
mod keyspace;
mod number;
mod partial_sort;
mod slab;
mod snapshot;
pub mod types;
mod value;
mod view;
mod walks;

pub use bytes::{Bytes, Content};
pub use keyspace::{EntryId, Found, Keyspace, Place, ValueId, has_expired};
pub use number::Digits;
pub use partial_sort::partial_sort;
pub use value::{Kind, StringValue, Value};
pub use view::{StringRef, ValueRef};
