//! The state that all clients share.

pub mod state;
pub mod stats;
