//! Scripts and what is known of the one that runs.

pub mod header;
pub mod running;
pub mod scripts;
pub mod state;
