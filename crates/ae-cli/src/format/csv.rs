//! Replies as one line of values with commas between them.

use resp::{Reply, words};

pub(super) fn write(out: &mut Vec<u8>, reply: &Reply) {
    match reply {
        Reply::Error(text) => {
            out.extend_from_slice(b"ERROR,");
            words::quote(out, text);
        }
        Reply::Status(text) | Reply::Bulk(text) | Reply::Verbatim(text) => words::quote(out, text),
        Reply::Integer(value) => out.extend_from_slice(value.to_string().as_bytes()),
        Reply::Double(text) | Reply::BigNumber(text) => out.extend_from_slice(text),
        Reply::Nil => out.extend_from_slice(b"NULL"),
        Reply::Boolean(value) => out.extend_from_slice(if *value { b"true" } else { b"false" }),
        Reply::Array(elements) | Reply::Set(elements) | Reply::Push(elements) => list(out, elements.iter()),
        // There are no maps here: one value after the other.
        Reply::Map(pairs) => list(out, pairs.iter().flat_map(|(key, value)| [key, value])),
    }
}

fn list<'a>(out: &mut Vec<u8>, elements: impl Iterator<Item = &'a Reply>) {
    for (index, element) in elements.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(out, element);
    }
}
