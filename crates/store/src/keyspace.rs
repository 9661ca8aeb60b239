//! One database: keys, their values and their deadlines.

use crate::bytes::Content;
use crate::deadlines::{Deadlines, Place};
use crate::dict::Dict;
use crate::snapshot::Snapshot;
use crate::value::{StringValue, Value};

/// An entry's id, good until the entry is removed.
pub type EntryId = u32;

struct Item {
    value: Value,
    place: Place,
    access: u32,
}

impl Item {
    fn new(value: Value) -> Item {
        Item { value, place: 0, access: 0 }
    }
}

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

/// One database: its keys, their values and deadlines.
pub struct Keyspace {
    dict: Dict<Item>,
    deadlines: Deadlines,
    /// The snapshot under way, which goes where the entries go.
    snapshot: Option<Snapshot>,
}

impl Default for Keyspace {
    fn default() -> Self {
        Self::new()
    }
}

impl Keyspace {
    /// An empty one.
    pub fn new() -> Keyspace {
        Keyspace { dict: Dict::new(), deadlines: Deadlines::new(), snapshot: None }
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many bytes of memory the table of keys has, without what keys and values have outside their entries, and how
    /// many the deadlines have.
    pub fn allocated(&self) -> (usize, usize) {
        (self.dict.allocated(), self.deadlines.allocated())
    }

    /// How many bytes of what is allocated are free for new entries.
    pub fn free_bytes(&self) -> usize {
        self.dict.free_bytes()
    }

    /// How many bytes of memory an entry has, with its key and its value, as well as is known.
    pub fn entry_memory(&self, id: EntryId) -> usize {
        self.dict.entry_memory(id) + self.value(id).map_or(0, Value::allocated)
    }

    /// How many keys there are, with those that have expired but have not been removed yet.
    pub fn len(&self) -> usize {
        self.dict.len()
    }

    /// How many keys have a deadline.
    pub fn volatile_len(&self) -> usize {
        self.deadlines.len()
    }

    /// The entry of `key`, expired or not.
    pub fn find(&self, key: &[u8]) -> Option<EntryId> {
        self.dict.find(self.dict.hash(key), key)
    }

    /// What there is under `key`.
    pub fn lookup(&self, key: &[u8], now: i64) -> Found {
        let Some(id) = self.find(key) else { return Found::Missing };
        let place = self.dict.get(id).map_or(0, |node| node.value.place);
        if place != 0 && self.deadlines.get(place).is_some_and(|at| at <= now) {
            return Found::Expired(id);
        }
        Found::Live(id)
    }

    /// An entry's key; empty when there is no such entry.
    pub fn key(&self, id: EntryId) -> &[u8] {
        self.dict.get(id).map_or(&[], |node| node.key.as_slice())
    }

    /// An entry's value.
    pub fn value(&self, id: EntryId) -> Option<&Value> {
        self.dict.get(id).map(|node| &node.value.value)
    }

    /// An entry's value, to be changed.
    pub fn value_mut(&mut self, id: EntryId) -> Option<&mut Value> {
        self.dict.get_mut(id).map(|item| &mut item.value)
    }

    /// What was last noted about the uses of an entry by [`Keyspace::note_access`]; 0 for a new one.
    pub fn access(&self, id: EntryId) -> u32 {
        self.dict.get(id).map_or(0, |node| node.value.access)
    }

    /// Notes something about the uses of an entry.
    pub fn note_access(&mut self, id: EntryId, access: u32) {
        if let Some(item) = self.dict.get_mut(id) {
            item.access = access;
        }
    }

    /// When the entry expires, in Unix milliseconds.
    pub fn deadline(&self, id: EntryId) -> Option<i64> {
        self.deadlines.get(self.dict.get(id)?.value.place)
    }

    /// Says when an entry expires, in Unix milliseconds.
    pub fn set_deadline(&mut self, id: EntryId, at: i64) {
        let Keyspace { dict, deadlines, .. } = self;
        if let Some(item) = dict.get_mut(id) {
            let place = item.place;
            deadlines.set(id, place, at, |id, place| set_place(dict, id, place));
        }
    }

    /// False if there was no deadline.
    pub fn clear_deadline(&mut self, id: EntryId) -> bool {
        let Keyspace { dict, deadlines, .. } = self;
        let Some(item) = dict.get_mut(id) else { return false };
        let place = std::mem::take(&mut item.place);
        deadlines.remove(place, |id, place| set_place(dict, id, place));
        place != 0
    }

    /// Sets `key` to `value`, whatever it was. An old deadline stays only if `keep_deadline`.
    pub fn set(&mut self, key: &[u8], value: Value, keep_deadline: bool) -> EntryId {
        let hash = self.dict.hash(key);
        let Some(id) = self.dict.find(hash, key) else {
            return self.insert(hash, key, value);
        };
        self.replace(id, value, keep_deadline);
        id
    }

    /// Adds a key that is not there.
    fn insert(&mut self, hash: u32, key: &[u8], value: Value) -> EntryId {
        let id = self.dict.insert(hash, key, Item::new(value));
        self.mark_saved(id);
        id
    }

    /// As [`Keyspace::set`] for a string, copied into the old value's memory where it fits.
    pub fn set_string<'a>(&mut self, key: &[u8], content: impl Into<Content<'a>>, keep_deadline: bool) -> EntryId {
        let content = content.into();
        let hash = self.dict.hash(key);
        let Some(id) = self.dict.find(hash, key) else {
            return self.insert(hash, key, Value::String(StringValue::new(content)));
        };
        if let Some(item) = self.dict.get_mut(id) {
            match &mut item.value {
                Value::String(value) => value.assign(content),
                other => *other = Value::String(StringValue::new(content)),
            }
            if item.place != 0 && !keep_deadline {
                self.clear_deadline(id);
            }
        }
        id
    }

    /// Gives an entry a new value.
    pub fn replace(&mut self, id: EntryId, value: Value, keep_deadline: bool) {
        let Some(item) = self.dict.get_mut(id) else { return };
        item.value = value;
        if item.place != 0 && !keep_deadline {
            self.clear_deadline(id);
        }
    }

    /// Removes an entry, and its deadline with it.
    pub fn remove(&mut self, id: EntryId) -> Option<Value> {
        self.clear_deadline(id);
        self.dict.remove(id).map(|item| item.value)
    }

    /// The entry with the earliest deadline, if that is not after `now`.
    pub fn due(&self, now: i64) -> Option<EntryId> {
        self.deadlines.first().filter(|(at, _)| *at <= now).map(|(_, id)| id)
    }

    /// The earliest deadline, in Unix milliseconds.
    pub fn first_deadline(&self) -> Option<i64> {
        self.deadlines.first().map(|(at, _)| at)
    }

    /// Removes everything at once and returns what was there, with the snapshot of it that may be under way, to be dropped
    /// where that disturbs nobody.
    pub fn take(&mut self) -> Keyspace {
        std::mem::take(self)
    }

    /// Average time to live in milliseconds of the keys that have a deadline.
    pub fn average_ttl(&self, now: i64) -> i64 {
        let count = self.deadlines.len() as i128;
        if count == 0 {
            return 0;
        }
        // A sample is enough and keeps INFO cheap; the heap's first places alone would be those that expire soonest.
        const SAMPLE: usize = 1000;
        let step = self.deadlines.len().div_ceil(SAMPLE);
        let (mut sum, mut taken) = (0i128, 0i128);
        for at in self.deadlines.iter().step_by(step) {
            sum += i128::from(at.saturating_sub(now).max(0));
            taken += 1;
        }
        (sum / taken) as i64
    }

    /// One step of a scan: see `Dict::scan`. Calls `found` with each entry's key, value and deadline.
    pub fn scan(&self, cursor: u64, mut found: impl FnMut(&[u8], &Value, Option<i64>)) -> u64 {
        self.dict.scan(cursor, |node| {
            found(node.key.as_slice(), &node.value.value, self.deadlines.get(node.value.place));
        })
    }

    /// Any entry, all with the same probability.
    pub fn random(&self, random: impl FnMut() -> u64) -> Option<EntryId> {
        self.dict.random(random)
    }

    /// An entry that has a deadline, picked by a random number.
    pub fn random_volatile(&self, number: u64) -> Option<EntryId> {
        let len = self.deadlines.len() as u64;
        (len > 0).then(|| self.deadlines.owner((number % len) as usize))
    }

    /// Every key with its deadline.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], Option<i64>)> {
        self.dict.iter().map(|(_, node)| (node.key.as_slice(), self.deadlines.get(node.value.place)))
    }

    /// Every entry.
    pub fn ids(&self) -> impl Iterator<Item = EntryId> {
        self.dict.iter().map(|(id, _)| id)
    }

    /// Begins a snapshot of what there is: every entry is unsaved, and each has to be saved before it changes or goes. One
    /// that was under way is given up.
    pub fn begin_snapshot(&mut self) {
        self.snapshot = Some(Snapshot::new(self.dict.end()));
    }

    /// Gives up the snapshot under way, if there is one.
    pub fn end_snapshot(&mut self) {
        self.snapshot = None;
    }

    /// Whether a snapshot is under way: it ends when [`Keyspace::next_unsaved`] has passed every entry.
    pub fn has_snapshot(&self) -> bool {
        self.snapshot.is_some()
    }

    /// Whether an entry has still to be saved in the snapshot under way.
    pub fn is_unsaved(&self, id: EntryId) -> bool {
        self.snapshot.as_ref().is_some_and(|snapshot| snapshot.is_unsaved(id))
    }

    /// Says that an entry has been saved, before its turn.
    pub fn mark_saved(&mut self, id: EntryId) {
        if let Some(snapshot) = &mut self.snapshot {
            snapshot.mark_saved(id);
        }
    }

    /// The next entry to save; it counts as saved from now on. Looks at up to `steps` places for entries, which it counts
    /// down. With None the steps are used up, or the snapshot has ended.
    pub fn next_unsaved(&mut self, steps: &mut usize) -> Option<EntryId> {
        let snapshot = self.snapshot.as_mut()?;
        while *steps > 0
            && let Some((id, is_unsaved)) = snapshot.walk()
        {
            *steps -= 1;
            if is_unsaved && self.dict.get(id).is_some() {
                return Some(id);
            }
        }
        if snapshot.is_done() {
            self.snapshot = None;
        }
        None
    }

    /// Goes on with a resize of the hash table. False when there is none.
    pub fn step(&mut self) -> bool {
        self.dict.step()
    }
}

fn set_place(dict: &mut Dict<Item>, id: EntryId, place: Place) {
    if let Some(item) = dict.get_mut(id) {
        item.place = place;
    }
}

#[cfg(test)]
#[path = "keyspace_tests.rs"]
mod tests;
