//! Keys that transactions depend on.

use crate::clients::transaction::Seen;
use std::collections::HashMap;

/// Counts the changes of keys while somebody watches them.
#[derive(Default)]
pub struct Watched {
    /// By database.
    keys: Vec<HashMap<Box<[u8]>, Key>>,
    len: usize,
    /// The last version given out.
    version: u64,
}

struct Key {
    watchers: usize,
    version: u64,
    /// The version before the last change, if that was the removal of what had expired, or was evicted.
    before_removal: Option<u64>,
}

impl Watched {
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// One more watches a key. Returns the key's version, which changes whenever the key does.
    pub fn watch(&mut self, db: usize, key: &[u8]) -> u64 {
        if self.keys.len() <= db {
            self.keys.resize_with(db + 1, HashMap::new);
        }
        let version = self.version;
        let watched = self.keys[db].entry(key.into()).or_insert_with(|| {
            self.len += 1;
            Key { watchers: 0, version, before_removal: None }
        });
        watched.watchers += 1;
        watched.version
    }

    /// One less watches a key.
    pub fn unwatch(&mut self, db: usize, key: &[u8]) {
        let Some(keys) = self.keys.get_mut(db) else { return };
        let Some(watched) = keys.get_mut(key) else { return };
        watched.watchers -= 1;
        if watched.watchers == 0 {
            keys.remove(key);
            self.len -= 1;
        }
    }

    /// The version of a key that is watched.
    #[cfg(test)]
    pub fn version(&self, db: usize, key: &[u8]) -> u64 {
        self.keys.get(db).and_then(|keys| keys.get(key)).map_or(0, |watched| watched.version)
    }

    /// A key has changed.
    pub fn changed(&mut self, db: usize, key: &[u8]) {
        if let Some(watched) = self.keys.get_mut(db).and_then(|keys| keys.get_mut(key)) {
            self.version += 1;
            (watched.version, watched.before_removal) = (self.version, None);
        }
    }

    /// A key has been removed by the server itself. To those who watched it when it had expired it was missing already.
    pub fn removed(&mut self, db: usize, key: &[u8]) {
        if let Some(watched) = self.keys.get_mut(db).and_then(|keys| keys.get_mut(key)) {
            self.version += 1;
            watched.before_removal = Some(std::mem::replace(&mut watched.version, self.version));
        }
    }

    /// Whether a key that is watched is what was seen.
    pub fn is_same(&self, db: usize, key: &[u8], seen: Seen) -> bool {
        let watched = self.keys.get(db).and_then(|keys| keys.get(key));
        watched.is_none_or(|now| {
            now.version == seen.version || seen.had_expired && now.before_removal == Some(seen.version)
        })
    }

    /// The keys of a database that are watched.
    pub fn keys(&self, db: usize) -> impl Iterator<Item = &[u8]> {
        self.keys.get(db).into_iter().flat_map(|keys| keys.keys().map(|key| &**key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_change_with_keys() {
        let mut watched = Watched::default();
        let before = watched.watch(3, b"k");
        assert_eq!(watched.watch(3, b"k"), before);
        watched.changed(3, b"other");
        watched.changed(0, b"k");
        assert_eq!(watched.version(3, b"k"), before);
        watched.changed(3, b"k");
        assert_ne!(watched.version(3, b"k"), before);
        watched.unwatch(3, b"k");
        assert!(!watched.is_empty());
        watched.unwatch(3, b"k");
        watched.unwatch(3, b"k");
        assert!(watched.is_empty());
        // Nobody can mistake a later version for an earlier one.
        assert_ne!(watched.watch(3, b"k"), before);
    }
}
