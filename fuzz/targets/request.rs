//! What clients send: whatever pieces it comes in, it is the same requests.
#![no_main]

use libae_fuzz::memory::limited;
use libfuzzer_sys::fuzz_target;
use resp::{Limits, ProtocolError, RequestParser};
use std::sync::Arc;

type Requests = (Vec<Vec<Vec<u8>>>, Option<ProtocolError>);

/// An argument that is at least so long is taken aside, if that is wanted.
const LARGE: usize = 40;

/// The requests in what arrives in pieces of so many bytes, and the error that ends them.
fn parsed(input: &[u8], piece: usize, limits: &Limits, aside: bool) -> Requests {
    let (mut parser, mut buffer, mut found) = (RequestParser::new(), Vec::new(), Vec::new());
    for bytes in input.chunks(piece) {
        buffer.extend_from_slice(bytes);
        loop {
            match parser.advance(&mut buffer, limits) {
                Ok(true) => {
                    let args = parser.args(&buffer);
                    assert!(args.len() > 0 && args.len() == args.to_owned().as_args().len());
                    found.push(args.iter().map(<[u8]>::to_vec).collect());
                }
                Ok(false) => {
                    let at = parser.parsed();
                    match parser.awaited(LARGE).filter(|len| aside && buffer.len() >= at + len) {
                        Some(len) => parser.supply(Arc::new(buffer.drain(at..at + len).collect())),
                        None => break,
                    }
                }
                Err(error) => return (found, Some(error)),
            }
        }
        buffer.drain(..parser.rebase());
    }
    (found, None)
}

fuzz_target!(|bytes: &[u8]| {
    let [options, input @ ..] = bytes else { return };
    let (piece, unauthenticated) = (usize::from(options & 31) + 1, options & 32 != 0);
    let limits = Limits { unauthenticated, max_bulk: 1 << 20, ..Limits::default() };
    // Each argument is a vector here, and a request of nothing but empty ones has many.
    limited((1 << 20) + 100 * input.len(), || {
        let whole = parsed(input, input.len().max(1), &limits, false);
        assert_eq!(parsed(input, piece, &limits, false), whole);
        assert_eq!(parsed(input, piece, &limits, true), whole);
    });
});
