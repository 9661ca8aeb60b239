//! The HyperLogLog: an estimate of how many different elements were added, with a standard error of 0.81 %, in at most
//! 12304 bytes. It is a string, whose bytes are Redis's.
//!
//! Header: `HYLL`, the encoding (0 dense, 1 sparse), three zeros, and the last estimate in 8 bytes, little-endian, with
//! the highest bit set once it is stale. Dense: 16384 registers of 6 bits, from the lowest bit on. Sparse: [`Run`]s.

mod bytes;
mod estimate;
mod layout;
mod murmur;
mod self_test;
mod sparse;

pub use bytes::{Encoding, Limits, Union, add, cache, cached, count, encoding, make_dense, make_stale, new, runs};
pub use layout::{Corrupt, REGISTERS};
pub use self_test::{Failure, self_test};
pub use sparse::Run;
