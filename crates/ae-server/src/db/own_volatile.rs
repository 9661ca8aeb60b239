//! Keys of a replica to which its own clients gave a time to live. The primary does not know of them, so nobody else removes
//! them.

use super::databases::{Databases, Expiry};
use std::collections::BTreeSet;
use std::ops::Bound::{Excluded, Unbounded};
use store::Found;

/// How many of them one round looks at.
const ROUND: usize = 1000;

/// A database and a key in it.
type Place = (usize, Box<[u8]>);

#[derive(Default)]
pub struct OwnVolatile {
    keys: BTreeSet<Place>,
    /// Where the last round ended, unless it got to the end.
    last: Option<Place>,
}

impl OwnVolatile {
    pub fn clear(&mut self) {
        *self = OwnVolatile::default();
    }
}

impl Databases {
    /// Notes that a key got a deadline, if that is not what the primary or a file says.
    pub(super) fn note_deadline(&mut self, db: usize, key: &[u8]) {
        if self.expiry == Expiry::Hides && !self.keeps_expired {
            self.own_volatile.keys.insert((db, key.into()));
        }
    }

    /// Removes those whose time has come among some of these keys.
    pub fn expire_own(&mut self, now: i64) {
        let mut own = std::mem::take(&mut self.own_volatile);
        let from = own.last.take().map_or(Unbounded, Excluded);
        let places: Vec<Place> = own.keys.range((from, Unbounded)).take(ROUND).cloned().collect();
        own.last = places.get(ROUND - 1).cloned();
        for place in places {
            let (db, key) = &place;
            match self.keyspace(*db).lookup(key, now) {
                Found::Live(id) if self.keyspace(*db).deadline(id).is_some() => continue,
                Found::Expired(id) => self.expire_one(*db, id),
                Found::Live(_) | Found::Missing => {}
            }
            own.keys.remove(&place);
        }
        self.own_volatile = own;
    }
}
