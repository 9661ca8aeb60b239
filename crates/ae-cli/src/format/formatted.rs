//! Replies for people: with types, quotes and numbers.

use resp::{Reply, words};

/// `indent` stands before every line except the first.
pub(super) fn write(out: &mut Vec<u8>, reply: &Reply, indent: &mut Vec<u8>) {
    match reply {
        Reply::Error(text) => line(out, b"(error) ", text),
        Reply::Status(text) | Reply::Verbatim(text) | Reply::BigNumber(text) => line(out, b"", text),
        Reply::Integer(value) => line(out, b"(integer) ", value.to_string().as_bytes()),
        Reply::Double(text) => line(out, b"(double) ", text),
        Reply::Bulk(text) => {
            words::quote(out, text);
            out.push(b'\n');
        }
        Reply::Nil => line(out, b"(nil)", b""),
        Reply::Boolean(value) => line(out, if *value { b"(true)" } else { b"(false)" }, b""),
        Reply::Array(elements) => list(out, elements, b"array", b')', indent),
        Reply::Set(elements) => list(out, elements, b"set", b'~', indent),
        Reply::Push(elements) => list(out, elements, b"push", b')', indent),
        Reply::Map(pairs) => map(out, pairs, indent),
    }
}

fn line(out: &mut Vec<u8>, kind: &[u8], text: &[u8]) {
    out.extend_from_slice(kind);
    out.extend_from_slice(text);
    out.push(b'\n');
}

fn empty(out: &mut Vec<u8>, kind: &[u8]) {
    out.extend_from_slice(b"(empty ");
    line(out, kind, b")");
}

fn list(out: &mut Vec<u8>, elements: &[Reply], kind: &[u8], mark: u8, indent: &mut Vec<u8>) {
    if elements.is_empty() {
        return empty(out, kind);
    }
    let width = digits(elements.len());
    for (index, element) in elements.iter().enumerate() {
        number(out, index, width, mark, indent);
        deeper(indent, width, |indent| write(out, element, indent));
    }
}

fn map(out: &mut Vec<u8>, pairs: &[(Reply, Reply)], indent: &mut Vec<u8>) {
    if pairs.is_empty() {
        return empty(out, b"hash");
    }
    let width = digits(pairs.len());
    for (index, (key, value)) in pairs.iter().enumerate() {
        number(out, index, width, b'#', indent);
        deeper(indent, width, |indent| {
            write(out, key, indent);
            // The value goes on in the key's last line.
            out.pop();
            out.extend_from_slice(b" => ");
            if has_lines(value) {
                out.push(b'\n');
                out.extend_from_slice(indent);
            }
            write(out, value, indent);
        });
    }
}

/// The first element's line is begun by what is around.
fn number(out: &mut Vec<u8>, index: usize, width: usize, mark: u8, indent: &[u8]) {
    if index > 0 {
        out.extend_from_slice(indent);
    }
    out.extend(format!("{:>width$}{} ", index + 1, char::from(mark)).bytes());
}

fn deeper(indent: &mut Vec<u8>, width: usize, inside: impl FnOnce(&mut Vec<u8>)) {
    let before = indent.len();
    indent.resize(before + width + 2, b' ');
    inside(indent);
    indent.truncate(before);
}

fn digits(count: usize) -> usize {
    count.to_string().len()
}

/// Whether it takes more than one line.
fn has_lines(reply: &Reply) -> bool {
    match reply {
        Reply::Array(elements) | Reply::Set(elements) | Reply::Push(elements) => match &elements[..] {
            [] => false,
            [one] => has_lines(one),
            _ => true,
        },
        Reply::Map(pairs) => match &pairs[..] {
            [] => false,
            [(_, value)] => has_lines(value),
            _ => true,
        },
        _ => false,
    }
}

/// A message that keys have changed which the server keeps track of for this client; none if it is another one.
pub fn invalidation(reply: &Reply) -> Option<Vec<u8>> {
    let Reply::Push(elements) = reply else { return None };
    let [Reply::Bulk(kind), Reply::Array(keys)] = &elements[..] else { return None };
    if !kind.starts_with(b"invalidate") {
        return None;
    }
    let mut out = b"-> invalidate: ".to_vec();
    for (index, key) in keys.iter().enumerate() {
        out.extend_from_slice(if index == 0 { b"'" } else { b", '" });
        out.extend_from_slice(key.bytes().unwrap_or_default());
        out.push(b'\'');
    }
    out.push(b'\n');
    Some(out)
}
