//! Which type a value is written as, and its bytes: at once, or in portions.

use super::budget::Budget;
use super::collections;
use super::write_stream::{self, StreamPlace};
use super::writer::Writer;
use crate::code;
use store::types::Element;
use store::{Digits, StringRef, ValueRef};

/// A longer string is written as it is, in portions, if it may be: to compress it, or to copy it at once, takes too long.
const LONG: usize = 1024 * 1024;

/// Where the rest of a value begins: valid as long as the value does not change.
#[derive(Clone, Copy, Debug)]
pub struct Place(At);

#[derive(Clone, Copy, Debug)]
enum At {
    /// A byte of a string.
    Byte(usize),
    /// An element of a collection, or a node.
    Element(u32),
    Stream(StreamPlace),
}

/// The number of the type that a value is written as. It is not among the value's own bytes.
pub fn type_of<'a>(value: impl Into<ValueRef<'a>>) -> u8 {
    match value.into() {
        ValueRef::String(_) => code::STRING,
        ValueRef::List(_) => code::LIST_QUICKLIST_2,
        ValueRef::Set(set) if set.as_integers().is_some() => code::SET_INTSET,
        ValueRef::Set(_) => code::SET,
        ValueRef::Hash(hash) if hash.as_packed().is_some() => code::HASH_LISTPACK,
        ValueRef::Hash(_) => code::HASH,
        ValueRef::SortedSet(set) if set.as_packed().is_some() => code::ZSET_LISTPACK,
        ValueRef::SortedSet(_) => code::ZSET_2,
        ValueRef::Stream(_) => code::STREAM_LISTPACKS_2,
    }
}

/// Writes a value, as the type that [`type_of`] tells.
pub fn encode<'a>(value: impl Into<ValueRef<'a>>, writer: &mut Writer<'_>) {
    encode_portion(value, None, usize::MAX, writer);
}

/// Writes a part of a value: from its beginning (None) or the place where the last part ended, about so many bytes. Returns
/// the place of the rest; None if there is nothing left. Without a limit everything is written as one part would be.
pub fn encode_portion<'a>(
    value: impl Into<ValueRef<'a>>,
    from: Option<Place>,
    bytes: usize,
    writer: &mut Writer<'_>,
) -> Option<Place> {
    let budget = &mut Budget::new(bytes);
    let element = match from {
        Some(Place(At::Element(first))) => first,
        _ => 0,
    };
    let rest = match value.into() {
        ValueRef::String(StringRef::Integer(value)) => {
            writer.element(Element::Integer(value));
            None
        }
        ValueRef::String(value) => return string(value.as_slice(&mut Digits::new()), from, bytes, writer),
        ValueRef::List(list) => collections::list(list, element, budget, writer),
        ValueRef::Set(set) => collections::set(set, element, budget, writer),
        ValueRef::Hash(hash) => collections::hash(hash, element, budget, writer),
        ValueRef::SortedSet(set) => collections::sorted_set(set, element, budget, writer),
        ValueRef::Stream(stream) => {
            let place = match from {
                Some(Place(At::Stream(place))) => Some(place),
                _ => None,
            };
            return write_stream::stream(stream, place, budget, writer).map(|place| Place(At::Stream(place)));
        }
    };
    rest.map(|first| Place(At::Element(first)))
}

fn string(text: &[u8], from: Option<Place>, bytes: usize, writer: &mut Writer<'_>) -> Option<Place> {
    let first = match from {
        Some(Place(At::Byte(first))) => first,
        _ if text.len() <= LONG || bytes == usize::MAX => {
            writer.string(text);
            return None;
        }
        _ => {
            writer.length(text.len() as u64);
            0
        }
    };
    let end = text.len().min(first.saturating_add(bytes.max(1)));
    writer.raw(&text[first..end]);
    (end < text.len()).then_some(Place(At::Byte(end)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Compression;
    use crate::decoding::{Limits, Reader, decode};
    use store::{StringValue, Value};

    #[test]
    fn a_long_string_comes_in_portions_and_is_the_same() {
        let text: Vec<u8> = (0..LONG + 5).map(|at| (at / 7) as u8).collect();
        let value = Value::from(StringValue::new(&text[..]));
        let (mut bytes, mut place, mut portions) = (Vec::new(), None, 0);
        loop {
            let before = bytes.len();
            place = encode_portion(&value, place, 10_000, &mut Writer::new(&mut bytes, Compression::Lzf));
            assert!(bytes.len() - before <= 10_000 + 9);
            portions += 1;
            if place.is_none() {
                break;
            }
        }
        assert_eq!(portions, (LONG + 5).div_ceil(10_000));
        let back = decode(code::STRING, &mut Reader::new(&bytes[..]), &Limits::default()).unwrap();
        let ValueRef::String(back) = back.view() else { panic!("not a string") };
        assert!(back.as_slice(&mut Digits::new()) == text);
        let mut whole = Vec::new();
        encode(&value, &mut Writer::new(&mut whole, Compression::Lzf));
        assert!(whole.len() < bytes.len(), "at once it is compressed");
    }
}
