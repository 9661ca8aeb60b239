//! What must hold for any bytes, in any pieces.

use super::Limits;
use super::parser::tests::parse;
use super::writer;
use proptest::collection::vec;
use proptest::prelude::*;

/// Bytes that look enough like requests to get deep into the parser.
fn protocol_like() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop_oneof![
        4 => Just(b"\r\n".to_vec()),
        2 => Just(b"*2\r\n".to_vec()),
        2 => Just(b"$3\r\nabc\r\n".to_vec()),
        1 => Just(b"*-1\r\n".to_vec()),
        1 => Just(b"\"a\\x41".to_vec()),
        1 => Just(b"' ".to_vec()),
        2 => "[*$][-0-9]{0,4}".prop_map(String::into_bytes),
        2 => vec(any::<u8>(), 0..6),
    ];
    vec(pieces, 0..20).prop_map(|pieces| pieces.concat())
}

fn requests() -> impl Strategy<Value = Vec<Vec<Vec<u8>>>> {
    vec(vec(vec(any::<u8>(), 0..40), 1..6), 0..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn any_split_gives_the_same_requests(input in protocol_like(), piece in 1usize..9) {
        let limits = Limits::default();
        prop_assert_eq!(parse(&input, piece, &limits), parse(&input, input.len(), &limits));
    }

    #[test]
    fn written_requests_are_parsed_back(requests in requests(), piece in 1usize..50) {
        let mut bytes = Vec::new();
        for request in &requests {
            writer::request(&mut bytes, request);
        }
        prop_assert_eq!(parse(&bytes, piece, &Limits::default()), (requests, None));
    }

    #[test]
    fn random_bytes_never_panic(input in vec(any::<u8>(), 0..200), piece in 1usize..20, unauthenticated: bool) {
        parse(&input, piece, &Limits { unauthenticated, ..Limits::default() });
    }

    #[test]
    fn quoted_words_come_back(words in vec(vec(any::<u8>(), 0..10), 1..5)) {
        let mut line = Vec::new();
        for word in &words {
            line.push(b'"');
            for byte in word {
                line.extend_from_slice(format!("\\x{byte:02x}").as_bytes());
            }
            line.extend_from_slice(b"\" ");
        }
        line.extend_from_slice(b"\r\n");
        prop_assert_eq!(parse(&line, 7, &Limits::default()), (vec![words], None));
    }
}
