//! Bytes that nobody has written.

use crate::recipe::{content, recipes, small_limits};
use proptest::prelude::*;
use rdb::{Compression, Limits, Reader, Writer, decode, dump, encode, restore, type_of};
use store::Value;

/// More than any type: unknown ones are asked for too.
const CODES: u8 = 30;

/// Memory for a byte of a value that is not compressed: a table has entries of some 50 bytes, for a member of two.
const MEMORY: usize = 100;

/// A value that was read is one that can be written and read again; and it has no memory that its bytes do not explain.
fn check(value: &Value, read: usize, limits: &Limits) -> Result<(), TestCaseError> {
    prop_assert!(value.allocated() <= MEMORY * read + 20_000, "{} bytes for {read}", value.allocated());
    prop_assert!(!value.is_empty_collection());
    let back = restore(&dump(value, Compression::Lzf), limits);
    prop_assert_eq!(content(&back.map_err(|error| TestCaseError::fail(error.to_string()))?), content(value));
    Ok(())
}

/// Reads what may be a value.
fn try_to_read(code: u8, bytes: &[u8], limits: &Limits) -> Result<(), TestCaseError> {
    let mut reader = Reader::new(bytes);
    match decode(code, &mut reader, limits) {
        Ok(value) => check(&value, 90 * bytes.len(), limits),
        Err(error) => {
            prop_assert!(error.offset <= bytes.len() as u64);
            Ok(())
        }
    }
}

/// A change of a byte, of four bytes, or of how many there are.
fn change(bytes: &mut Vec<u8>, (kind, at, byte): (u8, usize, u8)) {
    if bytes.is_empty() {
        return;
    }
    let at = at % bytes.len();
    match kind {
        0 => bytes[at] = byte,
        1 => bytes[at] ^= 1 << (byte % 8),
        2 => bytes[at..].iter_mut().take(4).for_each(|at| *at = byte),
        3 => bytes.insert(at, byte),
        4 => drop(bytes.remove(at)),
        _ => bytes.truncate(at),
    }
}

fn changes() -> impl Strategy<Value = Vec<(u8, usize, u8)>> {
    let byte = prop_oneof![any::<u8>(), prop::sample::select(vec![0, 0x7f, 0x80, 0x81, 0xc0, 0xc3, 0xfe, 0xff])];
    prop::collection::vec((0u8..6, any::<usize>(), byte), 1..4)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn changed_values(recipe in recipes(100), changes in changes(), limits in small_limits(), lzf: bool) {
        let value = recipe.value(&limits);
        let mut bytes = Vec::new();
        encode(&value, &mut Writer::new(&mut bytes, if lzf { Compression::Lzf } else { Compression::Off }));
        changes.into_iter().for_each(|it| change(&mut bytes, it));
        try_to_read(type_of(&value), &bytes, &limits)?;
    }

    #[test]
    fn values_as_of_another_type(recipe in recipes(60), code in 0..CODES, limits in small_limits()) {
        let mut bytes = Vec::new();
        encode(&recipe.value(&limits), &mut Writer::new(&mut bytes, Compression::Off));
        try_to_read(code, &bytes, &limits)?;
    }

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..100), code in 0..CODES) {
        try_to_read(code, &bytes, &Limits::default())?;
        let _ = restore(&bytes, &Limits::default());
    }
}

#[test]
fn lengths_and_counts_cost_no_memory() {
    // What each type has first is told to be as much as can be: nothing follows.
    for code in 0..CODES {
        for length in [&[0x80, 0xff, 0xff, 0xff, 0xff][..], &[0x81, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]] {
            for bytes in [length.to_vec(), [length, length].concat(), [&[0xc3][..], length, length].concat()] {
                assert!(decode(code, &mut Reader::new(&bytes[..]), &Limits::default()).is_err());
            }
        }
    }
}
