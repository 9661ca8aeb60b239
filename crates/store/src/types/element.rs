//! An element of a packed sequence, and how it is written.

use crate::number::{self, Digits};

/// One element.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Element<'a> {
    /// Bytes that spell no integer.
    Text(&'a [u8]),
    /// An integer.
    Integer(i64),
}

impl<'a> Element<'a> {
    /// What `text` is kept as.
    pub fn of(text: &'a [u8]) -> Element<'a> {
        number::parse(text).map_or(Element::Text(text), Element::Integer)
    }

    /// The bytes; `digits` is room for those of an integer.
    pub fn as_slice<'b>(&'b self, digits: &'b mut Digits) -> &'b [u8] {
        match self {
            Element::Text(text) => text,
            Element::Integer(value) => digits.of(*value),
        }
    }

    /// A copy of the bytes.
    pub fn to_vec(&self) -> Vec<u8> {
        self.as_slice(&mut Digits::new()).to_vec()
    }

    /// How many bytes it has as text.
    pub fn len(&self) -> usize {
        self.as_slice(&mut Digits::new()).len()
    }

    /// Whether it is the empty string.
    pub fn is_empty(&self) -> bool {
        matches!(self, Element::Text([]))
    }

    /// Whether it is kept as bytes although they spell an integer.
    pub(super) fn is_text_of_integer(&self) -> bool {
        matches!(self, Element::Text(text) if number::parse(text).is_some())
    }

    /// The integer that it is, if it is one.
    pub fn as_integer(&self) -> Option<i64> {
        match self {
            Element::Text(_) => None,
            Element::Integer(value) => Some(*value),
        }
    }
}

/// The longest encoding: of an integer of 64 bits, data included.
pub(super) const CODE_MAX: usize = 9;
/// The longest length that is read backwards.
pub(super) const BACK_MAX: usize = 5;

/// An element's encoding, with an integer's data, and a text's data.
pub(super) fn encode<'a, 'c>(element: Element<'a>, code: &'c mut [u8; CODE_MAX]) -> (&'c [u8], Option<&'a [u8]>) {
    let (length, text) = match element {
        Element::Integer(value @ 0..=127) => {
            code[0] = value as u8;
            (1, None)
        }
        Element::Integer(value @ -4096..=4095) => {
            let value = value as u16 & 0x1fff;
            code[..2].copy_from_slice(&(0xc000 | value).to_be_bytes());
            (2, None)
        }
        Element::Integer(value) => {
            let size = [2usize, 3, 4].into_iter().find(|size| (value << (64 - 8 * size)) >> (64 - 8 * size) == value);
            let size = size.unwrap_or(8);
            code[0] = 0xf1 + (size.min(5) - 2) as u8;
            code[1..=size].copy_from_slice(&value.to_le_bytes()[..size]);
            (1 + size, None)
        }
        Element::Text(text) => match text.len() {
            length @ 0..64 => {
                code[0] = 0x80 | length as u8;
                (1, Some(text))
            }
            length @ 64..4096 => {
                code[..2].copy_from_slice(&(0xe000 | length as u16).to_be_bytes());
                (2, Some(text))
            }
            length => {
                code[0] = 0xf0;
                code[1..5].copy_from_slice(&(length as u32).to_le_bytes());
                (5, Some(text))
            }
        },
    };
    (&code[..length], text)
}

/// The element at an offset, and the size of its encoding and data; none if it is not whole.
pub(super) fn decode(bytes: &[u8], at: usize) -> Option<(Element<'_>, usize)> {
    let rest = bytes.get(at..)?;
    let integer = |size: usize| {
        let data = rest.get(1..=size)?;
        let mut value = [if data[size - 1] & 0x80 != 0 { 0xff } else { 0 }; 8];
        value[..size].copy_from_slice(data);
        Some((Element::Integer(i64::from_le_bytes(value)), 1 + size))
    };
    let text = |code: usize, length: usize| {
        let end = code.checked_add(length)?;
        Some((Element::Text(rest.get(code..end)?), end))
    };
    match *rest.first()? {
        value @ 0..=0x7f => Some((Element::Integer(value.into()), 1)),
        code @ 0x80..=0xbf => text(1, usize::from(code & 0x3f)),
        code @ 0xc0..=0xdf => {
            let value = i16::from_be_bytes([code & 0x1f, *rest.get(1)?]);
            Some((Element::Integer(i64::from((value << 3) >> 3)), 2))
        }
        code @ 0xe0..=0xef => text(2, usize::from(code & 0x0f) << 8 | usize::from(*rest.get(1)?)),
        0xf0 => {
            let length = rest.get(1..5)?;
            text(5, u32::from_le_bytes([length[0], length[1], length[2], length[3]]) as usize)
        }
        0xf1 => integer(2),
        0xf2 => integer(3),
        0xf3 => integer(4),
        0xf4 => integer(8),
        0xf5..=0xff => None,
    }
}

/// How many bytes a size has that is written behind an element.
pub(super) fn back_len(size: usize) -> usize {
    // The borders are Redis's: one below what the bits would allow.
    match size {
        0..=127 => 1,
        128..16_383 => 2,
        16_383..2_097_151 => 3,
        2_097_151..268_435_455 => 4,
        _ => 5,
    }
}

/// A size, as it is written behind an element: seven bits a byte, the lowest last, and every byte except the first with
/// the highest bit.
pub(super) fn back_of(size: usize, room: &mut [u8; BACK_MAX]) -> &[u8] {
    let count = back_len(size);
    for (at, byte) in room[..count].iter_mut().enumerate() {
        let bits = (size >> (7 * (count - 1 - at)) & 0x7f) as u8;
        *byte = if at == 0 { bits } else { bits | 0x80 };
    }
    &room[..count]
}
