//! Which type a value is written as, and its bytes.

use super::collections;
use super::write_stream;
use super::writer::Writer;
use crate::code;
use store::types::Element;
use store::{Digits, StringValue, Value};

/// The number of the type that a value is written as. It is not among the value's own bytes.
pub fn type_of(value: &Value) -> u8 {
    match value {
        Value::String(_) => code::STRING,
        Value::List(_) => code::LIST_QUICKLIST_2,
        Value::Set(set) if set.as_integers().is_some() => code::SET_INTSET,
        Value::Set(_) => code::SET,
        Value::Hash(hash) if hash.as_packed().is_some() => code::HASH_LISTPACK,
        Value::Hash(_) => code::HASH,
        Value::SortedSet(set) if set.as_packed().is_some() => code::ZSET_LISTPACK,
        Value::SortedSet(_) => code::ZSET_2,
        Value::Stream(_) => code::STREAM_LISTPACKS_2,
    }
}

/// Writes a value, as the type that [`type_of`] tells.
pub fn encode(value: &Value, writer: &mut Writer<'_>) {
    match value {
        Value::String(StringValue::Integer(value)) => writer.element(Element::Integer(*value)),
        Value::String(value) => writer.string(value.as_slice(&mut Digits::new())),
        Value::List(list) => collections::list(list, writer),
        Value::Set(set) => collections::set(set, writer),
        Value::Hash(hash) => collections::hash(hash, writer),
        Value::SortedSet(set) => collections::sorted_set(set, writer),
        Value::Stream(stream) => write_stream::stream(stream, writer),
    }
}
