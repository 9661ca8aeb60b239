//! What the fuzzers share.
//!
//! - `memory`: an allocator that ends the program when an input costs more than it can justify
//! - `values`: what is true of every value that was read, or it is a fault
//! - `serving`: a server in this process

pub mod memory;
pub mod serving;
pub mod values;
