//! The databases, and what is done regularly to their keys.

use super::candidates::Candidates;
use super::effects::Effects;
use super::event::Event;
use super::garbage::Garbage;
use super::observers::Observers;
use super::own_volatile::OwnVolatile;
use super::random::Random;
use super::snapshot::{Snapshot, is_large};
use super::usage::Usage;
use std::ops::Index;
use std::time::{Duration, Instant};
use store::{EntryId, Found, Keyspace, StringValue, Value, ValueRef};

/// How long one round of active expiry may take, and the pause after a round that did not finish: together at most a
/// fifth of the time goes to expiry, and no request waits longer than a round.
/// How long a round takes at most, with the least effort of 1; with the greatest of 10 it is three times as long.
const EXPIRE_ROUND: Duration = Duration::from_micros(500);
pub const EXPIRE_PAUSE: Duration = Duration::from_micros(2000);
/// Keys removed between two looks at the clock.
const EXPIRE_BATCH: usize = 32;
/// What is counted about keys, until CONFIG RESETSTAT.
#[derive(Default)]
pub struct KeyStats {
    pub hits: u64,
    pub misses: u64,
    pub expired: u64,
    pub evicted: u64,
    /// Rounds of active expiry that ran out of time.
    pub expire_stopped: u64,
}

/// What becomes of a key whose time has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Expiry {
    /// It is removed, and others are told.
    Removes,
    /// It cannot be seen; the primary removes it.
    Hides,
    /// It is there as long as the primary has not removed it.
    Ignores,
}

/// All databases, by number. Commands change them through `Db` alone.
pub struct Databases {
    keyspaces: Vec<Keyspace>,
    pub random: Random,
    /// The database that the next round of expiry begins with, so that a full one does not starve the others.
    expire_next: usize,
    /// Active expiry rests until then.
    expire_after: Instant,
    /// `active-expire-effort`
    pub expire_effort: u32,
    pub observers: Observers,
    /// How uses of keys are noted.
    pub usage: Usage,
    /// The client has not said that what it does is no use of keys.
    pub notes_uses: bool,
    /// What waits to be freed.
    pub garbage: Garbage,
    /// What may be evicted next.
    pub(super) candidates: Candidates,
    /// The database that a random key is next looked for in.
    pub(super) evict_next: usize,
    /// How many changes there have been.
    pub dirty: u64,
    /// What they are elsewhere.
    pub effects: Effects,
    /// Keys whose time has come stay: while a file is loaded whose later parts may change them.
    pub keeps_expired: bool,
    pub stats: KeyStats,
    /// The snapshot under way.
    pub(super) snapshot: Option<Snapshot>,
    pub expiry: Expiry,
    /// What expires although the primary's keys do not.
    pub own_volatile: OwnVolatile,
    /// Nothing goes by itself: clients are paused, and the data are to stay as they are.
    pub frozen: bool,
}

impl Index<usize> for Databases {
    type Output = Keyspace;

    fn index(&self, db: usize) -> &Keyspace {
        &self.keyspaces[db]
    }
}

impl Databases {
    pub fn new(count: u32, seed: u64) -> Databases {
        Databases {
            keyspaces: (0..count).map(|_| Keyspace::new()).collect(),
            random: Random::new(seed),
            expire_next: 0,
            expire_after: Instant::now(),
            expire_effort: 1,
            observers: Observers::default(),
            usage: Usage::default(),
            notes_uses: true,
            garbage: Garbage::default(),
            candidates: Candidates::default(),
            evict_next: 0,
            dirty: 0,
            effects: Effects::default(),
            keeps_expired: false,
            stats: KeyStats::default(),
            snapshot: None,
            expiry: Expiry::Removes,
            own_volatile: OwnVolatile::default(),
            frozen: false,
        }
    }

    pub fn len(&self) -> usize {
        self.keyspaces.len()
    }

    pub fn iter(&self) -> impl Iterator<Item = &Keyspace> {
        self.keyspaces.iter()
    }

    pub(super) fn keyspace(&self, db: usize) -> &Keyspace {
        &self.keyspaces[db]
    }

    /// A database, to add a key that is not there, or to note the use of one. Everything else asks for
    /// [`Databases::changing`].
    pub(super) fn keyspace_mut(&mut self, db: usize) -> &mut Keyspace {
        &mut self.keyspaces[db]
    }

    /// A database of which an entry is about to change or to go. The snapshot under way gets it first, as it is.
    /// Whatever changes an entry that is there passes through here.
    pub(super) fn changing(&mut self, db: usize, id: EntryId) -> &mut Keyspace {
        let keyspace = &mut self.keyspaces[db];
        if let Some(snapshot) = &mut self.snapshot {
            snapshot.save_first(db, keyspace, id);
        }
        keyspace
    }

    /// Removes an entry. Its value is freed as soon as nobody needs it.
    pub(super) fn delete(&mut self, db: usize, id: EntryId) {
        self.take_out(db, id, |keyspace| keyspace.delete(id));
    }

    /// Has `take` take the value out of an entry, for the snapshot under way, if that has not written it yet, or to be
    /// freed.
    fn take_out(&mut self, db: usize, id: EntryId, take: impl FnOnce(&mut Keyspace) -> Option<Value>) {
        let keyspace = &mut self.keyspaces[db];
        if let Some(snapshot) = &mut self.snapshot
            && !snapshot.save_before_it_goes(db, keyspace, id)
        {
            return snapshot.keep_value(db, keyspace, id, take);
        }
        take(keyspace).into_iter().for_each(|value| self.garbage.add(value));
    }

    pub(super) fn swap(&mut self, one: usize, other: usize) {
        self.keyspaces.swap(one, other);
        if let Some(snapshot) = &mut self.snapshot {
            snapshot.swap(one, other);
        }
    }

    /// Takes everything out of a database.
    pub(super) fn take_keyspace(&mut self, db: usize) -> Keyspace {
        self.keyspaces[db].take()
    }

    /// Puts other databases in the place of these, and returns these.
    pub(super) fn replace_keyspaces(&mut self, keyspaces: Vec<Keyspace>) -> Vec<Keyspace> {
        std::mem::replace(&mut self.keyspaces, keyspaces)
    }

    /// A random entry of a database.
    pub(super) fn random_entry(&mut self, db: usize) -> Option<EntryId> {
        self.keyspaces[db].random(|| self.random.number())
    }

    /// A random entry of a database among those that expire.
    pub(super) fn random_volatile_entry(&mut self, db: usize) -> Option<EntryId> {
        self.keyspaces[db].random_volatile(|| self.random.number())
    }

    /// Whether a key whose time has come is removed by whoever meets it.
    pub(super) fn removes_expired(&self) -> bool {
        self.expiry == Expiry::Removes && !self.frozen
    }

    /// Removes an entry because its time has come.
    pub(super) fn expire_one(&mut self, db: usize, id: EntryId) {
        self.stats.expired += 1;
        let key = self.keyspaces[db].key(id);
        self.observers.removed(db, key);
        self.observers.happened(db, key, Event::EXPIRED);
        self.effects.add_removal(db, key);
        self.delete(db, id);
    }

    /// Notes that a key got a deadline, if that is not what the primary or a file says.
    pub(super) fn note_deadline(&mut self, db: usize, key: &[u8]) {
        if self.expiry == Expiry::Hides && !self.keeps_expired {
            self.own_volatile.add(db, key);
        }
    }

    /// Removes those whose time has come among some of the keys to which a replica's own clients gave one.
    pub fn expire_own(&mut self, now: i64) {
        for place in self.own_volatile.round() {
            let (db, key) = &place;
            match self.keyspaces[*db].lookup(key, now) {
                Found::Live(id) if self.keyspaces[*db].deadline(id).is_some() => continue,
                Found::Expired(id) => self.expire_one(*db, id),
                Found::Live(_) | Found::Missing => {}
            }
            self.own_volatile.remove(&place);
        }
    }

    /// Counts a change of what is saved beside the keys.
    pub fn note_change_beside(&mut self) {
        self.dirty += 1;
    }

    /// Notes that an entry is used.
    pub(super) fn note_use(&mut self, db: usize, id: EntryId, now: i64) {
        let Databases { keyspaces, usage, random, notes_uses, .. } = self;
        if *notes_uses {
            keyspaces[db].update_access(id, |before| usage.again(before, now, || random.number()));
        }
    }

    /// Takes a large value out of an entry that is about to get another one.
    pub(super) fn clear_large(&mut self, db: usize, id: EntryId) {
        let is_large = |value: ValueRef<'_>| match value {
            ValueRef::String(_) => self.snapshot.is_some() && is_large(value),
            value => value.elements() > 1,
        };
        if self.keyspaces[db].value(id).is_some_and(is_large) {
            self.take_out(db, id, |keyspace| {
                keyspace.value_mut(id).map(|value| std::mem::replace(value, StringValue::default().into()))
            });
        }
    }

    /// How many bytes of memory that entries have had are free for new ones: they are in use only as the allocator sees
    /// it.
    pub fn free_bytes(&self) -> usize {
        self.keyspaces.iter().map(Keyspace::free_bytes).sum()
    }

    /// Whether the time of some key has come.
    pub fn expires(&self, now: i64) -> bool {
        self.keyspaces.iter().any(|keyspace| keyspace.due(now).is_some())
    }

    /// Removes keys whose time has come, for a bounded time. True if some may be left.
    pub fn expire(&mut self, now: i64) -> bool {
        let start = Instant::now();
        if start < self.expire_after {
            return true;
        }
        let round = expire_round(self.expire_effort);
        let count = self.keyspaces.len();
        for i in 0..count {
            let db = (self.expire_next + i) % count;
            while self.expire_batch(db, now) {
                if start.elapsed() >= round {
                    self.expire_next = db + 1;
                    self.expire_after = Instant::now() + EXPIRE_PAUSE;
                    self.stats.expire_stopped += 1;
                    return true;
                }
            }
        }
        false
    }

    /// Removes some of the keys whose time has come. True if some may be left.
    fn expire_batch(&mut self, db: usize, now: i64) -> bool {
        (0..EXPIRE_BATCH).all(|_| match self.keyspaces[db].due(now) {
            Some(id) => {
                self.expire_one(db, id);
                true
            }
            None => false,
        })
    }
}

/// How long a round of expiry may take: at an effort of 1 a fifth of the time if there is a pause behind each, of 10
/// almost half of it.
fn expire_round(effort: u32) -> Duration {
    EXPIRE_ROUND * (effort.clamp(1, 10) + 3) / 4
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::door::Ttl;

    const NOW: i64 = 1_000_000;

    fn fill(databases: &mut Databases, db: usize, key: &[u8], at: Option<i64>) {
        let ttl = at.map_or(Ttl::Clear, Ttl::At);
        databases.db(db, 0).set_string(key, b"", ttl, Event::SET);
    }

    #[test]
    fn expiry_is_bounded_and_gets_done() {
        let mut databases = Databases::new(16, 1);
        for db in [0, 7] {
            for i in 0..50_000u32 {
                fill(&mut databases, db, &i.to_le_bytes(), Some(NOW - 1 + i64::from(i % 10) / 9 * 100_000));
            }
        }
        let mut rounds = 0;
        while databases.expire(NOW) {
            rounds += 1;
            std::thread::sleep(Duration::from_micros(100));
        }
        assert!(rounds > 1, "100 000 keys went in a single round");
        assert_eq!((databases[0].len(), databases[7].len()), (5_000, 5_000));
        assert_eq!(databases.stats.expired, 90_000);
        assert!(databases.stats.expire_stopped > 0, "INFO says how often there was no time for more");
    }

    #[test]
    fn effort_makes_rounds_longer() {
        let rounds = [0, 1, 10, 99].map(|effort| expire_round(effort).as_micros());
        assert_eq!(rounds, [500, 500, 1625, 1625]);
    }

    #[test]
    fn random_keys_are_alive() {
        let mut databases = Databases::new(16, 1);
        assert_eq!(databases.db(0, NOW).random_key(), None);
        for i in 0..100u8 {
            fill(&mut databases, 0, &[i], (i != 42).then_some(NOW - 1));
        }
        assert_eq!(databases.db(0, NOW).random_key(), Some(&[42][..]));
    }

    /// One database with very many of them holds up no other.
    #[test]
    fn each_round_begins_with_another_database() {
        let mut databases = Databases::new(2, 1);
        for db in [0, 1] {
            (0..50_000u32).for_each(|i| fill(&mut databases, db, &i.to_le_bytes(), Some(1)));
        }
        databases.expire_effort = 0;
        while databases.stats.expire_stopped < 2 {
            databases.expire(NOW);
        }
        assert!(!databases[0].is_empty() && databases[1].len() < 50_000);
    }
}
