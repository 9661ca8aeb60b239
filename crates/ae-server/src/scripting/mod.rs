//! Scripts, libraries of functions, and what is known of the script that runs.

pub mod header;
pub mod interpreter;
pub mod libraries;
pub mod messages;
pub mod running;
pub mod scripts;
pub mod state;
