//! A number that tells whether data are equal: the one that Redis computes, so that servers can be compared.
//!
//! What has an order (a list, the parts of a pair) is chained: each step hashes all that came before. What has none
//! (members, keys) is hashed alone and combined by exclusive or.

use sha1::{Digest as _, Sha1};
use store::types::stream::Id;
use store::types::zset::ScoreText;
use store::{Digits, Keyspace, ValueRef};

const SIZE: usize = 20;

#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Digest([u8; SIZE]);

impl Digest {
    /// Combines with something that has no place among others.
    fn combine(&mut self, bytes: &[u8]) {
        let hash = Sha1::digest(bytes);
        self.0.iter_mut().zip(hash).for_each(|(own, other)| *own ^= other);
    }

    /// Chains with what comes next.
    fn chain(&mut self, bytes: &[u8]) {
        self.combine(bytes);
        self.0 = Sha1::digest(self.0).into();
    }

    /// Of a value with its time to live; of nothing, zeros.
    pub fn of_value(value: Option<(ValueRef<'_>, bool)>) -> Digest {
        let mut digest = Digest::default();
        if let Some((value, expires)) = value {
            digest.add_value(value, expires);
        }
        digest
    }

    fn add_value(&mut self, value: ValueRef<'_>, expires: bool) {
        let code = match value {
            ValueRef::String(_) => 0u32,
            ValueRef::List(_) => 1,
            ValueRef::Set(_) => 2,
            ValueRef::SortedSet(_) => 3,
            ValueRef::Hash(_) => 4,
            ValueRef::Stream(_) => 6,
        };
        self.chain(&code.to_be_bytes());
        let (mut one, mut other) = (Digits::new(), Digits::new());
        match value {
            ValueRef::String(value) => self.chain(value.as_slice(&mut one)),
            ValueRef::List(value) => value.iter().for_each(|element| self.chain(element.as_slice(&mut one))),
            ValueRef::Set(value) => value.iter().for_each(|member| self.combine(member.as_slice(&mut one))),
            ValueRef::SortedSet(value) => value.iter().for_each(|entry| {
                self.combine_pair(entry.member.as_slice(&mut one), ScoreText::new().of(entry.score));
            }),
            ValueRef::Hash(value) => value.iter().for_each(|(field, value)| {
                self.combine_pair(field.as_slice(&mut one), value.as_slice(&mut other));
            }),
            ValueRef::Stream(value) => {
                for entry in value.log().range(Id::MIN, Id::MAX) {
                    self.chain(format!("{}.{}", entry.id().ms, entry.id().seq).as_bytes());
                    for (field, value) in entry.fields() {
                        self.chain(field.as_slice(&mut one));
                        self.chain(value.as_slice(&mut other));
                    }
                }
            }
        }
        if expires {
            self.combine(b"!!expire!!");
        }
    }

    fn combine_pair(&mut self, first: &[u8], second: &[u8]) {
        let mut pair = Digest::default();
        pair.chain(first);
        pair.chain(second);
        self.combine(&pair.0);
    }

    /// Of all databases, in order.
    pub fn of_databases<'a>(databases: impl Iterator<Item = &'a Keyspace>) -> Digest {
        let mut all = Digest::default();
        for (number, keyspace) in databases.enumerate().filter(|(_, keyspace)| !keyspace.is_empty()) {
            all.chain(&(number as u32).to_be_bytes());
            for (key, deadline) in keyspace.iter() {
                let Some(value) = keyspace.find(key).and_then(|id| keyspace.value(id)) else { continue };
                let mut entry = Digest::default();
                entry.chain(key);
                entry.add_value(value, deadline.is_some());
                all.combine(&entry.0);
            }
        }
        all
    }

    pub fn to_hex(self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
