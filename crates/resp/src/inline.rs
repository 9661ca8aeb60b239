//! Inline requests: one line of words, quoted as Redis quotes them.

use crate::error::ProtocolError;

/// Splits the line `buf[start..end]` into arguments and calls `found` with each one's range in `buf`.
///
/// Escapes are resolved in place. That works because no escape is shorter than what it stands for, so the write
/// position never overtakes the read position.
pub(super) fn split(
    buf: &mut [u8],
    start: usize,
    end: usize,
    mut found: impl FnMut(usize, usize),
) -> Result<(), ProtocolError> {
    let mut at = start;
    loop {
        while at < end && is_space(buf[at]) {
            at += 1;
        }
        if at == end {
            return Ok(());
        }
        let word = at;
        let mut to = at;
        while at < end {
            let c = buf[at];
            at += 1;
            match c {
                b' ' | b'\n' | b'\r' | b'\t' => break,
                b'"' => {
                    at = double_quoted(buf, at, end, &mut to)?;
                    break;
                }
                b'\'' => {
                    at = single_quoted(buf, at, end, &mut to)?;
                    break;
                }
                _ => put(buf, &mut to, c),
            }
        }
        found(word, to);
    }
}

/// Space before a word. Inside of one, vertical tab and form feed belong to it, as in Redis.
fn is_space(c: u8) -> bool {
    matches!(c, b' ' | b'\t'..=b'\r')
}

fn put(buf: &mut [u8], to: &mut usize, c: u8) {
    buf[*to] = c;
    *to += 1;
}

/// Both quoted forms return the position after the closing quote.
fn double_quoted(buf: &mut [u8], mut at: usize, end: usize, to: &mut usize) -> Result<usize, ProtocolError> {
    loop {
        match &buf[at..end] {
            [b'\\', b'x', high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                let c = hex(*high) << 4 | hex(*low);
                put(buf, to, c);
                at += 4;
            }
            [b'\\', escaped, ..] => {
                let c = match *escaped {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'b' => 0x08,
                    b'a' => 0x07,
                    other => other,
                };
                put(buf, to, c);
                at += 2;
            }
            [b'"', rest @ ..] => return closed(rest, at),
            &[c, ..] => {
                put(buf, to, c);
                at += 1;
            }
            [] => return Err(ProtocolError::UnbalancedQuotes),
        }
    }
}

fn single_quoted(buf: &mut [u8], mut at: usize, end: usize, to: &mut usize) -> Result<usize, ProtocolError> {
    loop {
        match &buf[at..end] {
            [b'\\', b'\'', ..] => {
                put(buf, to, b'\'');
                at += 2;
            }
            [b'\'', rest @ ..] => return closed(rest, at),
            &[c, ..] => {
                put(buf, to, c);
                at += 1;
            }
            [] => return Err(ProtocolError::UnbalancedQuotes),
        }
    }
}

/// A closing quote ends its word: `"a"b` is an error and not `ab`.
fn closed(rest: &[u8], quote: usize) -> Result<usize, ProtocolError> {
    match rest {
        [c, ..] if !is_space(*c) => Err(ProtocolError::UnbalancedQuotes),
        _ => Ok(quote + 1),
    }
}

fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20) - b'a' + 10,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Result<Vec<Vec<u8>>, ProtocolError> {
        let mut buf = line.as_bytes().to_vec();
        let end = buf.len();
        let mut found = Vec::new();
        split(&mut buf, 0, end, |from, to| found.push((from, to)))?;
        Ok(found.into_iter().map(|(from, to)| buf[from..to].to_vec()).collect())
    }

    fn expect(line: &str, wanted: &[&[u8]]) {
        assert_eq!(words(line).unwrap(), wanted, "{line:?}");
    }

    #[test]
    fn plain_words() {
        expect("", &[]);
        expect(" \t ", &[]);
        expect("PING", &[b"PING"]);
        expect("  set\tkey   value ", &[b"set", b"key", b"value"]);
        expect("a\\nb", &[b"a\\nb"]);
        expect("\x0bvertical a\x0bb", &[b"vertical", b"a\x0bb"]);
    }

    #[test]
    fn double_quotes() {
        expect(r#"set k "two words""#, &[b"set", b"k", b"two words"]);
        expect(r#""" x"#, &[b"", b"x"]);
        expect(r#""\n\r\t\b\a\\\"\q""#, &[b"\n\r\t\x08\x07\\\"q"]);
        expect(r#""\x00\xfF\xg1\x1""#, &[b"\0\xffxg1x1"]);
        expect(r#"pre"fix ed""#, &[b"prefix ed"]);
        expect(r#""it's""#, &[b"it's"]);
    }

    #[test]
    fn single_quotes() {
        expect(r"'two words' '\'' '\n' ''", &[b"two words", b"'", b"\\n", b""]);
        expect(r#"'say "x"'"#, &[b"say \"x\""]);
    }

    #[test]
    fn open_quotes_and_text_behind_a_closing_one_are_errors() {
        for line in
            ["\"", "'", "\"abc", "'abc", "\"a\"b", "'a'b", "\"a\"\"b\"", "\"a\\", "\"a\\\"", "'\\'", "x\"", "\"a\"\0"]
        {
            assert_eq!(words(line), Err(ProtocolError::UnbalancedQuotes), "{line:?}");
        }
    }
}
