//! A payload of DUMP, as RESTORE reads it. The frame, which a checksum guards, is put around the input here.
#![no_main]

use libae_fuzz::memory::limited;
use libae_fuzz::values::{check, justified};
use libfuzzer_sys::fuzz_target;
use rdb::{Limits, crc64, restore};

fuzz_target!(|bytes: &[u8]| {
    limited(justified(bytes.len()), || {
        let limits = Limits::default();
        let mut payload = [bytes, &rdb::VERSION.to_le_bytes()].concat();
        payload.extend(crc64(0, &payload).to_le_bytes());
        match restore(&payload, &limits) {
            Ok(value) => check(&value, &limits),
            Err(error) => assert!(error.offset <= bytes.len() as u64 && !error.is_of_frame(), "{error}"),
        }
        // As it came, the checksum is hardly ever right.
        let _ = restore(bytes, &limits);
    });
});
