//! Keys that go to another name or database, come from elsewhere, or go all together.

use super::databases::Databases;
use super::door::Db;
use super::event::Event;
use std::collections::HashSet;
use store::{Keyspace, Value, ValueRef};

impl Databases {
    /// Removes everything, and returns what was there.
    pub fn take(&mut self) -> Vec<Keyspace> {
        (0..self.len()).map(|db| self.db(db, 0).take_all()).collect()
    }
}

impl Db<'_> {
    /// Gives the value of a key, with its deadline, to another key, over what that holds.
    pub fn rename(&mut self, from: &[u8], to: &[u8]) {
        let db = self.db;
        self.transfer(from, db, to, Event::generic("rename_from"), Event::generic("rename_to"));
    }

    /// Moves a key to another database, over what that holds.
    pub fn move_to(&mut self, key: &[u8], db: usize) {
        self.transfer(key, db, key, Event::generic("move_from"), Event::generic("move_to"));
    }

    fn transfer(&mut self, from: &[u8], db: usize, to: &[u8], leaves: Event, arrives: Event) {
        let Some(id) = self.find(from) else { return };
        let keyspace = self.databases.changing(self.db, id);
        let (deadline, noted) = (keyspace.deadline(id), keyspace.access(id));
        let Some(value) = keyspace.remove(id) else { return };
        self.databases.db(db, self.now).put(to, value, deadline, noted);
        self.tell(from, leaves);
        self.databases.db(db, self.now).changed(to, arrives);
    }

    /// Copies the value of a key, with its deadline, to a key of a database, over what that holds.
    pub fn copy_to(&mut self, from: &[u8], db: usize, to: &[u8]) {
        let Some(id) = self.find(from) else { return };
        let keyspace = self.databases.keyspace(self.db);
        let (value, deadline) = (keyspace.value(id).map(ValueRef::to_value), keyspace.deadline(id));
        let Some(value) = value else { return };
        let mut target = self.databases.db(db, self.now);
        target.put(to, value, deadline, target.first_use());
        target.changed(to, Event::generic("copy_to"));
    }

    /// Gives a key a value from elsewhere, over what it holds.
    pub fn restore(&mut self, key: &[u8], value: Value, deadline: Option<i64>) {
        self.overwrite(key);
        self.put(key, value, deadline, self.first_use());
        self.changed(key, Event::generic("restore"));
    }

    /// Puts a value in the place of what a key holds. Nobody is told yet, except that there is a new key.
    fn put(&mut self, key: &[u8], value: Value, deadline: Option<i64>, noted: u32) {
        if let Some(id) = self.find(key) {
            self.databases.delete(self.db, id);
        }
        let keyspace = self.databases.keyspace_mut(self.db);
        let id = keyspace.set(key, value, false);
        keyspace.note_access(id, noted);
        if let Some(at) = deadline {
            keyspace.set_deadline(id, at);
            self.databases.note_deadline(self.db, key);
        }
        self.databases.observers.happened(self.db, key, Event::NEW);
    }

    /// For how many seconds a key has not been used. A hit or a miss, but no use; so is the next.
    pub fn idle_time(&mut self, key: &[u8]) -> Option<i64> {
        let id = self.find_to_inspect(key)?;
        Some(self.databases.usage.idle_time(self.databases.keyspace(self.db).access(id), self.now))
    }

    /// How often a key is used, as the counter of LFU has it.
    pub fn frequency(&mut self, key: &[u8]) -> Option<u8> {
        let id = self.find_to_inspect(key)?;
        Some(self.databases.usage.frequency(self.databases.keyspace(self.db).access(id), self.now))
    }

    /// Says for how many seconds a key has not been used, or how often it is used; only one of them is kept.
    pub fn set_usage(&mut self, key: &[u8], idle: Option<i64>, frequency: Option<u8>) {
        let usage = self.databases.usage;
        let noted = match (usage.frequency, idle, frequency) {
            (false, Some(idle), _) => usage.of_idle_time(idle, self.now),
            (true, _, Some(frequency)) => usage.of_frequency(frequency, self.now),
            _ => return,
        };
        if let Some(id) = self.find(key) {
            self.databases.keyspace_mut(self.db).note_access(id, noted);
        }
    }

    /// The 32 bits that are noted of a key's use. No hit, no miss.
    pub fn noted(&mut self, key: &[u8]) -> Option<u32> {
        let id = self.find(key)?;
        Some(self.databases.keyspace(self.db).access(id))
    }

    /// Removes everything and returns what was there, to be dropped where that disturbs nobody.
    pub fn take_all(&mut self) -> Keyspace {
        let old = self.databases.take_keyspace(self.db);
        self.databases.dirty += old.len() as u64;
        self.databases.observers.all_removed(self.db, |key| old.find(key).is_some());
        match &mut self.databases.snapshot {
            // It is freed when the snapshot has it.
            Some(snapshot) => snapshot.keep(self.db, old),
            None => old,
        }
    }

    /// Exchanges two databases.
    pub fn swap(&mut self, other: usize) {
        let db = self.db;
        self.databases.dirty += 1;
        if db == other {
            return;
        }
        self.remove_expired_watched(db, other);
        self.databases.swap(db, other);
        for (here, there) in [(db, other), (other, db)] {
            let held: HashSet<Box<[u8]>> = {
                let observers = &self.databases.observers;
                let keys = observers.watched.keys(here).chain(observers.waiting.keys(here));
                let either = |key: &&[u8]| [here, there].iter().any(|db| self.databases[*db].find(key).is_some());
                keys.filter(either).map(Box::from).collect()
            };
            self.databases.observers.all_changed(here, |key| held.contains(key));
        }
    }

    /// Removes keys whose time has come and that are watched in one of two databases, from both: to a transaction they
    /// are missing already, so that it does not matter to it which database they are in.
    fn remove_expired_watched(&mut self, db: usize, other: usize) {
        let watched = &self.databases.observers.watched;
        let keys: Vec<Box<[u8]>> = watched.keys(db).chain(watched.keys(other)).map(Box::from).collect();
        for key in keys {
            for db in [db, other] {
                self.databases.db(db, self.now).exists(&key);
            }
        }
    }
}
