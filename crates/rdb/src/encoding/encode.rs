//! Which type a value is written as, and its bytes.

use super::collections;
use super::write_stream;
use super::writer::Writer;
use crate::code;
use store::types::Element;
use store::{Digits, StringRef, ValueRef};

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
    match value.into() {
        ValueRef::String(StringRef::Integer(value)) => writer.element(Element::Integer(value)),
        ValueRef::String(value) => writer.string(value.as_slice(&mut Digits::new())),
        ValueRef::List(list) => collections::list(list, writer),
        ValueRef::Set(set) => collections::set(set, writer),
        ValueRef::Hash(hash) => collections::hash(hash, writer),
        ValueRef::SortedSet(set) => collections::sorted_set(set, writer),
        ValueRef::Stream(stream) => write_stream::stream(stream, writer),
    }
}
