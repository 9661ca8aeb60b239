//! The stream: entries in the order of their ids, and consumer groups that read them.
//!
//! - `stream`: the type; `restore`: putting one together from a file
//! - `entry_log`: the entries, in nodes by id; `trim`: cutting off the oldest
//! - `node`: some entries in one packed block; `entries`: iteration over them
//! - `group`: a consumer group; `progress`: how far it has come
//! - `id`: the ids of entries
//! - `radix`: what XINFO tells of Redis's own structure

mod entries;
mod entry_log;
mod group;
mod id;
mod node;
mod progress;
mod radix;
mod restore;
#[allow(clippy::module_inception)] // the room and what it is about have one name
mod stream;
mod trim;

pub use entries::{Entries, Entry, Fields};
pub use entry_log::{AddError, EntryLog, Limits, SetIdError};
pub use group::{Consumer, ConsumerId, Deliveries, Group, Pending};
pub use id::{Bound, Id, NewId};
pub use restore::Counters;
pub use stream::Stream;
pub use trim::{Threshold, Trim};
