//! One database: keys, their values and their deadlines.

use crate::bytes::Content;
use crate::deadlines::{Deadlines, Place};
use crate::dict::Dict;
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
}

impl Default for Keyspace {
    fn default() -> Self {
        Self::new()
    }
}

impl Keyspace {
    /// An empty one.
    pub fn new() -> Keyspace {
        Keyspace { dict: Dict::new(), deadlines: Deadlines::new() }
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
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
            return self.dict.insert(hash, key, Item::new(value));
        };
        self.replace(id, value, keep_deadline);
        id
    }

    /// As [`Keyspace::set`] for a string, copied into the old value's memory where it fits.
    pub fn set_string<'a>(&mut self, key: &[u8], content: impl Into<Content<'a>>, keep_deadline: bool) -> EntryId {
        let content = content.into();
        let hash = self.dict.hash(key);
        let Some(id) = self.dict.find(hash, key) else {
            let value = Value::String(StringValue::new(content));
            return self.dict.insert(hash, key, Item::new(value));
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

    /// Removes everything at once and returns what was there, to be dropped where that disturbs nobody.
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
mod tests {
    use super::*;
    use crate::number::Digits;

    fn content(keyspace: &Keyspace, id: EntryId) -> Vec<u8> {
        match keyspace.value(id) {
            Some(Value::String(value)) => value.as_slice(&mut Digits::new()).to_vec(),
            _ => panic!("no such string"),
        }
    }

    #[test]
    fn setting_again_takes_the_deadline_away_unless_kept() {
        let mut keyspace = Keyspace::new();
        let id = keyspace.set_string(b"k", b"1", false);
        keyspace.set_deadline(id, 100);
        assert_eq!(keyspace.set_string(b"k", b"2", true), id);
        assert_eq!(keyspace.deadline(id), Some(100));
        keyspace.set_string(b"k", b"3", false);
        assert_eq!((keyspace.deadline(id), keyspace.volatile_len()), (None, 0));
        assert_eq!(content(&keyspace, id), b"3");
    }

    /// Removes what is due, up to `max` entries, and returns how many.
    fn expire(keyspace: &mut Keyspace, now: i64, max: usize) -> usize {
        (0..max).take_while(|_| keyspace.due(now).is_some_and(|id| keyspace.remove(id).is_some())).count()
    }

    #[test]
    fn what_is_due_comes_earliest_first() {
        let mut keyspace = Keyspace::new();
        for i in 0..100u8 {
            let id = keyspace.set_string(&[i], b"", false);
            if i % 2 == 0 {
                keyspace.set_deadline(id, i64::from(i));
            }
        }
        assert_eq!(expire(&mut keyspace, 49, 10), 10);
        assert!(keyspace.find(&[18]).is_none() && keyspace.find(&[20]).is_some());
        assert_eq!(expire(&mut keyspace, 49, 100), 15);
        assert_eq!(expire(&mut keyspace, 49, 100), 0);
        assert_eq!((keyspace.len(), keyspace.volatile_len()), (75, 25));
        for i in 0..100u8 {
            assert_eq!(keyspace.find(&[i]).is_some(), i % 2 == 1 || i >= 50, "{i}");
        }
    }

    #[test]
    fn a_lookup_tells_what_has_expired() {
        let mut keyspace = Keyspace::new();
        let id = keyspace.set_string(b"k", b"", false);
        keyspace.set_deadline(id, 100);
        assert_eq!(keyspace.lookup(b"k", 99), Found::Live(id));
        assert_eq!(keyspace.lookup(b"k", 100), Found::Expired(id));
        assert_eq!(keyspace.lookup(b"other", 100), Found::Missing);
    }

    #[test]
    fn an_access_is_noted_until_the_entry_goes() {
        let mut keyspace = Keyspace::new();
        let id = keyspace.set_string(b"k", b"", false);
        keyspace.note_access(id, 7);
        keyspace.set_string(b"k", b"other", false);
        assert_eq!(keyspace.access(id), 7);
        keyspace.remove(id);
        let id = keyspace.set_string(b"k", b"", false);
        assert_eq!(keyspace.access(id), 0);
    }

    #[test]
    fn removing_an_entry_removes_its_deadline() {
        let mut keyspace = Keyspace::new();
        let ids: Vec<EntryId> = (0..10u8).map(|i| keyspace.set_string(&[i], b"", false)).collect();
        for (i, &id) in ids.iter().enumerate() {
            keyspace.set_deadline(id, 10 - i as i64);
        }
        for &id in &ids[..5] {
            assert!(keyspace.remove(id).is_some());
            assert!(keyspace.remove(id).is_none());
        }
        assert_eq!(keyspace.volatile_len(), 5);
        assert_eq!(keyspace.deadline(ids[9]), Some(1));
        assert!(keyspace.clear_deadline(ids[9]));
        assert!(!keyspace.clear_deadline(ids[9]));
        assert_eq!(expire(&mut keyspace, i64::MAX, 100), 4);
        assert_eq!(keyspace.len(), 1);
    }
}
