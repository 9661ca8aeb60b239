//! A line of words as Redis splits and quotes them: inline requests, configuration files, what redis-cli reads.

use crate::error::ProtocolError;
use crate::inline;

/// The words of a line. Fails where a quote is open or has text right behind it.
pub fn split(line: &[u8]) -> Result<Vec<Vec<u8>>, ProtocolError> {
    let mut buf = line.to_vec();
    let mut spans = Vec::new();
    inline::split(&mut buf, 0, line.len(), |from, to| spans.push(from..to))?;
    Ok(spans.into_iter().map(|span| buf[span].to_vec()).collect())
}

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Appends a word in double quotes, with escapes for all that is not printable ASCII.
pub fn quote(out: &mut Vec<u8>, word: &[u8]) {
    out.reserve(word.len() + 2);
    out.push(b'"');
    for &c in word {
        match c {
            b'\\' | b'"' => out.extend([b'\\', c]),
            b'\n' => out.extend(b"\\n"),
            b'\r' => out.extend(b"\\r"),
            b'\t' => out.extend(b"\\t"),
            0x07 => out.extend(b"\\a"),
            0x08 => out.extend(b"\\b"),
            b' '..=b'~' => out.push(c),
            _ => out.extend([b'\\', b'x', HEX[usize::from(c >> 4)], HEX[usize::from(c & 15)]]),
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn quoting_as_redis_does() {
        let mut out = Vec::new();
        quote(&mut out, b"a b\"\\\n\r\t\x07\x08\x00\xe9~");
        assert_eq!(out, br#""a b\"\\\n\r\t\a\b\x00\xe9~""#);
    }

    proptest! {
        #[test]
        fn what_is_quoted_is_split_again(words in proptest::collection::vec(any::<Vec<u8>>(), 0..5)) {
            let mut line = Vec::new();
            for word in &words {
                quote(&mut line, word);
                line.push(b' ');
            }
            prop_assert_eq!(split(&line).unwrap(), words);
        }

        #[test]
        fn any_line_is_split_or_refused(line: Vec<u8>) {
            if let Ok(words) = split(&line) {
                prop_assert!(words.iter().map(Vec::len).sum::<usize>() <= line.len());
            }
        }
    }
}
