//! One database: keys, their values and their deadlines.
//!
//! An entry is a few bytes, its key and its value in a slot of [`Entries`]; the [`Index`] finds it by its key. What is long,
//! and what is a collection, is elsewhere, and the entry has its number.

use crate::bytes::{Bytes, Content};
use crate::deadlines::Deadlines;
use crate::entries::Entries;
use crate::entry::{self, Entry, Key, Stored};
use crate::index::Index;
use crate::slab::Slab;
use crate::snapshot::Snapshot;
use crate::value::{StringValue, Value};
use crate::view::{StringRef, ValueRef};
use ahash::RandomState;
use std::hash::{BuildHasher, Hasher};

/// An entry's id, good until the entry is removed, or gets another value or deadline: then it may have another one.
pub type EntryId = u32;

/// Where a value is that is not in its entry: good until the entry is removed, or gets another value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ValueId(u32);

/// What there is under a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Found {
    /// An entry that has not expired.
    Live(EntryId),
    /// An entry whose time has come, to be removed.
    Expired(EntryId),
    /// Nothing.
    Missing,
}

/// Where a key is, or where it would be: for a change that follows, so that the key is looked for once.
#[derive(Clone, Copy)]
pub struct Place {
    hash: u64,
    /// Its entry, expired or not.
    id: Option<EntryId>,
    /// When the entry expires; of no meaning without one.
    deadline: Option<i64>,
}

impl Place {
    /// Whether there is an entry, expired or not.
    pub fn is_taken(self) -> bool {
        self.id.is_some()
    }

    /// The place after the entry was removed.
    pub fn vacant(self) -> Place {
        Place { id: None, deadline: None, ..self }
    }
}

/// One database: its keys, their values and deadlines.
pub struct Keyspace {
    pub(crate) entries: Entries,
    pub(crate) index: Index,
    /// Values that are not in their entries.
    values: Slab<Value>,
    /// Keys that are not in their entries.
    pub(crate) keys: Slab<Box<[u8]>>,
    pub(crate) deadlines: Deadlines,
    /// The snapshot under way, which goes where the entries go.
    pub(crate) snapshot: Option<Snapshot>,
    /// Seeded at random: clients choose the keys and must not be able to choose collisions.
    hasher: RandomState,
}

impl Default for Keyspace {
    fn default() -> Self {
        Self::new()
    }
}

impl Keyspace {
    /// An empty one.
    pub fn new() -> Keyspace {
        Keyspace {
            entries: Entries::new(),
            index: Index::new(),
            values: Slab::new(),
            keys: Slab::new(),
            deadlines: Deadlines::new(),
            snapshot: None,
            hasher: RandomState::new(),
        }
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many bytes of memory the entries and the table of keys have, without what keys and values have outside their
    /// entries, and how many the deadlines have.
    pub fn allocated(&self) -> (usize, usize) {
        let outside = self.values.allocated() + self.keys.allocated();
        (self.entries.allocated() + self.index.allocated() + outside, self.deadlines.allocated())
    }

    /// How many bytes of what is allocated are free for new entries.
    pub fn free_bytes(&self) -> usize {
        self.entries.free_bytes()
    }

    /// How many bytes of memory an entry has, with its key and its value, as well as is known.
    pub fn entry_memory(&self, id: EntryId) -> usize {
        let Some(slot) = self.entries.get(id) else { return 0 };
        let key = match Entry(slot).key() {
            Key::Here(_) => 0,
            Key::Elsewhere(_) => size_of::<Box<[u8]>>() + self.key(id).len(),
        };
        let value = self.stored(id).map_or(0, |value| size_of::<Value>() + value.allocated());
        slot.len() + Index::ENTRY_MEMORY + key + value
    }

    /// How many keys there are, with those that have expired but have not been removed yet.
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// How many keys have a deadline.
    pub fn volatile_len(&self) -> usize {
        self.deadlines.len()
    }

    /// So many keys will be added to an empty keyspace, as far as is known. It takes no memory for values.
    pub fn reserve(&mut self, keys: usize) {
        self.index.reserve(keys);
    }

    fn hash(&self, key: &[u8]) -> u64 {
        hash(&self.hasher, key)
    }

    pub(crate) fn entry(&self, id: EntryId) -> Option<Entry<'_>> {
        self.entries.get(id).map(Entry)
    }

    /// The entry of `key`, expired or not.
    pub fn find(&self, key: &[u8]) -> Option<EntryId> {
        self.place(key).id
    }

    /// The place of `key`, good until an entry is added or removed, or gets another value or deadline.
    pub fn place(&self, key: &[u8]) -> Place {
        let (hash, mut deadline) = (self.hash(key), None);
        let id = self.index.find(hash, |id| {
            self.entry(id).is_some_and(|entry| {
                deadline = entry.deadline();
                key_of(&self.keys, entry) == key
            })
        });
        Place { hash, id, deadline }
    }

    /// What there is under `key`.
    pub fn lookup(&self, key: &[u8], now: i64) -> Found {
        self.lookup_at(self.place(key), now)
    }

    /// What there is at a place.
    pub fn lookup_at(&self, place: Place, now: i64) -> Found {
        let Some(id) = place.id else { return Found::Missing };
        if place.deadline.is_some_and(|at| has_expired(at, now)) { Found::Expired(id) } else { Found::Live(id) }
    }

    /// An entry's key; empty when there is no such entry.
    pub fn key(&self, id: EntryId) -> &[u8] {
        self.entry(id).map_or(&[], |entry| key_of(&self.keys, entry))
    }

    /// An entry's value.
    pub fn value(&self, id: EntryId) -> Option<ValueRef<'_>> {
        self.value_of(self.entry(id)?)
    }

    pub(crate) fn value_of<'a>(&'a self, entry: Entry<'a>) -> Option<ValueRef<'a>> {
        Some(match entry.value() {
            Stored::Text(text) => ValueRef::String(StringRef::Fixed(text)),
            Stored::Integer(integer) => ValueRef::String(StringRef::Integer(integer)),
            Stored::Elsewhere(number) => self.values.get(number)?.view(),
        })
    }

    /// Where an entry's value is, if it is not in the entry: any except a short string.
    pub fn value_id(&self, id: EntryId) -> Option<ValueId> {
        match self.entry(id)?.value() {
            Stored::Elsewhere(number) => Some(ValueId(number)),
            _ => None,
        }
    }

    /// The value there.
    pub fn value_at(&self, id: ValueId) -> Option<&Value> {
        self.values.get(id.0)
    }

    /// As [`Keyspace::value_at`], to be changed where it is.
    pub fn value_at_mut(&mut self, id: ValueId) -> Option<&mut Value> {
        self.values.get_mut(id.0)
    }

    /// An entry's value, if it is not in the entry.
    pub fn stored(&self, id: EntryId) -> Option<&Value> {
        self.value_at(self.value_id(id)?)
    }

    /// As [`Keyspace::stored`], to be changed where it is.
    pub fn value_mut(&mut self, id: EntryId) -> Option<&mut Value> {
        self.value_at_mut(self.value_id(id)?)
    }

    /// What was last noted about the uses of an entry by [`Keyspace::note_access`]; 0 for a new one.
    pub fn access(&self, id: EntryId) -> u32 {
        self.entry(id).map_or(0, Entry::access)
    }

    /// Notes something about the uses of an entry.
    pub fn note_access(&mut self, id: EntryId, access: u32) {
        self.update_access(id, |_| access);
    }

    /// As [`Keyspace::note_access`]: what is noted follows from what was noted before.
    pub fn update_access(&mut self, id: EntryId, noted: impl FnOnce(u32) -> u32) {
        if let Some(slot) = self.entries.get_mut(id) {
            let before = Entry(slot).access();
            let after = noted(before);
            // Most keys are used again within the same second: their memory is not written to.
            if after != before {
                entry::set_access(slot, after);
            }
        }
    }

    /// When the entry expires, in Unix milliseconds.
    pub fn deadline(&self, id: EntryId) -> Option<i64> {
        self.entry(id)?.deadline()
    }

    /// Says when an entry expires, in Unix milliseconds. Returns the id that it has now.
    pub fn set_deadline(&mut self, id: EntryId, at: i64) -> EntryId {
        self.change_deadline(id, Some(at))
    }

    /// False if there was no deadline. The entry may have another id then.
    pub fn clear_deadline(&mut self, id: EntryId) -> bool {
        let had_one = self.deadline(id).is_some();
        if had_one {
            self.change_deadline(id, None);
        }
        had_one
    }

    fn change_deadline(&mut self, id: EntryId, deadline: Option<i64>) -> EntryId {
        let Some(entry) = self.entry(id) else { return id };
        match entry.value() {
            Stored::Text(text) => {
                let mut copy = [0; crate::entries::MAX_SIZE];
                copy[..text.len()].copy_from_slice(text);
                let len = text.len();
                self.rewrite(id, deadline, Stored::Text(&copy[..len]))
            }
            Stored::Integer(integer) => self.rewrite(id, deadline, Stored::Integer(integer)),
            Stored::Elsewhere(number) => self.rewrite(id, deadline, Stored::Elsewhere(number)),
        }
    }

    /// Sets `key` to `value`, whatever it was. An old deadline stays only if `keep_deadline`.
    pub fn set(&mut self, key: &[u8], value: Value, keep_deadline: bool) -> EntryId {
        self.set_at(self.place(key), key, value, keep_deadline)
    }

    /// As [`Keyspace::set`]; `place` is that of the key.
    pub fn set_at(&mut self, place: Place, key: &[u8], value: Value, keep_deadline: bool) -> EntryId {
        match place.id {
            Some(id) => self.replace(id, value, keep_deadline),
            None => self.with_stored(key.len(), value, |keyspace, stored| keyspace.insert(place.hash, key, stored)),
        }
    }

    /// As [`Keyspace::set`] for a string, copied into the old value's memory where it fits.
    pub fn set_string<'a>(&mut self, key: &[u8], content: impl Into<Content<'a>>, keep_deadline: bool) -> EntryId {
        self.set_string_at(self.place(key), key, content, keep_deadline)
    }

    /// As [`Keyspace::set_string`]; `place` is that of the key.
    pub fn set_string_at<'a>(
        &mut self,
        place: Place,
        key: &[u8],
        content: impl Into<Content<'a>>,
        keep_deadline: bool,
    ) -> EntryId {
        let content = content.into();
        let Place { hash, id, .. } = place;
        let text = content.as_slice();
        if entry::has_room(key.len(), text.len()) {
            return match id {
                Some(id) => self.assign(id, keep_deadline, Stored::Text(text)),
                None => self.insert(hash, key, Stored::Text(text)),
            };
        }
        match id {
            Some(id) => {
                if let Some(Value::String(value)) = self.value_mut(id) {
                    value.assign(content);
                    return if keep_deadline { id } else { self.change_deadline(id, None) };
                }
                self.replace(id, StringValue::new(content).into(), keep_deadline)
            }
            None => {
                let number = self.values.insert(StringValue::new(content).into());
                self.insert(hash, key, Stored::Elsewhere(number))
            }
        }
    }

    /// As [`Keyspace::set_at`] for an integer, written over another one where there is one.
    pub fn set_integer_at(&mut self, place: Place, key: &[u8], integer: i64, keep_deadline: bool) -> EntryId {
        if let (Some(id), true) = (place.id, keep_deadline)
            && self.entries.get_mut(id).is_some_and(|slot| entry::overwrite_integer(slot, integer))
        {
            return id;
        }
        self.set_at(place, key, StringValue::Integer(integer).into(), keep_deadline)
    }

    /// Gives an entry a new value. Returns the id that it has now.
    pub fn replace(&mut self, id: EntryId, value: Value, keep_deadline: bool) -> EntryId {
        let Some(entry) = self.entry(id) else { return id };
        let key = match entry.key() {
            Key::Here(key) => key.len(),
            Key::Elsewhere(_) => self.key(id).len(),
        };
        self.with_stored(key, value, |keyspace, stored| keyspace.assign(id, keep_deadline, stored))
    }

    /// Calls `put` with a value in the form that it has in the entry of a key of that length.
    fn with_stored<T>(&mut self, key: usize, value: Value, put: impl FnOnce(&mut Self, Stored<'_>) -> T) -> T {
        match value {
            Value::String(StringValue::Integer(integer)) => put(self, Stored::Integer(integer)),
            Value::String(StringValue::Fixed(text)) if entry::has_room(key, text.len()) => {
                put(self, Stored::Text(Bytes::as_slice(&text)))
            }
            value => {
                let number = self.values.insert(value);
                put(self, Stored::Elsewhere(number))
            }
        }
    }

    /// Adds a key that is not there.
    fn insert(&mut self, hash: u64, key: &[u8], value: Stored<'_>) -> EntryId {
        let key =
            if key.len() <= entry::MAX_KEY { Key::Here(key) } else { Key::Elsewhere(self.keys.insert(key.into())) };
        let size = entry::size(key, None, value);
        let id = self.entries.insert(size, |slot| entry::write(slot, key, 0, None, value));
        let Keyspace { entries, index, keys, hasher, .. } = self;
        index.insert(hash, id, |id| hash_of(entries, keys, hasher, id));
        self.mark_saved(id);
        id
    }

    /// Gives an entry another value, and frees the old one.
    fn assign(&mut self, id: EntryId, keep_deadline: bool, value: Stored<'_>) -> EntryId {
        let Some(entry) = self.entry(id) else { return id };
        let old = entry.value();
        let deadline = entry.deadline().filter(|_| keep_deadline);
        if let Stored::Elsewhere(number) = old {
            self.values.remove(number);
        }
        self.rewrite(id, deadline, value)
    }

    /// Writes deadline and value of an entry, in another slot if they do not fit into its own.
    fn rewrite(&mut self, id: EntryId, deadline: Option<i64>, value: Stored<'_>) -> EntryId {
        let Some(slot) = self.entries.get_mut(id) else { return id };
        let old = Entry(slot).deadline();
        let mut new = id;
        if !entry::rewrite(slot, deadline, value) {
            new = self.relocate(id, deadline, value);
        }
        if (old, id) != (deadline, new) && (old.is_some() || deadline.is_some()) {
            let Keyspace { entries, deadlines, .. } = self;
            let at_of = |id| entries.get(id).and_then(|slot| Entry(slot).deadline()).unwrap_or_default();
            old.into_iter().for_each(|at| deadlines.remove(at, id, at_of));
            deadline.into_iter().for_each(|at| deadlines.insert(at, new, at_of));
        }
        new
    }

    fn relocate(&mut self, id: EntryId, deadline: Option<i64>, value: Stored<'_>) -> EntryId {
        let Keyspace { entries, index, keys, hasher, .. } = self;
        let Some(entry) = entries.get(id).map(Entry) else { return id };
        let hash = hash(hasher, key_of(keys, entry));
        let access = entry.access();
        let mut copy = [0; entry::MAX_KEY];
        let key = match entry.key() {
            Key::Here(key) => {
                copy[..key.len()].copy_from_slice(key);
                Key::Here(&copy[..key.len()])
            }
            Key::Elsewhere(number) => Key::Elsewhere(number),
        };
        let new = entries.insert(entry::size(key, deadline, value), |slot| {
            entry::write(slot, key, access, deadline, value);
        });
        entries.remove(id);
        index.replace(hash, id, new);
        self.mark_saved(new);
        new
    }

    /// Removes an entry, and its deadline with it.
    pub fn remove(&mut self, id: EntryId) -> Option<Value> {
        let short = match self.entry(id)?.value() {
            Stored::Text(text) => Some(StringValue::new(text)),
            Stored::Integer(integer) => Some(StringValue::Integer(integer)),
            Stored::Elsewhere(_) => None,
        };
        let outside = self.delete(id);
        short.map(Value::from).or(outside)
    }

    /// As [`Keyspace::remove`], but a short string is not returned: nothing is left to be freed then.
    pub fn delete(&mut self, id: EntryId) -> Option<Value> {
        let Keyspace { entries, index, keys, hasher, deadlines, values, .. } = self;
        let entry = Entry(entries.get(id)?);
        let (deadline, value, key) = (entry.deadline(), entry.value(), entry.key());
        index.remove(hash(hasher, key_of(keys, entry)), id);
        if let Key::Elsewhere(number) = key {
            keys.remove(number);
        }
        let value = match value {
            Stored::Elsewhere(number) => values.remove(number),
            _ => None,
        };
        entries.remove(id);
        let at_of = |id| entries.get(id).and_then(|slot| Entry(slot).deadline()).unwrap_or_default();
        deadline.into_iter().for_each(|at| deadlines.remove(at, id, at_of));
        value
    }

    /// The entry with the earliest deadline, if it has expired.
    pub fn due(&self, now: i64) -> Option<EntryId> {
        self.first_deadline().filter(|(at, _)| has_expired(*at, now)).map(|(_, id)| id)
    }

    /// The earliest deadline, in Unix milliseconds, and whose it is.
    pub fn first_deadline(&self) -> Option<(i64, EntryId)> {
        self.deadlines.first()
    }

    /// Removes everything at once and returns what was there, with the snapshot of it that may be under way, to be dropped
    /// where that disturbs nobody.
    pub fn take(&mut self) -> Keyspace {
        std::mem::take(self)
    }

    /// Average time to live in milliseconds of the keys that have a deadline.
    pub fn average_ttl(&self, now: i64) -> i64 {
        self.deadlines.mean().map_or(0, |mean| mean.saturating_sub(now).max(0))
    }
}

/// Whether what has a deadline is gone: as in Redis it is still there in the deadline's own millisecond.
pub fn has_expired(deadline: i64, now: i64) -> bool {
    deadline < now
}

fn hash(hasher: &RandomState, key: &[u8]) -> u64 {
    let mut hasher = hasher.build_hasher();
    hasher.write(key);
    hasher.finish()
}

pub(crate) fn key_of<'a>(keys: &'a Slab<Box<[u8]>>, entry: Entry<'a>) -> &'a [u8] {
    match entry.key() {
        Key::Here(key) => key,
        Key::Elsewhere(number) => keys.get(number).map_or(&[], |key| key),
    }
}

fn hash_of(entries: &Entries, keys: &Slab<Box<[u8]>>, hasher: &RandomState, id: EntryId) -> u64 {
    entries.get(id).map_or(0, |slot| hash(hasher, key_of(keys, Entry(slot))))
}

#[cfg(test)]
#[path = "keyspace_tests.rs"]
mod tests;
