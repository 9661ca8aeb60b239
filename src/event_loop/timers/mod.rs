//! Time events.

mod events;
mod heap;
mod index;
mod moved;
mod old_pages;
mod periodic;
pub(super) mod pool;
pub(super) mod store;
#[cfg(test)]
mod tests;

pub(crate) use events::{
    create_periodic_time_event, create_time_event, delete_time_event, delete_time_events, reset_time_event,
};

pub(super) use events::{finalize, free_all, has_deleted, next_deadline, process};
