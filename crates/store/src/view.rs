//! A value as it is read, wherever it is kept.

use crate::number::{self, Digits};
use crate::types::{hash::Hash, list::List, set::Set, stream::Stream, zset::SortedSet};
use std::sync::Arc;

/// The value of a key, to be read.
#[derive(Clone, Copy)]
pub enum ValueRef<'a> {
    /// A string.
    String(StringRef<'a>),
    /// A list.
    List(&'a List),
    /// A set.
    Set(&'a Set),
    /// A hash.
    Hash(&'a Hash),
    /// A sorted set.
    SortedSet(&'a SortedSet),
    /// A stream.
    Stream(&'a Stream),
}

/// A string, to be read.
#[derive(Clone, Copy, Debug)]
pub enum StringRef<'a> {
    /// The result of arithmetic.
    Integer(i64),
    /// As it was set.
    Fixed(&'a [u8]),
    /// As it was set, and long enough that a reply refers to it.
    Shared(&'a Arc<Vec<u8>>),
    /// Grown by APPEND or SETRANGE.
    Growing(&'a [u8]),
}

impl<'a> ValueRef<'a> {
    /// The string, if it is one.
    pub fn as_string(self) -> Option<StringRef<'a>> {
        match self {
            ValueRef::String(value) => Some(value),
            _ => None,
        }
    }

    /// The name that TYPE replies.
    pub fn type_name(self) -> &'static str {
        match self {
            ValueRef::String(_) => "string",
            ValueRef::List(_) => "list",
            ValueRef::Set(_) => "set",
            ValueRef::Hash(_) => "hash",
            ValueRef::SortedSet(_) => "zset",
            ValueRef::Stream(_) => "stream",
        }
    }

    /// The name that OBJECT ENCODING replies.
    pub fn encoding(self) -> &'static str {
        match self {
            ValueRef::String(value) => value.encoding(),
            ValueRef::List(value) => value.encoding(),
            ValueRef::Set(value) => value.encoding(),
            ValueRef::Hash(value) => value.encoding(),
            ValueRef::SortedSet(value) => value.encoding(),
            ValueRef::Stream(value) => value.encoding(),
        }
    }

    /// Whether it is a collection with nothing in it, which no key may hold. A stream is none: it outlives its entries.
    pub fn is_empty_collection(self) -> bool {
        match self {
            ValueRef::String(_) | ValueRef::Stream(_) => false,
            ValueRef::List(value) => value.is_empty(),
            ValueRef::Set(value) => value.is_empty(),
            ValueRef::Hash(value) => value.is_empty(),
            ValueRef::SortedSet(value) => value.is_empty(),
        }
    }

    /// How many elements it has; a string is one.
    pub fn elements(self) -> usize {
        match self {
            ValueRef::String(_) => 1,
            ValueRef::List(value) => value.len(),
            ValueRef::Set(value) => value.len(),
            ValueRef::Hash(value) => value.len(),
            ValueRef::SortedSet(value) => value.len(),
            ValueRef::Stream(value) => value.log().len() as usize,
        }
    }
}

impl<'a> StringRef<'a> {
    /// The bytes; `digits` is room for those of an integer.
    pub fn as_slice<'b>(self, digits: &'b mut Digits) -> &'b [u8]
    where
        'a: 'b,
    {
        match self {
            StringRef::Integer(value) => digits.of(value),
            StringRef::Fixed(bytes) | StringRef::Growing(bytes) => bytes,
            StringRef::Shared(bytes) => bytes,
        }
    }

    /// The number that the string spells, if it does.
    pub fn as_integer(self) -> Option<i64> {
        match self {
            StringRef::Integer(value) => Some(value),
            StringRef::Fixed(bytes) | StringRef::Growing(bytes) => number::parse(bytes),
            StringRef::Shared(bytes) => number::parse(bytes),
        }
    }

    /// Whether there is nothing.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// How many bytes there are.
    pub fn len(self) -> usize {
        self.as_slice(&mut Digits::new()).len()
    }

    /// The name that OBJECT ENCODING gives to such a string in Redis.
    pub fn encoding(self) -> &'static str {
        const EMBEDDED_MAX: usize = 44;
        match self {
            StringRef::Growing(_) | StringRef::Shared(_) => "raw",
            _ if self.as_integer().is_some() => "int",
            StringRef::Fixed(bytes) if bytes.len() > EMBEDDED_MAX => "raw",
            _ => "embstr",
        }
    }
}
