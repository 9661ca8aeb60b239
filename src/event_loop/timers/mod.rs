//! Time events.

mod events;
mod heap;
mod index;
mod old_pages;
mod pool;
mod store;

pub(crate) use events::{create_time_event, delete_time_event, delete_time_events};
pub(super) use events::{finalize, free_all, process};
pub(super) use pool::Slot;
pub(super) use store::Timers;
