//! Entries that come from a file or another server, before anybody may look at them. Nobody is told of them.

use super::databases::Databases;
use super::usage::Usage;
use rdb::ReadEntry;
use store::Keyspace;

/// Why an entry cannot be taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Misfit {
    NoSuchDatabase,
    /// The key is there already.
    Duplicate,
}

/// Puts an entry into one of the databases.
fn put(keyspace: Option<&mut Keyspace>, entry: ReadEntry, usage: &Usage, now: i64) -> Result<(), Misfit> {
    let keyspace = keyspace.ok_or(Misfit::NoSuchDatabase)?;
    let place = keyspace.place(&entry.key);
    if place.is_taken() {
        return Err(Misfit::Duplicate);
    }
    let noted = match (usage.frequency, entry.usage) {
        (true, Some(rdb::Usage::Frequency(frequency))) => usage.of_frequency(frequency, now),
        (false, Some(rdb::Usage::Idle(seconds))) => usage.of_idle_time(i64::try_from(seconds).unwrap_or(i64::MAX), now),
        _ => usage.first(now),
    };
    let id = keyspace.set_at(place, &entry.key, entry.value, false);
    keyspace.note_access(id, noted);
    if let Some(at) = entry.deadline {
        keyspace.set_deadline(id, at);
    }
    Ok(())
}

impl Databases {
    /// Adds an entry to a database.
    pub fn load(&mut self, db: usize, entry: ReadEntry, now: i64) -> Result<(), Misfit> {
        let usage = self.usage;
        let keyspace = (db < self.len()).then(|| self.keyspace_mut(db));
        put(keyspace, entry, &usage, now)
    }

    /// So many keys will be loaded into a database, as far as is known.
    pub fn expect_keys(&mut self, db: usize, keys: usize) {
        if db < self.len() {
            self.keyspace_mut(db).reserve(keys);
        }
    }

    /// A key that a file has is left out, since its time has come: others may have it.
    pub fn note_removal(&mut self, db: usize, key: &[u8]) {
        self.effects.add_removal(db, key);
    }

    /// As [`Databases::load`], into databases that are not in use yet.
    pub fn load_aside(&self, aside: &mut [Keyspace], db: usize, entry: ReadEntry, now: i64) -> Result<(), Misfit> {
        put(aside.get_mut(db), entry, &self.usage, now)
    }

    /// Puts databases that were loaded aside in the place of these, and returns these.
    pub fn replace_all(&mut self, aside: Vec<Keyspace>) -> Vec<Keyspace> {
        let old = self.take();
        let empty = self.replace_keyspaces(aside);
        for db in 0..self.len() {
            let keyspace = &self[db];
            let changed: Vec<Box<[u8]>> = {
                let keys = self.observers.watched.keys(db).chain(self.observers.waiting.keys(db));
                keys.filter(|key| keyspace.find(key).is_some()).map(Box::from).collect()
            };
            changed.iter().for_each(|key| self.observers.changed(db, key));
        }
        drop(empty);
        old
    }
}
