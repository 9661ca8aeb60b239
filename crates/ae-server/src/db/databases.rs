//! The databases, and what is done regularly to their keys.

use std::ops::{Index, IndexMut};
use std::time::{Duration, Instant};
use store::Keyspace;

/// How long one round of active expiry may take, and the pause after a round that did not finish: together at most a
/// fifth of the time goes to expiry, and no request waits longer than a round.
const EXPIRE_ROUND: Duration = Duration::from_micros(500);
pub const EXPIRE_PAUSE: Duration = Duration::from_micros(2000);
/// Keys removed between two looks at the clock.
const EXPIRE_BATCH: usize = 32;
/// How long one cron run may spend on moving hash buckets, and how many steps between two looks at the clock.
const REHASH_ROUND: Duration = Duration::from_millis(1);
const REHASH_BATCH: usize = 100;

/// All databases, by number.
pub struct Databases {
    keyspaces: Vec<Keyspace>,
    /// The state of [`next_random`].
    random: u64,
    /// The database that the next round of expiry begins with, so that a full one does not starve the others.
    expire_next: usize,
    /// Active expiry rests until then.
    expire_after: Instant,
    /// Rounds of active expiry that ran out of time since the statistics were reset.
    pub expire_stopped: u64,
}

impl Index<usize> for Databases {
    type Output = Keyspace;

    fn index(&self, db: usize) -> &Keyspace {
        &self.keyspaces[db]
    }
}

impl IndexMut<usize> for Databases {
    fn index_mut(&mut self, db: usize) -> &mut Keyspace {
        &mut self.keyspaces[db]
    }
}

impl Databases {
    /// `seed` is not 0.
    pub fn new(count: u32, seed: u64) -> Databases {
        Databases {
            keyspaces: (0..count).map(|_| Keyspace::new()).collect(),
            random: seed,
            expire_next: 0,
            expire_after: Instant::now(),
            expire_stopped: 0,
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = &Keyspace> {
        self.keyspaces.iter()
    }

    /// Removes everything, and returns what was there.
    pub fn take(&mut self) -> Vec<Keyspace> {
        self.keyspaces.iter_mut().map(Keyspace::take).collect()
    }

    pub fn reset_statistics(&mut self) {
        self.keyspaces.iter_mut().for_each(|keyspace| keyspace.expired = 0);
        self.expire_stopped = 0;
    }

    /// A key of database `db` picked at random; expired ones that come up are removed and passed over.
    pub fn random_key(&mut self, db: usize, now: i64) -> Option<u32> {
        loop {
            let keyspace = &mut self.keyspaces[db];
            let id = keyspace.random(|| next_random(&mut self.random))?;
            if keyspace.deadline(id).is_none_or(|at| at > now) {
                return Some(id);
            }
            keyspace.expire_one(id);
        }
    }

    /// Removes keys whose time has come, for a bounded time. True if some may be left.
    pub fn expire(&mut self, now: i64) -> bool {
        if self.keyspaces.iter().all(|keyspace| keyspace.first_deadline().is_none_or(|at| at > now)) {
            return false;
        }
        let start = Instant::now();
        if start < self.expire_after {
            return true;
        }
        let count = self.keyspaces.len();
        for i in 0..count {
            let db = (self.expire_next + i) % count;
            while self.keyspaces[db].expire(now, EXPIRE_BATCH) == EXPIRE_BATCH {
                if start.elapsed() >= EXPIRE_ROUND {
                    self.expire_next = db + 1;
                    self.expire_after = Instant::now() + EXPIRE_PAUSE;
                    self.expire_stopped += 1;
                    return true;
                }
            }
        }
        false
    }

    /// Continues resizes of hash tables that no requests move on.
    pub fn rehash(&mut self) {
        let start = Instant::now();
        for keyspace in &mut self.keyspaces {
            while (0..REHASH_BATCH).all(|_| keyspace.step()) {
                if start.elapsed() >= REHASH_ROUND {
                    return;
                }
            }
        }
    }
}

/// xorshift64: `state` is never 0.
fn next_random(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_000_000;

    #[test]
    fn expiry_is_bounded_and_gets_done() {
        let mut databases = Databases::new(16, 1);
        for db in [0, 7] {
            for i in 0..50_000u32 {
                let id = databases[db].set_string(&i.to_le_bytes(), b"", false);
                databases[db].set_deadline(id, NOW - 1 + i64::from(i % 10) / 9 * 100_000);
            }
        }
        let mut rounds = 0;
        while databases.expire(NOW) {
            rounds += 1;
            std::thread::sleep(Duration::from_micros(100));
        }
        assert!(rounds > 1, "100 000 keys went in a single round");
        assert_eq!((databases[0].len(), databases[7].len()), (5_000, 5_000));
        assert_eq!(databases[0].expired, 45_000);
    }

    #[test]
    fn random_keys_are_alive() {
        let mut databases = Databases::new(16, 1);
        assert_eq!(databases.random_key(0, NOW), None);
        for i in 0..100u8 {
            let id = databases[0].set_string(&[i], b"", false);
            if i != 42 {
                databases[0].set_deadline(id, NOW - 1);
            }
        }
        let id = databases.random_key(0, NOW).unwrap();
        assert_eq!(databases[0].key(id), [42]);
    }
}
