//! The zipmap, which small hashes had as their form before Redis 2.6.
//!
//! A byte with the number of fields, the fields with their values, and an end byte. A field is its length and its bytes;
//! a value its length, a byte for how many unused bytes follow it, its bytes and the unused ones. A length is one byte
//! or, with 254 in front, four.

use store::types::packed::{MAX_BYTES, Packed};

const END: u8 = 0xff;
/// The length is in the next four bytes.
const LARGE: u8 = 0xfe;
/// From here on the number of fields is not told.
const MANY: u8 = 0xfe;

/// Fields and values of a zipmap as a packed sequence; otherwise the offset of what is wrong.
pub fn to_packed(bytes: &[u8]) -> Result<Packed, usize> {
    let told = *bytes.first().ok_or(0usize)?;
    let mut packed = Packed::new();
    let (mut at, mut count) = (1, 0usize);
    while *bytes.get(at).ok_or(at)? != END {
        let (field, value) = text(bytes, at, false).ok_or(at)?;
        let (value, after) = text(bytes, value, true).ok_or(value)?;
        if packed.size() + Packed::cost(field) + Packed::cost(value) > MAX_BYTES {
            return Err(at);
        }
        packed.insert_all(None, &[field, value]);
        count += 1;
        at = after;
    }
    if at + 1 != bytes.len() {
        return Err(at + 1);
    }
    if told < MANY && usize::from(told) != count {
        return Err(0);
    }
    Ok(packed)
}

/// A field or a value, and the offset behind it.
fn text(bytes: &[u8], at: usize, is_value: bool) -> Option<(&[u8], usize)> {
    let (length, mut start) = match *bytes.get(at)? {
        END => return None,
        LARGE => {
            let length = bytes.get(at + 1..at + 5)?;
            (u32::from_le_bytes([length[0], length[1], length[2], length[3]]) as usize, at + 5)
        }
        length => (length.into(), at + 1),
    };
    let mut unused = 0;
    if is_value {
        unused = usize::from(*bytes.get(start)?);
        start += 1;
    }
    let end = start + length;
    Some((bytes.get(start..end)?, end + unused))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(packed: &Packed) -> Vec<Vec<u8>> {
        packed.iter().map(|element| element.to_vec()).collect()
    }

    #[test]
    fn fields_and_values() {
        assert_eq!(
            texts(&to_packed(b"\x02\x01a\x02\x00bc\x01d\x01\x021..\xff").unwrap()),
            [&b"a"[..], b"bc", b"d", b"1",]
        );
        let long = [&b"\xfe\xfe\x2c\x01\0\0"[..], &[b'f'; 300], b"\xfe\x01\0\0\0\0v\xff"].concat();
        assert_eq!(texts(&to_packed(&long).unwrap()), [&[b'f'; 300][..], b"v"]);
        assert!(to_packed(b"\0\xff").unwrap().is_empty());
    }

    #[test]
    fn malformed_ones_are_refused() {
        for (bytes, at) in [
            (&b""[..], 0),
            (b"\x00", 1),
            (b"\x01\x01a\x01\x00b", 6),     // no end
            (b"\x02\x01a\x01\x00b\xff", 0), // another count
            (b"\x01\x01a\x01\x00b\xff\xff", 7),
            (b"\x01\x01a\xff", 3),           // no value
            (b"\x01\x09a\x01\x00b\xff", 1),  // a field beyond the end
            (b"\x01\x01a\x09\x00b\xff", 3),  // a value
            (b"\x01\x01a\x01\x09b\xff", 15), // what is unused
            (b"\x01\xfe\xff\xff", 1),
        ] {
            assert_eq!(to_packed(bytes), Err(at), "{bytes:?}");
        }
    }
}
