//! The keys that are the best to evict, as far as is known.

/// How many are kept from one eviction to the next, so that a few samples each time find about the best of all.
const MOST: usize = 16;

/// A key that may be evicted.
pub struct Candidate {
    /// The higher, the sooner it goes.
    pub score: u64,
    pub db: usize,
    pub key: Box<[u8]>,
}

/// The best candidates so far, the best one last.
#[derive(Default)]
pub struct Candidates {
    sorted: Vec<Candidate>,
}

impl Candidates {
    pub fn take_best(&mut self) -> Option<Candidate> {
        self.sorted.pop()
    }

    /// Whether a key with that score would be among the best.
    pub fn wants(&self, score: u64) -> bool {
        self.sorted.len() < MOST || self.sorted[0].score < score
    }

    /// Adds one, unless it is there. The worst may have to go.
    pub fn add(&mut self, candidate: Candidate) {
        if self.sorted.iter().any(|other| other.db == candidate.db && other.key == candidate.key) {
            return;
        }
        let at = self.sorted.partition_point(|other| other.score < candidate.score);
        self.sorted.insert(at, candidate);
        if self.sorted.len() > MOST {
            self.sorted.remove(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_each_database_is_one() {
        let mut candidates = Candidates::default();
        for (db, score) in [(0, 5), (1, 4), (0, 6)] {
            candidates.add(Candidate { score, db, key: b"k"[..].into() });
        }
        let mut best = || candidates.take_best().map(|best| (best.db, best.score));
        assert_eq!([best(), best(), best()], [Some((0, 5)), Some((1, 4)), None]);
    }
}
