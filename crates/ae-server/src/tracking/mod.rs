//! Clients that keep copies of values, and are told when these are no longer right.

pub mod table;
