//! Strings as arrays of bits: bit 0 is the highest bit of the first byte.

mod bit;
mod combine;
mod field;
mod range;

pub use bit::{bytes_for, count, find, get, set};
pub use combine::{Operation, combine};
pub use field::{Field, Overflow};
pub use range::{Unit, count_range, position};
