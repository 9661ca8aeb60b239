//! Numbers and patterns as clients write them.
#![no_main]

use ae_server::fuzzed::{Case, LongDouble, matches};
use libae_fuzz::memory::limited;
use libfuzzer_sys::fuzz_target;
use resp::number;

/// Only the spelling in which a number is written is one.
fn integer(text: &[u8]) {
    let read = str::from_utf8(text).ok().and_then(|text| text.parse::<i64>().ok());
    let canonical = read.filter(|number| number.to_string().as_bytes() == text);
    assert_eq!(number::parse(text), canonical);
    if let Some(value) = canonical {
        assert_eq!(number::format(&mut [0; number::MAX_LEN], value), text);
    }
}

/// What is written for a number is read as one again, and then written in the same way.
fn float(text: &[u8]) {
    let Some(written) = LongDouble::parse(text).and_then(|number| number.to_decimal()) else { return };
    let again = LongDouble::parse(written.as_bytes()).and_then(|number| number.to_decimal());
    assert_eq!(again.as_deref(), Some(&*written));
}

fn pattern(pattern: &[u8], text: &[u8]) {
    for case in [Case::Sensitive, Case::Ignored] {
        let escaped: Vec<u8> = text.iter().flat_map(|byte| [b'\\', *byte]).collect();
        assert!(matches(&escaped, text, case));
        if matches(pattern, text, case) && !text.is_empty() {
            assert!(matches(&[b"*", pattern].concat(), text, case));
            assert!(matches(&[&escaped, pattern].concat(), &[text, text].concat(), case));
        }
    }
}

fuzz_target!(|bytes: &[u8]| {
    let [at, text @ ..] = bytes else { return };
    limited((1 << 20) + 100 * text.len(), || {
        integer(text);
        float(text);
        let (first, second) = text.split_at(text.len().min(usize::from(*at)));
        pattern(first, second);
    });
});
