//! The data of all databases.

pub mod databases;
