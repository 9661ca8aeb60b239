//! The data, behind the one door for changes: [`Db`](door::Db).
//!
//! - `databases`: all of it, and what is done regularly
//! - `door`: one database as a command sees it; `edit`: a value that is being changed; `transfer`: keys that go elsewhere
//! - `usage`: when and how often keys are used; `garbage`: what is freed later
//! - `effects`: what a change is in the append-only file and in replicas
//! - `save`: all of it as a file, at once or as it was at one moment (`snapshot`); `load`: what files have
//! - `own_volatile`: what a replica has to remove itself
//! - `discard`: databases that have gone
//! - `observers`: who has to know of a change: `watched` keys, clients that are `waiting` for one, `event`s

pub mod candidates;
pub mod databases;
pub mod discard;
pub mod door;
pub mod edit;
pub mod effects;
pub mod event;
pub mod eviction;
pub mod garbage;
pub mod load;
pub mod observers;
pub mod own_volatile;
pub mod random;
pub mod save;
pub mod snapshot;
mod transfer;
pub mod usage;
pub mod waiting;
pub mod watched;
