//! Replies as they are, for programs.

use resp::Reply;

/// A reply without an end behind it.
pub fn raw(reply: &Reply, element_end: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    write(&mut out, reply, element_end);
    out
}

pub(super) fn write(out: &mut Vec<u8>, reply: &Reply, element_end: &[u8]) {
    match reply {
        Reply::Nil => {}
        Reply::Error(text) => {
            out.extend_from_slice(text);
            out.push(b'\n');
        }
        Reply::Integer(value) => out.extend_from_slice(value.to_string().as_bytes()),
        Reply::Boolean(value) => out.extend_from_slice(if *value { b"(true)" } else { b"(false)" }),
        Reply::Status(text)
        | Reply::Bulk(text)
        | Reply::Double(text)
        | Reply::BigNumber(text)
        | Reply::Verbatim(text) => out.extend_from_slice(text),
        Reply::Array(elements) | Reply::Set(elements) | Reply::Push(elements) => {
            for (index, element) in elements.iter().enumerate() {
                if index > 0 {
                    out.extend_from_slice(element_end);
                }
                write(out, element, element_end);
            }
        }
        Reply::Map(pairs) => {
            for (index, (key, value)) in pairs.iter().enumerate() {
                if index > 0 {
                    out.extend_from_slice(element_end);
                }
                write(out, key, element_end);
                out.push(b' ');
                write(out, value, element_end);
            }
        }
    }
}
