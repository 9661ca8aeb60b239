//! Time events whose deadline has been changed. What they had in the heap stays there until it comes up; so each change
//! gives the event another key. Keys are negative, which ids are not; the heap, which compares both without a sign, has
//! them behind all ids, in the order in which they were given.

use crate::sys::Errno;
use core::ffi::c_longlong;
use core::hash::{BuildHasherDefault, Hasher};
use std::collections::HashMap;

/// Numbers that are given out one after the other need no more than to be spread: the program does not choose them.
#[derive(Default)]
struct Spread(u64);

impl Hasher for Spread {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_i64((*byte).into()));
    }

    fn write_i64(&mut self, number: i64) {
        self.0 = (self.0 ^ number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn finish(&self) -> u64 {
        self.0 ^ self.0 >> 32
    }
}

type Numbers = HashMap<c_longlong, c_longlong, BuildHasherDefault<Spread>>;

#[derive(Default)]
pub(super) struct Moved {
    keys: Numbers,
    ids: Numbers,
    /// How many keys have been given out.
    given: c_longlong,
}

impl Moved {
    /// Whether no deadline has ever been changed: then each event is in the heap under its id.
    pub(super) fn is_unused(&self) -> bool {
        self.given == 0
    }

    /// What the event of an id is in the heap as.
    #[cold]
    pub(super) fn key_of(&self, id: c_longlong) -> c_longlong {
        self.keys.get(&id).copied().unwrap_or(id)
    }

    /// The event that a key stands for, unless it is one that the event has no longer.
    pub(super) fn id_of(&self, key: c_longlong) -> Option<c_longlong> {
        if key < 0 { self.ids.get(&key).copied() } else { Some(key).filter(|id| !self.keys.contains_key(id)) }
    }

    /// Makes room for another key.
    pub(super) fn make_room(&mut self) -> Result<(), Errno> {
        self.keys.try_reserve(1).and_then(|()| self.ids.try_reserve(1)).map_err(|_| Errno::ENOMEM)
    }

    /// Gives an event another key; there is room.
    pub(super) fn give(&mut self, id: c_longlong) -> c_longlong {
        self.given += 1;
        let key = c_longlong::MIN + self.given;
        if let Some(before) = self.keys.insert(id, key) {
            self.ids.remove(&before);
        }
        self.ids.insert(key, id);
        key
    }

    /// How much is kept for all events.
    #[cfg(test)]
    pub(super) fn size(&self) -> usize {
        self.keys.len() + self.ids.len()
    }

    /// Forgets an event that is deleted.
    pub(super) fn forget(&mut self, id: c_longlong) {
        if let Some(key) = self.keys.remove(&id) {
            self.ids.remove(&key);
        }
    }
}
