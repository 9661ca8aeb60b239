//! The clients: what the server knows of each, what arrives from it and what is on its way to it.

pub mod blocked;
pub mod client;
pub mod copy_reader;
pub mod input;
pub mod limits;
pub mod output;
pub mod queue;
pub mod replica;
pub mod reply;
pub mod subscriptions;
pub mod table;
pub mod tracking;
pub mod transaction;
