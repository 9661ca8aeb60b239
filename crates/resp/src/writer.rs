//! Replies in RESP2 and RESP3, and requests, appended to a `Vec<u8>`.

use crate::number;

/// The version of the protocol that a client has asked for with HELLO. Most replies are the same in both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Protocol {
    /// What every client speaks at first.
    #[default]
    Resp2,
    /// With types for nulls, maps, sets and text.
    Resp3,
}

/// A status such as `+OK`. `text` must not contain a line end; use [`error()`] or [`bulk()`] for text from outside.
pub fn simple(out: &mut Vec<u8>, text: &str) {
    debug_assert!(!text.contains(['\r', '\n']));
    out.reserve(text.len() + 3);
    out.push(b'+');
    out.extend_from_slice(text.as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// An error. `text` begins with its code (`ERR ...`, `WRONGTYPE ...`) and may come from anywhere: line ends at its end go,
/// and one in its midst, which would let a client forge replies, becomes a space.
pub fn error(out: &mut Vec<u8>, text: impl AsRef<[u8]>) {
    let text = text.as_ref();
    let len = text.iter().rposition(|c| !matches!(c, b'\r' | b'\n')).map_or(0, |last| last + 1);
    let text = &text[..len];
    out.reserve(text.len() + 3);
    out.push(b'-');
    out.extend(text.iter().map(|&c| if c == b'\r' || c == b'\n' { b' ' } else { c }));
    out.extend_from_slice(b"\r\n");
}

/// An integer.
pub fn integer(out: &mut Vec<u8>, value: i64) {
    match value {
        0 => out.extend_from_slice(b":0\r\n"),
        1 => out.extend_from_slice(b":1\r\n"),
        _ => header(out, b':', value),
    }
}

/// A string of any bytes.
pub fn bulk(out: &mut Vec<u8>, data: &[u8]) {
    // In one piece: long replies are made of short ones.
    if let len @ 0..10 = data.len() {
        let mut all = [b'$', b'0' + len as u8, b'\r', b'\n', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        all[4..4 + len].copy_from_slice(data);
        all[4 + len..6 + len].copy_from_slice(b"\r\n");
        return out.extend_from_slice(&all[..6 + len]);
    }
    out.reserve(data.len() + 5 + number::MAX_LEN);
    header(out, b'$', data.len() as i64);
    out.extend_from_slice(data);
    out.extend_from_slice(b"\r\n");
}

/// The head of a string of `len` bytes, which follow and are followed by [`bulk_end`]: for content that is not copied.
pub fn bulk_head(out: &mut Vec<u8>, len: usize) {
    header(out, b'$', len as i64);
}

/// What ends a string begun by [`bulk_head`].
pub fn bulk_end(out: &mut Vec<u8>) {
    out.extend_from_slice(b"\r\n");
}

/// A string that is the decimal form of `value`.
pub fn bulk_integer(out: &mut Vec<u8>, value: i64) {
    bulk(out, number::format(&mut [0; number::MAX_LEN], value));
}

/// No string: what a missing key reads as.
pub fn null(out: &mut Vec<u8>, protocol: Protocol) {
    match protocol {
        Protocol::Resp2 => out.extend_from_slice(b"$-1\r\n"),
        Protocol::Resp3 => out.extend_from_slice(b"_\r\n"),
    }
}

/// No array.
pub fn null_array(out: &mut Vec<u8>, protocol: Protocol) {
    match protocol {
        Protocol::Resp2 => out.extend_from_slice(b"*-1\r\n"),
        Protocol::Resp3 => out.extend_from_slice(b"_\r\n"),
    }
}

/// Text for people, such as a report: a plain string in RESP2, marked as text in RESP3.
pub fn text(out: &mut Vec<u8>, protocol: Protocol, text: &[u8]) {
    verbatim(out, protocol, b"txt", text);
}

/// Text whose kind is known, as `txt` and `mkd`. A plain string in RESP2.
pub fn verbatim(out: &mut Vec<u8>, protocol: Protocol, kind: &[u8; 3], text: &[u8]) {
    match protocol {
        Protocol::Resp2 => bulk(out, text),
        Protocol::Resp3 => {
            header(out, b'=', (kind.len() + 1 + text.len()) as i64);
            out.extend_from_slice(kind);
            out.push(b':');
            out.extend_from_slice(text);
            out.extend_from_slice(b"\r\n");
        }
    }
}

/// The head of a map; its `len` keys follow, each with its value. RESP2 has an array of them.
pub fn map(out: &mut Vec<u8>, protocol: Protocol, len: usize) {
    match protocol {
        Protocol::Resp2 => array(out, 2 * len),
        Protocol::Resp3 => header(out, b'%', len as i64),
    }
}

/// The head of a set; its `len` elements follow. RESP2 has an array of them.
pub fn set(out: &mut Vec<u8>, protocol: Protocol, len: usize) {
    match protocol {
        Protocol::Resp2 => array(out, len),
        Protocol::Resp3 => header(out, b'~', len as i64),
    }
}

/// The head of a message that answers no request; its `len` elements follow. RESP2 has an array of them.
pub fn push(out: &mut Vec<u8>, protocol: Protocol, len: usize) {
    match protocol {
        Protocol::Resp2 => array(out, len),
        Protocol::Resp3 => header(out, b'>', len as i64),
    }
}

/// A truth value: an integer in RESP2.
pub fn boolean(out: &mut Vec<u8>, protocol: Protocol, value: bool) {
    match (protocol, value) {
        (Protocol::Resp2, value) => integer(out, value.into()),
        (Protocol::Resp3, true) => out.extend_from_slice(b"#t\r\n"),
        (Protocol::Resp3, false) => out.extend_from_slice(b"#f\r\n"),
    }
}

/// A number with a fraction, as `text` spells it: a string in RESP2.
pub fn double(out: &mut Vec<u8>, protocol: Protocol, text: &[u8]) {
    match protocol {
        Protocol::Resp2 => bulk(out, text),
        Protocol::Resp3 => {
            out.reserve(text.len() + 3);
            out.push(b',');
            out.extend_from_slice(text);
            out.extend_from_slice(b"\r\n");
        }
    }
}

/// An integer of any size, as `text` spells it: a string in RESP2.
pub fn big_number(out: &mut Vec<u8>, protocol: Protocol, text: &[u8]) {
    match protocol {
        Protocol::Resp2 => bulk(out, text),
        Protocol::Resp3 => {
            out.push(b'(');
            out.extend_from_slice(text);
            out.extend_from_slice(b"\r\n");
        }
    }
}

/// Where the head of a collection belongs whose length is known only when its elements have been written.
#[derive(Debug)]
#[must_use]
pub struct Place(usize);

/// Leaves a place for a head. What is written from here on are the elements.
pub fn place(out: &[u8]) -> Place {
    Place(out.len())
}

/// Puts a head, as `write` writes it, in its place.
pub fn put_head(out: &mut Vec<u8>, place: Place, write: impl FnOnce(&mut Vec<u8>)) {
    let elements = out.len();
    write(out);
    let head = out.len() - elements;
    out[place.0..].rotate_right(head);
}

/// The head of an array; its `len` elements follow.
pub fn array(out: &mut Vec<u8>, len: usize) {
    header(out, b'*', len as i64);
}

/// A whole request, the way a client sends it.
pub fn request<A: AsRef<[u8]>>(out: &mut Vec<u8>, args: &[A]) {
    array(out, args.len());
    for arg in args {
        bulk(out, arg.as_ref());
    }
}

fn header(out: &mut Vec<u8>, kind: u8, value: i64) {
    if (0..10).contains(&value) {
        out.extend_from_slice(&[kind, b'0' + value as u8, b'\r', b'\n']);
        return;
    }
    let mut line = [0; 1 + number::MAX_LEN + 2];
    let (digits, end) = line[1..].split_first_chunk_mut().expect("room for the digits");
    end.copy_from_slice(b"\r\n");
    let used = number::format(digits, value).len();
    let line = &mut line[number::MAX_LEN - used..];
    line[0] = kind;
    out.extend_from_slice(line);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_put_in_its_place() {
        let mut out = b"+OK\r\n".to_vec();
        let place = place(&out);
        integer(&mut out, 1);
        integer(&mut out, 22);
        put_head(&mut out, place, |out| array(out, 2));
        assert_eq!(out, b"+OK\r\n*2\r\n:1\r\n:22\r\n");
    }

    #[test]
    fn kinds_that_only_resp3_has() {
        let written = |protocol| {
            let mut out = Vec::new();
            push(&mut out, protocol, 1);
            boolean(&mut out, protocol, true);
            double(&mut out, protocol, b"1.5");
            big_number(&mut out, protocol, b"12345678901234567890");
            String::from_utf8(out).unwrap().replace("\r\n", " ")
        };
        assert_eq!(written(Protocol::Resp2), "*1 :1 $3 1.5 $20 12345678901234567890 ");
        assert_eq!(written(Protocol::Resp3), ">1 #t ,1.5 (12345678901234567890 ");
    }

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn each_kind_of_reply() {
        assert_eq!(written(|out| simple(out, "OK")), "+OK\r\n");
        assert_eq!(written(|out| error(out, "ERR no")), "-ERR no\r\n");
        assert_eq!(written(|out| integer(out, 0)), ":0\r\n");
        assert_eq!(written(|out| integer(out, 1)), ":1\r\n");
        assert_eq!(written(|out| integer(out, -1)), ":-1\r\n");
        assert_eq!(written(|out| integer(out, i64::MIN)), ":-9223372036854775808\r\n");
        assert_eq!(written(|out| bulk(out, b"")), "$0\r\n\r\n");
        assert_eq!(written(|out| bulk(out, b"a\r\nb")), "$4\r\na\r\nb\r\n");
        assert_eq!(written(|out| bulk(out, b"0123456789")), "$10\r\n0123456789\r\n");
        assert_eq!(written(|out| bulk_integer(out, -12)), "$3\r\n-12\r\n");
        assert_eq!(written(|out| bulk_head(out, 1000)), "$1000\r\n");
        assert_eq!(written(bulk_end), "\r\n");
        assert_eq!(written(|out| array(out, 0)), "*0\r\n");
        assert_eq!(written(|out| array(out, 12)), "*12\r\n");
        assert_eq!(written(|out| request(out, &["GET", "k"])), "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n");
    }

    #[test]
    fn replies_that_differ_between_the_protocols() {
        use Protocol::{Resp2, Resp3};
        let both = |write: fn(&mut Vec<u8>, Protocol)| [Resp2, Resp3].map(|p| written(|out| write(out, p)));
        assert_eq!(both(null), ["$-1\r\n", "_\r\n"]);
        assert_eq!(both(null_array), ["*-1\r\n", "_\r\n"]);
        assert_eq!(both(|out, p| text(out, p, b"abc\n")), ["$4\r\nabc\n\r\n", "=8\r\ntxt:abc\n\r\n"]);
        assert_eq!(both(|out, p| map(out, p, 3)), ["*6\r\n", "%3\r\n"]);
        assert_eq!(both(|out, p| set(out, p, 3)), ["*3\r\n", "~3\r\n"]);
    }

    #[test]
    fn an_error_stays_on_its_line() {
        assert_eq!(written(|out| error(out, "ERR unknown 'a\r\n+OK'")), "-ERR unknown 'a  +OK'\r\n");
        assert_eq!(written(|out| error(out, "ERR unknown a\n\r\n")), "-ERR unknown a\r\n");
        assert_eq!(written(|out| error(out, "\r\n")), "-\r\n");
    }
}
