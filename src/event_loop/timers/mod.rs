//! Time events.

mod events;
mod heap;
mod index;
mod old_pages;
pub(super) mod pool;
pub(super) mod store;
#[cfg(test)]
mod tests;

pub(crate) use events::{create_time_event, delete_time_event, delete_time_events};
pub(super) use events::{finalize, free_all, has_deleted, next_deadline, process};
