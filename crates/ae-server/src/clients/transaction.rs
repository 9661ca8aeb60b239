//! What a client wants to have done at once.

use crate::command::spec::Spec;
use resp::OwnedArgs;
use std::collections::{BTreeMap, HashMap};

/// The requests between MULTI and EXEC.
#[derive(Default)]
pub struct Transaction {
    pub queue: Vec<(&'static Spec, OwnedArgs)>,
    /// A request could not be queued, so that EXEC must not do the others.
    pub failed: bool,
}

/// What a key was when it was first watched.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Seen {
    pub version: u64,
    /// It was there, and its time had come: it counts as missing.
    pub had_expired: bool,
}

/// The keys that a transaction depends on, by database.
#[derive(Default)]
pub struct WatchedKeys {
    keys: BTreeMap<usize, HashMap<Box<[u8]>, Seen>>,
    /// Memory that they take.
    memory: usize,
}

impl WatchedKeys {
    pub fn contains(&self, db: usize, key: &[u8]) -> bool {
        self.keys.get(&db).is_some_and(|keys| keys.contains_key(key))
    }

    /// Adds one that is not there.
    pub fn add(&mut self, db: usize, key: &[u8], seen: Seen) {
        self.keys.entry(db).or_default().insert(key.into(), seen);
        self.memory += size_of::<(Box<[u8]>, Seen)>() + key.len();
    }

    pub fn memory(&self) -> usize {
        self.memory
    }

    pub fn iter(&self) -> impl Iterator<Item = (usize, &[u8], Seen)> {
        self.keys.iter().flat_map(|(db, keys)| keys.iter().map(|(key, seen)| (*db, &**key, *seen)))
    }
}
