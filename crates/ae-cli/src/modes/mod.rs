//! What the client does instead of sending one command.

mod big_keys;
mod command;
mod distribution;
mod hot_keys;
mod intrinsic;
mod keys;
mod latency;
mod lru;
mod pipe;
mod run;
mod stat;
mod transfer;

pub use run::run;
