//! What comes first on a connection from a proxy: a header is the same with whatever behind it, and nothing shorter is
//! one.
#![no_main]

use ae::ProxyHeader;
use libae_fuzz::memory::limited;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    limited(1 << 16, || match ProxyHeader::parse(bytes) {
        Ok(Some(header)) => {
            assert!(header.len > 0 && header.source.is_some() == header.destination.is_some());
            for len in 0..header.len {
                assert!(matches!(ProxyHeader::parse(&bytes[..len]), Ok(None)), "{len} of {} bytes", header.len);
            }
            assert_eq!(ProxyHeader::parse(&bytes[..header.len]).ok(), Some(Some(header)));
        }
        Ok(None) => {
            for len in 0..bytes.len() {
                assert!(matches!(ProxyHeader::parse(&bytes[..len]), Ok(None)), "{len} bytes of a beginning");
            }
        }
        Err(error) => assert!(error.raw_os_error().is_some(), "{error}"),
    });
});
