//! Keys of a replica to which its own clients gave a time to live. The primary does not know of them, so nobody else
//! removes them.

use std::collections::BTreeSet;
use std::ops::Bound::{Excluded, Unbounded};

/// How many of them one round looks at.
const ROUND: usize = 1000;

/// A database and a key in it.
pub type Place = (usize, Box<[u8]>);

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

    pub(super) fn add(&mut self, db: usize, key: &[u8]) {
        self.keys.insert((db, key.into()));
    }

    pub(super) fn remove(&mut self, place: &Place) {
        self.keys.remove(place);
    }

    /// The next ones to look at.
    pub(super) fn round(&mut self) -> Vec<Place> {
        let from = self.last.take().map_or(Unbounded, Excluded);
        let places: Vec<Place> = self.keys.range((from, Unbounded)).take(ROUND).cloned().collect();
        self.last = places.get(ROUND - 1).cloned();
        places
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_get_to_all_of_them() {
        let mut keys = OwnVolatile::default();
        for key in 0..2 * ROUND {
            keys.add(0, &key.to_be_bytes());
        }
        let seen: BTreeSet<Place> = (0..2).flat_map(|_| keys.round()).collect();
        assert_eq!(seen.len(), 2 * ROUND);
    }
}
