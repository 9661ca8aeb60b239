//! An RDB file, as a replica or a start reads it.
#![no_main]

use libae_fuzz::memory::limited;
use libae_fuzz::values::{check, justified};
use libfuzzer_sys::fuzz_target;
use rdb::{FileReader, Item, Limits};

fuzz_target!(|bytes: &[u8]| {
    limited(justified(bytes.len()), || {
        let limits = Limits::default();
        let mut reader = FileReader::new(bytes, limits);
        loop {
            let before = reader.offset();
            match reader.next() {
                Ok(Item::End) => break,
                Ok(Item::Entry(entry)) => check(&entry.value, &limits),
                Ok(_) => assert!(reader.offset() > before),
                Err(error) => {
                    assert!(error.offset <= bytes.len() as u64, "{error}");
                    return;
                }
            }
        }
        let end = reader.offset() as usize;
        let (rest, input) = reader.into_rest();
        assert_eq!([&rest, input].concat(), bytes[end..]);
    });
});
