//! One database as a command sees it: the only way to read and change it.
//!
//! Whatever a change owes to others is done here and in [`Edit`]: expired keys go first, transactions that watch the
//! key learn of it, clients that wait for it, clients that keep a copy, channels of keyspace notifications; changes are
//! counted.

use super::databases::{Databases, Expiry};
use super::edit::Edit;
use super::event::Event;
use store::{Content, EntryId, Found, Keyspace, Kind, Place, StringRef, Value, ValueRef, has_expired};

/// One database, for one request.
pub struct Db<'a> {
    pub(super) databases: &'a mut Databases,
    pub(super) db: usize,
    pub(super) now: i64,
}

/// The key holds a value of another type.
#[derive(Debug, PartialEq, Eq)]
pub struct WrongType;

/// What becomes of the time to live of a key that is set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ttl {
    /// It lives forever.
    Clear,
    /// It lives as long as the old value would have.
    Keep,
    /// It lives until then, in Unix milliseconds.
    At(i64),
}

impl Databases {
    /// One of them, at the time `now` (Unix milliseconds).
    pub fn db(&mut self, db: usize, now: i64) -> Db<'_> {
        let now = if self.keeps_expired { i64::MIN } else { now };
        Db { databases: self, db, now }
    }
}

impl<'a> Db<'a> {
    /// The entry of a key that has not expired.
    #[inline]
    pub(super) fn find(&mut self, key: &[u8]) -> Option<EntryId> {
        self.find_place(key).0
    }

    /// As `find`, with the place for a new value. One that has expired may still be there.
    fn find_place(&mut self, key: &[u8]) -> (Option<EntryId>, Place) {
        let keyspace = self.databases.keyspace(self.db);
        let place = keyspace.place(key);
        match keyspace.lookup_at(place, self.now) {
            Found::Live(id) => (Some(id), place),
            Found::Missing => (None, place),
            Found::Expired(id) if self.databases.expiry == Expiry::Ignores => (Some(id), place),
            Found::Expired(id) if self.databases.removes_expired() => {
                self.databases.expire_one(self.db, id);
                (None, place.vacant())
            }
            Found::Expired(_) => (None, place),
        }
    }

    /// What is noted of a new key's use.
    pub(super) fn first_use(&self) -> u32 {
        self.databases.usage.first(self.now)
    }

    /// As `find`, for a command that reads.
    #[inline]
    fn find_to_read(&mut self, key: &[u8]) -> Option<EntryId> {
        let found = self.find_to_look(key);
        found.into_iter().for_each(|id| self.databases.note_use(self.db, id, self.now));
        found
    }

    /// As `find_to_read`, but it counts hit or miss only: the key is not used.
    #[inline]
    pub(super) fn find_to_look(&mut self, key: &[u8]) -> Option<EntryId> {
        let found = self.find_to_inspect(key);
        if found.is_none() {
            self.databases.observers.happened(self.db, key, Event::KEY_MISS);
        }
        found
    }

    /// As `find_to_look`, but nobody is told of a miss.
    #[inline]
    pub(super) fn find_to_inspect(&mut self, key: &[u8]) -> Option<EntryId> {
        let found = self.find(key);
        match found {
            Some(_) => self.databases.stats.hits += 1,
            None => self.databases.stats.misses += 1,
        }
        found
    }

    fn typed<K: Kind>(self, id: Option<EntryId>) -> Result<Option<K::Ref<'a>>, WrongType> {
        let Some(id) = id else { return Ok(None) };
        self.databases.keyspace(self.db).value(id).and_then(K::read).map(Some).ok_or(WrongType)
    }

    // ---- Reading ----

    /// How many keys there are, with those that have expired but have not been removed yet.
    pub fn len(&self) -> usize {
        self.databases.keyspace(self.db).len()
    }

    /// Whether there is such a key. No hit, no miss.
    pub fn exists(&mut self, key: &[u8]) -> bool {
        self.find(key).is_some()
    }

    /// Whether a key is still there although its time has come.
    pub fn has_expired(&self, key: &[u8]) -> bool {
        let found = self.databases[self.db].lookup(key, self.now);
        matches!(found, Found::Expired(_)) && self.databases.expiry != Expiry::Ignores
    }

    /// The value at a key, as a read: a hit or a miss.
    pub fn read_any(mut self, key: &[u8]) -> Option<ValueRef<'a>> {
        let id = self.find_to_read(key)?;
        self.databases.keyspace(self.db).value(id)
    }

    /// As [`Db::read_any`], but the key is not used.
    pub fn look_at(mut self, key: &[u8]) -> Option<ValueRef<'a>> {
        let id = self.find_to_look(key)?;
        self.databases.keyspace(self.db).value(id)
    }

    /// As [`Db::look_at`], but nobody is told of a miss.
    pub fn inspect(mut self, key: &[u8]) -> Option<ValueRef<'a>> {
        let id = self.find_to_inspect(key)?;
        self.databases.keyspace(self.db).value(id)
    }

    /// As [`Db::read_any`] for a value of one type.
    pub fn read<K: Kind>(mut self, key: &[u8]) -> Result<Option<K::Ref<'a>>, WrongType> {
        let id = self.find_to_read(key);
        self.typed::<K>(id)
    }

    /// The values at several keys, as reads. Nothing is read when one has another type.
    pub fn read_several<'k, K: Kind>(
        mut self,
        keys: impl Iterator<Item = &'k [u8]>,
    ) -> Result<Vec<Option<K::Ref<'a>>>, WrongType> {
        let mut ids: Vec<Option<EntryId>> = Vec::new();
        for key in keys {
            let id = self.find_to_read(key);
            // Nobody looks at what comes behind one of another type.
            if let Some(id) = id {
                self.databases.keyspace(self.db).value(id).and_then(K::read).ok_or(WrongType)?;
            }
            ids.push(id);
        }
        let keyspace = self.databases.keyspace(self.db);
        let value = |id| keyspace.value(id).and_then(K::read).ok_or(WrongType);
        ids.into_iter().map(|id| id.map(value).transpose()).collect()
    }

    /// As [`Db::read_any`] for several keys, up to the first with a value that does not fit.
    pub fn read_several_any<'k>(
        mut self,
        keys: impl Iterator<Item = &'k [u8]>,
        fits: impl Fn(ValueRef<'_>) -> bool,
    ) -> Vec<Option<ValueRef<'a>>> {
        let mut ids: Vec<Option<EntryId>> = Vec::new();
        for key in keys {
            let id = self.find_to_read(key);
            ids.push(id);
            if id.and_then(|id| self.databases.keyspace(self.db).value(id)).is_some_and(|value| !fits(value)) {
                break;
            }
        }
        let keyspace = self.databases.keyspace(self.db);
        ids.into_iter().map(|id| keyspace.value(id?)).collect()
    }

    /// The value at a key, for a command that may change it afterwards, or only tells about it: no hit, no miss.
    pub fn peek_any(mut self, key: &[u8]) -> Option<ValueRef<'a>> {
        let id = self.find(key)?;
        self.databases.keyspace(self.db).value(id)
    }

    /// As [`Db::peek_any`] for a value of one type.
    pub fn peek<K: Kind>(mut self, key: &[u8]) -> Result<Option<K::Ref<'a>>, WrongType> {
        let id = self.find(key);
        self.typed::<K>(id)
    }

    /// When a key expires, in Unix milliseconds: None if there is no such key, `Some(None)` if it lives forever. A hit
    /// or a miss.
    pub fn read_deadline(&mut self, key: &[u8]) -> Option<Option<i64>> {
        let id = self.find_to_look(key)?;
        Some(self.databases.keyspace(self.db).deadline(id))
    }

    /// As [`Db::read_deadline`], without hit or miss.
    pub fn deadline(&mut self, key: &[u8]) -> Option<Option<i64>> {
        let id = self.find(key)?;
        Some(self.databases.keyspace(self.db).deadline(id))
    }

    /// How many bytes of memory a key and its value have, even if it has expired. No hit, no miss.
    pub fn memory(&self, key: &[u8]) -> Option<usize> {
        let keyspace = self.databases.keyspace(self.db);
        match keyspace.lookup(key, self.now) {
            Found::Live(id) | Found::Expired(id) => Some(keyspace.entry_memory(id)),
            Found::Missing => None,
        }
    }

    /// A key picked at random. Expired ones that come up are removed and passed over.
    pub fn random_key(self) -> Option<&'a [u8]> {
        // A replica may have nothing but expired keys for a while.
        const TRIES: u32 = 100;
        for tries in 1.. {
            let id = self.databases.random_entry(self.db)?;
            let removes = self.databases.removes_expired();
            let is_alive = self.databases.keyspace(self.db).deadline(id).is_none_or(|at| !has_expired(at, self.now));
            if is_alive || (!removes && tries >= TRIES) {
                return Some(self.databases.keyspace(self.db).key(id));
            }
            if removes {
                self.databases.expire_one(self.db, id);
            }
        }
        None
    }

    /// One step of a scan: see [`Keyspace::scan`]. A key that has expired comes without a value, and is removed if
    /// `found` says so.
    pub fn scan(&mut self, cursor: u64, mut found: impl FnMut(&[u8], Option<ValueRef<'_>>) -> bool) -> u64 {
        let (now, mut expired) = (self.now, Vec::<Box<[u8]>>::new());
        let next = self.databases.keyspace(self.db).scan(cursor, |key, value, deadline| {
            let is_expired = deadline.is_some_and(|at| has_expired(at, now));
            if found(key, (!is_expired).then_some(value)) && is_expired {
                expired.push(key.into());
            }
        });
        expired.iter().for_each(|key| _ = self.find(key));
        next
    }

    /// Every key that has not expired.
    pub fn keys(self) -> impl Iterator<Item = &'a [u8]> {
        let now = self.now;
        let keys = self.databases.keyspace(self.db).iter();
        keys.filter(move |(_, deadline)| deadline.is_none_or(|at| !has_expired(at, now))).map(|(key, _)| key)
    }

    // ---- Changing ----

    pub(super) fn changed(&mut self, key: &[u8], event: Event) {
        self.databases.dirty += 1;
        self.tell(key, event);
    }

    /// As `changed`, for what does not count: it is a part of another change.
    pub(super) fn tell(&mut self, key: &[u8], event: Event) {
        self.databases.observers.changed(self.db, key);
        self.databases.observers.happened(self.db, key, event);
    }

    /// The value at a key, to be changed; None if there is none.
    pub fn edit<K: Kind>(mut self, key: &'a [u8], event: Event) -> Result<Option<Edit<'a, K>>, WrongType> {
        let Some(id) = self.find(key) else { return Ok(None) };
        self.databases.note_use(self.db, id, self.now);
        Edit::new(self.databases, self.db, id, key, event, false).map(Some).ok_or(WrongType)
    }

    /// The value at a key, to be changed; an empty one if there is none, which goes again if it is not changed.
    pub fn edit_or_create<K: Kind>(mut self, key: &'a [u8], event: Event) -> Result<Edit<'a, K>, WrongType> {
        let (found, place) = self.find_place(key);
        if let Some(id) = found {
            self.databases.note_use(self.db, id, self.now);
            return Edit::new(self.databases, self.db, id, key, event, false).ok_or(WrongType);
        }
        let noted = self.first_use();
        let keyspace = self.databases.keyspace_mut(self.db);
        let id = keyspace.set_at(place, key, K::empty(), false);
        keyspace.note_access(id, noted);
        Edit::new(self.databases, self.db, id, key, event, true).ok_or(WrongType)
    }

    /// What is common to all forms of setting a key. `put` stores the value at its place; an old deadline stays if it
    /// is told so.
    fn set_with(
        &mut self,
        key: &[u8],
        ttl: Ttl,
        event: Event,
        put: impl FnOnce(&mut Keyspace, Place, bool) -> EntryId,
    ) {
        let found = self.find_place(key);
        if let Some(id) = found.0 {
            self.databases.note_use(self.db, id, self.now);
            self.databases.clear_large(self.db, id);
        }
        self.set_found(found, key, ttl, event, put);
    }

    /// As `set_with`, for a key that was looked for.
    fn set_found(
        &mut self,
        (old, place): (Option<EntryId>, Place),
        key: &[u8],
        ttl: Ttl,
        event: Event,
        put: impl FnOnce(&mut Keyspace, Place, bool) -> EntryId,
    ) {
        let (is_new, noted) = (old.is_none(), self.first_use());
        let keyspace = match old {
            Some(id) => self.databases.changing(self.db, id),
            None => self.databases.keyspace_mut(self.db),
        };
        let id = put(keyspace, place, ttl != Ttl::Clear);
        if is_new {
            keyspace.note_access(id, noted);
        }
        if let Ttl::At(at) = ttl {
            keyspace.set_deadline(id, at);
            self.databases.note_deadline(self.db, key);
        }
        if is_new {
            self.databases.observers.happened(self.db, key, Event::NEW);
        }
        self.changed(key, event);
        if let Ttl::At(_) = ttl {
            self.databases.observers.happened(self.db, key, Event::EXPIRE);
        }
    }

    /// Sets a key to a value, whatever it held.
    pub fn set(&mut self, key: &[u8], value: impl Into<Value>, ttl: Ttl, event: Event) {
        self.set_with(key, ttl, event, |keyspace, place, keep| keyspace.set_at(place, key, value.into(), keep));
    }

    /// As [`Db::set`] for a string, copied into the old value's memory where it fits.
    pub fn set_string<'c>(&mut self, key: &[u8], content: impl Into<Content<'c>>, ttl: Ttl, event: Event) {
        self.set_with(key, ttl, event, |keyspace, place, keep| keyspace.set_string_at(place, key, content, keep));
    }

    /// Sets a string to the integer that `change` makes of it, or of none. The time to live stays. Returns the integer.
    pub fn set_integer<E: From<WrongType>>(
        &mut self,
        key: &[u8],
        event: Event,
        change: impl FnOnce(Option<StringRef<'_>>) -> Result<i64, E>,
    ) -> Result<i64, E> {
        let found = self.find_place(key);
        let before = match found.0 {
            Some(id) => {
                self.databases.note_use(self.db, id, self.now);
                let value = self.databases.keyspace(self.db).value(id);
                Some(value.and_then(ValueRef::as_string).ok_or(WrongType)?)
            }
            None => None,
        };
        let ttl = if before.is_some() { Ttl::Keep } else { Ttl::Clear };
        let integer = change(before)?;
        self.set_found(found, key, ttl, event, |keyspace, place, keep| {
            keyspace.set_integer_at(place, key, integer, keep)
        });
        Ok(integer)
    }

    /// Sets a key to a collection that a command made; one with nothing in it deletes the key.
    pub fn store(&mut self, key: &[u8], value: impl Into<Value>, event: Event) {
        let value = value.into();
        if value.is_empty_collection() {
            self.clear(key);
        } else {
            self.set(key, value, Ttl::Clear, event);
        }
    }

    /// Removes a key in whose place comes a result with nothing in it. As in Redis, one that has expired and is still
    /// there is removed by that, and does not expire.
    pub fn clear(&mut self, key: &[u8]) {
        if self.overwrite(key) {
            self.changed(key, Event::DEL);
        }
    }

    /// As [`Db::clear`], for a key that gets something else at once: nobody is told.
    pub(super) fn overwrite(&mut self, key: &[u8]) -> bool {
        let (Found::Live(id) | Found::Expired(id)) = self.databases.keyspace(self.db).lookup(key, self.now) else {
            return false;
        };
        self.databases.delete(self.db, id);
        true
    }

    /// Removes a key. False if there was none.
    pub fn remove(&mut self, key: &[u8], event: Event) -> bool {
        let Some(id) = self.find(key) else { return false };
        self.databases.delete(self.db, id);
        self.changed(key, event);
        true
    }

    /// Whether a key that gets this deadline is gone at once. A replica removes nothing by itself, and while a file is
    /// loaded, which may have something else to say of the key, nothing is removed either.
    pub fn has_passed(&self, at: i64) -> bool {
        at <= self.now && self.databases.expiry == Expiry::Removes
    }

    /// Says when a key expires, in Unix milliseconds. A time that has come removes it at once. False if there is no
    /// such key.
    pub fn set_deadline(&mut self, key: &[u8], at: i64) -> bool {
        let Some(id) = self.find(key) else { return false };
        if self.has_passed(at) {
            return self.remove(key, Event::DEL);
        }
        self.databases.changing(self.db, id).set_deadline(id, at);
        self.databases.note_deadline(self.db, key);
        self.changed(key, Event::EXPIRE);
        true
    }

    /// Has a key live forever. False if it did, or if there is none.
    pub fn persist(&mut self, key: &[u8]) -> bool {
        let Some(id) = self.find(key) else { return false };
        let cleared = self.databases.changing(self.db, id).clear_deadline(id);
        if cleared {
            self.changed(key, Event::generic("persist"));
        }
        cleared
    }
}

#[cfg(test)]
#[path = "door_tests.rs"]
mod tests;
