//! What a server sends to ae-cli: whatever pieces it comes in, it is the same replies.
#![no_main]

use libae_fuzz::memory::limited;
use libfuzzer_sys::fuzz_target;
use resp::{Reply, ReplyError, ReplyParser};

/// The replies in what arrives in pieces of so many bytes, and the error that ends them.
fn parsed(input: &[u8], piece: usize) -> (Vec<Reply>, Option<ReplyError>) {
    let (mut parser, mut buffer, mut found) = (ReplyParser::new(), Vec::new(), Vec::new());
    for bytes in input.chunks(piece) {
        buffer.extend_from_slice(bytes);
        loop {
            match parser.advance(&buffer) {
                Ok((used, reply)) => {
                    buffer.drain(..used);
                    let Some(reply) = reply else { break };
                    assert!(parser.is_idle());
                    found.push(reply);
                }
                Err(error) => return (found, Some(error)),
            }
        }
    }
    (found, None)
}

fuzz_target!(|bytes: &[u8]| {
    let [piece, input @ ..] = bytes else { return };
    // An element of three bytes is a reply in a vector.
    limited((1 << 20) + 200 * input.len(), || {
        assert_eq!(parsed(input, usize::from(*piece) + 1), parsed(input, input.len().max(1)));
    });
});
