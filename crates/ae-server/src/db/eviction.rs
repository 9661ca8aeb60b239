//! Making room by removing keys that are the least likely to be missed.

use super::candidates::Candidate;
use super::databases::Databases;
use super::event::Event;
use crate::config::choices::Policy;
use store::EntryId;

/// A key that has gone, of which nobody has been told yet.
#[must_use]
pub struct Evicted {
    db: usize,
    pub key: Box<[u8]>,
}

impl Databases {
    /// Removes one key by a policy that compares so many samples at a time. Nobody is told yet, so that the caller sees
    /// what memory that frees. None if there is no key that it may remove.
    pub fn evict_one(&mut self, policy: Policy, samples: u32, now: i64) -> Option<Evicted> {
        let found = match policy {
            Policy::NoEviction => None,
            Policy::AllkeysRandom | Policy::VolatileRandom => self.any_key(policy == Policy::VolatileRandom),
            Policy::VolatileTtl => self.first_to_expire(),
            Policy::AllkeysLru | Policy::AllkeysLfu => self.best_candidate(false, samples, now),
            Policy::VolatileLru | Policy::VolatileLfu => self.best_candidate(true, samples, now),
        };
        let (db, id) = found?;
        self.stats.evicted += 1;
        let key: Box<[u8]> = self.keyspace(db).key(id).into();
        let value = self.changing(db, id).delete(id);
        value.into_iter().for_each(|value| self.garbage.add_here(value));
        Some(Evicted { db, key })
    }

    /// Tells of a key that has been evicted.
    pub fn tell_evicted(&mut self, Evicted { db, key }: Evicted) {
        self.observers.removed(db, &key);
        self.observers.happened(db, &key, Event::EVICTED);
        self.effects.add_removal(db, &key);
    }

    /// A random key of the next database that has one: as in Redis, each has its turn.
    fn any_key(&mut self, volatile: bool) -> Option<(usize, EntryId)> {
        let (first, count) = (self.evict_next, self.len());
        let mut all = (0..count).map(|i| (first + i) % count);
        let found = all.find_map(|db| self.sample(db, volatile).map(|id| (db, id)));
        self.evict_next = found.map_or(0, |(db, _)| db + 1);
        found
    }

    fn sample(&mut self, db: usize, volatile: bool) -> Option<EntryId> {
        if volatile { self.random_volatile_entry(db) } else { self.random_entry(db) }
    }

    fn first_to_expire(&self) -> Option<(usize, EntryId)> {
        let all = (0..self.len()).filter_map(|db| self[db].first_deadline().map(|(at, id)| (at, db, id)));
        all.min_by_key(|(at, ..)| *at).map(|(_, db, id)| (db, id))
    }

    /// The best of the candidates after some more have been looked at. One that has gone since is passed over.
    fn best_candidate(&mut self, volatile: bool, samples: u32, now: i64) -> Option<(usize, EntryId)> {
        loop {
            let mut looked_at = 0;
            for db in 0..self.len() {
                for _ in 0..samples {
                    let Some(id) = self.sample(db, volatile) else { break };
                    looked_at += 1;
                    self.add_candidate(db, id, now);
                }
            }
            if looked_at == 0 {
                return None;
            }
            while let Some(best) = self.candidates.take_best() {
                let id = self[best.db].find(&best.key);
                if let Some(id) = id.filter(|id| !volatile || self[best.db].deadline(*id).is_some()) {
                    return Some((best.db, id));
                }
            }
        }
    }

    fn add_candidate(&mut self, db: usize, id: EntryId, now: i64) {
        let (keyspace, usage) = (self.keyspace(db), self.usage);
        let noted = keyspace.access(id);
        let score = match usage.frequency {
            true => u64::from(u8::MAX - usage.frequency(noted, now)),
            false => usage.idle_time(noted, now) as u64,
        };
        if self.candidates.wants(score) {
            let candidate = Candidate { score, db, key: keyspace.key(id).into() };
            self.candidates.add(candidate);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::door::Ttl;
    use crate::db::usage::Usage;

    /// A hundred keys, each used a second later than the one before; the even ones expire, the first of them last.
    fn databases() -> Databases {
        filled(Usage::default())
    }

    fn filled(usage: Usage) -> Databases {
        let mut databases = Databases::new(16, 1);
        databases.usage = usage;
        for i in 0..100i64 {
            let ttl = if i % 2 == 0 { Ttl::At(1_000_000 - i) } else { Ttl::Clear };
            databases.db((i % 3) as usize, i * 1000).set_string(&[i as u8], b"", ttl, Event::SET);
        }
        databases
    }

    /// The keys that are left after so many evictions.
    fn left(databases: &mut Databases, policy: Policy, evictions: usize) -> Vec<u8> {
        for _ in 0..evictions {
            assert!(databases.evict_one(policy, 10, 100_000).is_some());
        }
        let mut keys: Vec<u8> = databases.iter().flat_map(|keyspace| keyspace.iter().map(|(key, _)| key[0])).collect();
        keys.sort_unstable();
        keys
    }

    #[test]
    fn what_was_used_last_stays() {
        let left = left(&mut databases(), Policy::AllkeysLru, 50);
        let old = left.iter().filter(|key| **key < 50).count();
        assert!(old < 10, "{old} of the older half are left");
    }

    #[test]
    fn what_is_used_often_stays() {
        let mut databases = filled(Usage { frequency: true, log_factor: 0, decay_time: 0 });
        for db in 0..3 {
            let keys: Vec<Vec<u8>> = databases[db].iter().map(|(key, _)| key.to_vec()).collect();
            for key in keys.iter().filter(|key| key[0] < 50) {
                (0..20).for_each(|_| _ = databases.db(db, 100_000).read_any(key));
            }
        }
        let left = left(&mut databases, Policy::AllkeysLfu, 50);
        let rare = left.iter().filter(|key| **key >= 50).count();
        assert!(rare < 10, "{rare} of those that were not used are left");
    }

    #[test]
    fn a_key_that_no_longer_expires_stays() {
        for policy in [Policy::VolatileLru, Policy::VolatileLfu] {
            let mut databases = Databases::new(1, 1);
            for i in 0..10u8 {
                databases.db(0, i64::from(i) * 1000).set_string(&[i], b"", Ttl::At(1_000_000), Event::SET);
            }
            let evicted = databases.evict_one(policy, 100, 100_000).unwrap().key;
            (0..9).for_each(|i| _ = databases.db(0, 100_000).persist(&[i]));
            assert_eq!(databases.evict_one(policy, 100, 100_000).map(|evicted| evicted.key), Some([9][..].into()));
            assert_eq!((&evicted[..], databases[0].len()), (&[0][..], 8));
        }
    }

    #[test]
    fn volatile_policies_take_only_what_expires() {
        for policy in [Policy::VolatileLru, Policy::VolatileLfu, Policy::VolatileRandom, Policy::VolatileTtl] {
            let mut databases = databases();
            let left = left(&mut databases, policy, 50);
            assert!(left.iter().all(|key| key % 2 == 1), "{policy:?}");
            assert!(databases.evict_one(policy, 10, 100_000).is_none(), "{policy:?}");
        }
    }

    #[test]
    fn the_first_to_expire_goes_first() {
        let left = left(&mut databases(), Policy::VolatileTtl, 10);
        assert!((80..100).all(|key| left.contains(&key) == (key % 2 == 1)));
    }

    #[test]
    fn every_policy_ends() {
        let mut databases = databases();
        assert!(databases.evict_one(Policy::NoEviction, 5, 0).is_none());
        assert_eq!(left(&mut databases, Policy::AllkeysRandom, 100), []);
        assert!(databases.evict_one(Policy::AllkeysLru, 5, 0).is_none());
        assert_eq!(databases.stats.evicted, 100);
    }

    #[test]
    fn random_keys_go_from_each_database_in_turn() {
        let mut databases = databases();
        let len = |databases: &Databases| [0, 1, 2].map(|db| databases[db].len());
        let before = len(&databases);
        (0..30).for_each(|_| drop(databases.evict_one(Policy::AllkeysRandom, 5, 0)));
        assert_eq!(len(&databases), before.map(|len| len - 10));
    }
}
