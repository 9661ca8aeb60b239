//! The rows of the catalogue, a file a subject.

pub mod clients;
pub mod cluster;
pub mod data;
pub mod memory;
pub mod network;
pub mod observation;
pub mod persistence;
pub mod process;
pub mod replication;
pub mod security;
pub mod tls;
