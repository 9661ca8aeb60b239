//! Replies as JSON. Where redis-cli's output is none (errors, keys that are aggregates) this is the same.

use resp::{Reply, words};

/// `quoted`: in ASCII, with the escapes of the formatted output.
pub(super) fn write(out: &mut Vec<u8>, reply: &Reply, quoted: bool) {
    match reply {
        Reply::Error(text) => {
            out.extend_from_slice(b"error:");
            string(out, text, quoted);
        }
        Reply::Status(text) | Reply::Bulk(text) | Reply::Verbatim(text) => string(out, text, quoted),
        Reply::Integer(value) => out.extend_from_slice(value.to_string().as_bytes()),
        Reply::Double(text) | Reply::BigNumber(text) => out.extend_from_slice(text),
        Reply::Nil => out.extend_from_slice(b"null"),
        Reply::Boolean(value) => out.extend_from_slice(if *value { b"true" } else { b"false" }),
        Reply::Array(elements) | Reply::Set(elements) | Reply::Push(elements) => {
            out.push(b'[');
            for (index, element) in elements.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write(out, element, quoted);
            }
            out.push(b']');
        }
        Reply::Map(pairs) => {
            out.push(b'{');
            for (index, (key, value)) in pairs.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                self::key(out, key, quoted);
                out.push(b':');
                write(out, value, quoted);
            }
            out.push(b'}');
        }
    }
}

/// Keys are strings in JSON.
fn key(out: &mut Vec<u8>, key: &Reply, quoted: bool) {
    match key {
        Reply::Error(_) | Reply::Status(_) | Reply::Bulk(_) | Reply::Verbatim(_) => write(out, key, quoted),
        _ => {
            out.push(b'"');
            write(out, key, quoted);
            out.push(b'"');
        }
    }
}

const HEX: &[u8; 16] = b"0123456789abcdef";

fn string(out: &mut Vec<u8>, text: &[u8], quoted: bool) {
    if quoted {
        let mut word = Vec::new();
        words::quote(&mut word, text);
        for byte in word {
            out.extend_from_slice(if byte == b'\\' { b"\\\\" } else { std::slice::from_ref(&byte) });
        }
        return;
    }
    out.push(b'"');
    for &byte in text {
        match byte {
            b'\\' | b'"' => out.extend([b'\\', byte]),
            b'\n' => out.extend(b"\\n"),
            0x0c => out.extend(b"\\f"),
            b'\r' => out.extend(b"\\r"),
            b'\t' => out.extend(b"\\t"),
            0x08 => out.extend(b"\\b"),
            0..=0x1f => {
                out.extend_from_slice(&[b'\\', b'u', b'0', b'0', b'0' + (byte >> 4), HEX[usize::from(byte & 15)]])
            }
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}
