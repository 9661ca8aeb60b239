//! The state that all clients share.

pub mod news;
pub mod state;
pub mod stats;
pub mod timeouts;
pub mod waiting;
