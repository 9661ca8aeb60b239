//! The ziplist, which packed sequences had as their form up to Redis 6.2.
//!
//! Ten bytes of header (the block's length, the offset of its last element, and the number of elements, little-endian,
//! of 32, 32 and 16 bits), the elements, and an end byte. In front of an element is the size of the one before it, in
//! one byte or, with 254 in front, in four.

use store::Digits;
use store::types::packed::{MAX_BYTES, Packed};

const HEADER: usize = 10;
const END: u8 = 0xff;
/// The size of the element before is in the next four bytes.
const LARGE: u8 = 0xfe;
/// In place of a count that does not fit.
const MANY: u16 = u16::MAX;

/// The elements of a ziplist as a packed sequence; otherwise the offset of what is wrong.
pub fn to_packed(bytes: &[u8]) -> Result<Packed, usize> {
    let number = |at: usize| bytes.get(at..at + 4).map(|it| u32::from_le_bytes([it[0], it[1], it[2], it[3]]) as usize);
    if bytes.len() <= HEADER || number(0) != Some(bytes.len()) {
        return Err(0);
    }
    let told = u16::from_le_bytes([bytes[8], bytes[9]]);
    let mut packed = Packed::new();
    let (mut at, mut last, mut count) = (HEADER, HEADER, 0usize);
    let mut digits = Digits::new();
    while bytes[at] != END {
        let (before, size) = match bytes[at] {
            LARGE => (number(at + 1).ok_or(at)?, 5),
            small => (usize::from(small), 1),
        };
        if before != at - last {
            return Err(at);
        }
        let (element, length) = element(bytes, at + size, &mut digits).ok_or(at)?;
        if packed.size() + Packed::cost(element) > MAX_BYTES {
            return Err(at);
        }
        packed.push(element);
        count += 1;
        last = at;
        at += size + length;
        if at >= bytes.len() {
            return Err(last);
        }
    }
    if at + 1 != bytes.len() {
        return Err(at);
    }
    if number(4) != Some(last) {
        return Err(4);
    }
    if told != MANY && usize::from(told) != count {
        return Err(8);
    }
    Ok(packed)
}

/// The element at an offset, and the size of its encoding and data.
fn element<'a>(bytes: &'a [u8], at: usize, digits: &'a mut Digits) -> Option<(&'a [u8], usize)> {
    let rest = bytes.get(at..)?;
    let text = |code: usize, length: usize| Some((rest.get(code..code.checked_add(length)?)?, code + length));
    let integer = |size: usize| {
        let data = rest.get(1..=size)?;
        let mut value = [if data[size - 1] & 0x80 != 0 { 0xff } else { 0 }; 8];
        value[..size].copy_from_slice(data);
        Some((i64::from_le_bytes(value), 1 + size))
    };
    let (value, size) = match *rest.first()? {
        code @ 0x00..=0x3f => return text(1, code.into()),
        code @ 0x40..=0x7f => return text(2, usize::from(code & 0x3f) << 8 | usize::from(*rest.get(1)?)),
        0x80..=0xbf => {
            let length = rest.get(1..5)?;
            return text(5, u32::from_be_bytes([length[0], length[1], length[2], length[3]]) as usize);
        }
        0xc0 => integer(2)?,
        0xd0 => integer(4)?,
        0xe0 => integer(8)?,
        0xf0 => integer(3)?,
        0xfe => integer(1)?,
        code @ 0xf1..=0xfd => (i64::from(code) - 0xf1, 1),
        _ => return None,
    };
    Some((digits.of(value), size))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ziplist(elements: &[&[u8]]) -> Vec<u8> {
        let mut bytes = vec![0; HEADER];
        let (mut last, mut size) = (HEADER, 0);
        for element in elements {
            last = bytes.len();
            match size {
                0..254 => bytes.push(size as u8),
                _ => {
                    bytes.push(LARGE);
                    bytes.extend((size as u32).to_le_bytes());
                }
            }
            bytes.extend_from_slice(element);
            size = bytes.len() - last;
        }
        bytes.push(END);
        let length = bytes.len() as u32;
        bytes[..4].copy_from_slice(&length.to_le_bytes());
        bytes[4..8].copy_from_slice(&(last as u32).to_le_bytes());
        bytes[8..10].copy_from_slice(&(elements.len() as u16).to_le_bytes());
        bytes
    }

    fn texts(packed: &Packed) -> Vec<Vec<u8>> {
        packed.iter().map(|element| element.to_vec()).collect()
    }

    #[test]
    fn elements_of_all_encodings() {
        let short = [&[0x3f][..], &[b's'; 63]].concat();
        let medium = [&[0x7f, 0xff][..], &[b'm'; 0x3fff]].concat();
        let long = [&[0x80, 0, 0, 0x40, 0][..], &[b'l'; 0x4000]].concat();
        let bytes = ziplist(&[
            b"\x02ab",
            b"\x00",
            &short,
            &medium,
            &long,
            b"\xc0\x00\x80",
            b"\xd0\x00\x00\x00\x80",
            b"\xe0\xff\xff\xff\xff\xff\xff\xff\x7f",
            b"\xf0\x00\x00\x80",
            b"\xfe\x80",
            b"\xf1",
            b"\xfd",
            b"\x0212",
        ]);
        let packed = to_packed(&bytes).unwrap();
        let (short, medium) = ("s".repeat(63), "m".repeat(0x3fff));
        let long = "l".repeat(0x4000);
        let expected = [
            "ab",
            "",
            &short,
            &medium,
            &long,
            "-32768",
            "-2147483648",
            "9223372036854775807",
            "-8388608",
            "-128",
            "0",
            "12",
            "12",
        ];
        assert_eq!(texts(&packed), expected.map(|text| text.as_bytes().to_vec()));
        assert!(to_packed(&ziplist(&[])).unwrap().is_empty());
    }

    #[test]
    fn sizes_of_more_than_two_bytes() {
        let long = [&[0x80, 0, 1, 0x11, 0x70][..], &[b'l'; 70_000]].concat();
        let bytes = ziplist(&[&long, &long, b"\x01a"]);
        assert_eq!(texts(&to_packed(&bytes).unwrap()), [&[b'l'; 70_000][..], &[b'l'; 70_000], b"a"]);
    }

    #[test]
    fn any_size_of_the_element_before_may_be_in_four_bytes() {
        let mut bytes = ziplist(&[b"\x01a"]);
        bytes.splice(HEADER..=HEADER, [LARGE, 0, 0, 0, 0]);
        bytes[0] += 4;
        assert_eq!(texts(&to_packed(&bytes).unwrap()), [b"a"]);
    }

    #[test]
    fn malformed_ones_are_refused() {
        let good = ziplist(&[b"\x02ab", b"\xf1", b"\x01c"]);
        assert!(to_packed(&good).is_ok());
        for (at, byte, fault) in [
            (0, 0, 0),      // the length
            (4, 11, 4),     // where the last element is
            (8, 2, 8),      // the count
            (10, 1, 10),    // no element is before the first
            (14, 5, 14),    // the size of the one before
            (11, 0x40, 10), // a text that is longer than all
            (11, 0x3f, 10),
            (15, 0xff, 14), // no encoding
            (17, 0x02, 16), // a text that the end is in
            (19, 0x01, 19), // the end
        ] {
            let mut bytes = good.clone();
            bytes[at] = byte;
            assert_eq!(to_packed(&bytes), Err(fault), "{at}");
        }
        for len in 0..good.len() {
            assert_eq!(to_packed(&good[..len]), Err(0));
        }
        let mut long = good.clone();
        long.push(END);
        long[0] += 1;
        assert_eq!(to_packed(&long), Err(good.len() - 1));
        assert_eq!(to_packed(&[9, 0, 0, 0, 10, 0, 0, 0, 0]), Err(0));
    }

    #[test]
    fn the_count_may_be_untold() {
        let mut bytes = ziplist(&[b"\x01a"]);
        bytes[8..10].copy_from_slice(&MANY.to_le_bytes());
        assert_eq!(to_packed(&bytes).unwrap().len(), 1);
    }

    proptest! {
        #[test]
        fn no_byte_is_too_bad(changes in prop::collection::vec((0usize..30, any::<u8>()), 1..4)) {
            let mut bytes = ziplist(&[b"\x02ab", b"\xf1", b"\xc0\x01\x01", b"\x0a0123456789"]);
            let length = bytes.len();
            changes.into_iter().for_each(|(at, byte)| bytes[at % length] = byte);
            if let Ok(packed) = to_packed(&bytes) {
                prop_assert!(Packed::from_bytes(packed.as_bytes().to_vec()).is_ok());
            }
        }
    }
}
