//! What is true of every value that was read, or it is a fault.

use rdb::{Compression, Limits, dump, restore, type_of};
use store::Value;

/// Buffers, and tables that begin with some room.
const CONSTANT: usize = 1 << 20;
/// A byte of the input can stand for 88 of a compressed string, and a member of one byte for an entry of a table; vectors
/// double when they grow.
const TIMES: usize = 400;

/// How much memory an input of so many bytes may cost.
pub fn justified(len: usize) -> usize {
    CONSTANT + TIMES * len
}

/// A value that was read can be written, and what was written is the same value.
pub fn check(value: &Value, limits: &Limits) {
    assert!(!value.is_empty_collection());
    let plain = dump(value, Compression::Off);
    let back = restore(&plain, limits).expect("a value that was read can be read again");
    assert_eq!((type_of(&back), back.elements()), (type_of(value), value.elements()));
    // The order of a table's members can be another one.
    assert_eq!(dump(&back, Compression::Off).len(), plain.len());
    restore(&dump(value, Compression::Lzf), limits).expect("it can be read when it was compressed");
}
