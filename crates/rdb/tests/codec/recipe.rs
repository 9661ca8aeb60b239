//! Random values, as what makes them; and what is in a value, to be compared.

use crate::stream_recipe::{self, StreamRecipe, entries, parts, streams};
use proptest::prelude::*;
use rdb::Limits;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Debug, Formatter};
use std::ops::Deref;
use store::types::hash::Hash;
use store::types::list::{End, List};
use store::types::set::Set;
use store::types::stream::Id;
use store::types::zset::{Entry, Score, SortedSet};
use store::{Digits, StringValue, Value};

/// Bytes that are shown as text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Text(pub Vec<u8>);

impl Debug for Text {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.escape_ascii())
    }
}

impl From<Vec<u8>> for Text {
    fn from(bytes: Vec<u8>) -> Text {
        Text(bytes)
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Text {
        Text(text.into())
    }
}

impl Deref for Text {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl AsRef<[u8]> for Text {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// What makes a value, here and in Redis.
#[derive(Clone, Debug)]
pub enum Recipe {
    String(Text),
    /// Each pushed to the tail, or else to the head.
    List(Vec<(Text, bool)>),
    Set(Vec<Text>),
    Hash(Vec<(Text, Text)>),
    SortedSet(Vec<(Text, f64)>),
    Stream(StreamRecipe),
}

/// What is in a value. Lists and sorted sets have an order, others do not.
#[derive(Clone, PartialEq, Debug)]
pub enum Content {
    String(Text),
    List(Vec<Text>),
    Set(BTreeSet<Text>),
    Hash(BTreeMap<Text, Text>),
    /// With scores as text, which tells the zeros apart.
    SortedSet(Vec<(Text, String)>),
    /// Entries, and what else there is, line by line.
    Stream(Vec<(Id, Vec<(Text, Text)>)>, Vec<String>),
}

impl Recipe {
    pub fn value(&self, limits: &Limits) -> Value {
        match self {
            Recipe::String(text) => StringValue::new(&text[..]).into(),
            Recipe::List(elements) => {
                let mut list = List::new();
                for (text, tail) in elements {
                    list.push(if *tail { End::Tail } else { End::Head }, text, limits.list);
                }
                list.into()
            }
            Recipe::Set(members) => {
                let mut set = Set::new();
                for member in members {
                    set.add(member, &limits.set);
                }
                set.into()
            }
            Recipe::Hash(fields) => {
                let mut hash = Hash::new();
                for (field, value) in fields {
                    hash.set(field, value, &limits.hash);
                }
                hash.into()
            }
            Recipe::SortedSet(members) => {
                let mut set = SortedSet::new();
                for (member, score) in members {
                    set.insert(member, Score::new(*score).unwrap(), &limits.zset);
                }
                set.into()
            }
            Recipe::Stream(recipe) => stream_recipe::stream(recipe).into(),
        }
    }

    /// The requests that make it.
    pub fn requests(&self, key: &[u8]) -> Vec<Vec<Text>> {
        let request = |name: &str, rest: &[&[u8]]| {
            let args = [name.as_bytes(), key].into_iter().chain(rest.iter().copied());
            args.map(|arg| arg.to_vec().into()).collect()
        };
        match self {
            Recipe::String(text) => vec![request("SET", &[text])],
            Recipe::List(elements) => {
                let push = |(text, tail): &(Text, bool)| request(if *tail { "RPUSH" } else { "LPUSH" }, &[text]);
                elements.iter().map(push).collect()
            }
            Recipe::Set(members) => members.iter().map(|member| request("SADD", &[member])).collect(),
            Recipe::Hash(fields) => fields.iter().map(|(field, value)| request("HSET", &[field, value])).collect(),
            Recipe::SortedSet(members) => {
                let add = |(member, score): &(Text, f64)| request("ZADD", &[score.to_string().as_bytes(), member]);
                members.iter().map(add).collect()
            }
            Recipe::Stream(recipe) => stream_recipe::requests(recipe, key),
        }
    }
}

/// What is in a value.
pub fn content(value: &Value) -> Content {
    match value {
        Value::String(text) => Content::String(text.as_slice(&mut Digits::new()).to_vec().into()),
        Value::List(list) => Content::List(list.iter().map(|element| element.to_vec().into()).collect()),
        Value::Set(set) => Content::Set(set.iter().map(|member| member.to_vec().into()).collect()),
        Value::Hash(hash) => {
            Content::Hash(hash.iter().map(|(field, value)| (field.to_vec().into(), value.to_vec().into())).collect())
        }
        Value::SortedSet(set) => {
            let entry = |entry: Entry<'_>| (entry.member.to_vec().into(), entry.score.get().to_string());
            Content::SortedSet(set.iter().map(entry).collect())
        }
        Value::Stream(stream) => Content::Stream(entries(stream), parts(stream)),
    }
}

/// Limits that random values meet.
pub fn small_limits() -> impl Strategy<Value = Limits> {
    (0i32..10, 0usize..10, 0usize..40).prop_map(|(nodes, entries, length)| {
        let mut limits = Limits::default();
        limits.list.listpack_size = nodes;
        limits.set.max_intset_entries = entries;
        limits.hash.max_packed_entries = entries;
        limits.hash.max_packed_value = length;
        limits.zset.entries = entries;
        limits.zset.value = length;
        limits
    })
}

fn integer() -> impl Strategy<Value = Text> + Clone {
    (any::<i64>(), 0u32..64).prop_map(|(value, shift)| (value >> shift).to_string()[..].into())
}

/// Texts that spell integers, that can be compressed, and that cannot.
fn text(longest: usize) -> impl Strategy<Value = Text> + Clone {
    let repeated = (prop::collection::vec(any::<u8>(), 1..8), 0..longest).prop_map(|(piece, length)| {
        let mut text = piece.repeat(length / piece.len() + 1);
        text.truncate(length);
        text.into()
    });
    prop_oneof![
        3 => integer(),
        2 => prop::collection::vec(b'a'..b'e', 0..40).prop_map(Text),
        2 => repeated,
        1 => prop::collection::vec(any::<u8>(), 0..longest).prop_map(Text),
    ]
}

fn score() -> impl Strategy<Value = f64> {
    prop_oneof![
        3 => (-20i32..20).prop_map(f64::from),
        1 => (-1e9..1e9f64).prop_map(|score| score / 8.0),
        1 => any::<i64>().prop_map(|score| score as f64),
        1 => any::<f64>().prop_filter("NaN is no score", |score| !score.is_nan()),
        1 => prop::sample::select(vec![f64::INFINITY, f64::NEG_INFINITY, 0.0, -0.0, 1e17, f64::MAX, 4.9e-324]),
    ]
}

/// Values whose elements are shorter than this. No collection is empty.
pub fn recipes(longest: usize) -> impl Strategy<Value = Recipe> {
    let some = 1usize..40;
    let many = 1usize..200;
    prop_oneof![
        text(20 * longest).prop_map(Recipe::String),
        prop::collection::vec((text(longest), any::<bool>()), some.clone()).prop_map(Recipe::List),
        prop::collection::vec(integer(), many.clone()).prop_map(Recipe::Set),
        prop::collection::vec(text(longest), some.clone()).prop_map(Recipe::Set),
        prop::collection::vec((text(longest.min(60)), text(longest.min(60))), many.clone()).prop_map(Recipe::Hash),
        prop::collection::vec((text(longest), text(longest)), some.clone()).prop_map(Recipe::Hash),
        prop::collection::vec((text(longest.min(60)), score()), many).prop_map(Recipe::SortedSet),
        prop::collection::vec((text(longest), score()), some).prop_map(Recipe::SortedSet),
        streams(text(longest)).prop_map(Recipe::Stream),
    ]
}
