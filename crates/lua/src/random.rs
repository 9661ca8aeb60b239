//! The numbers of `math.random`: those of `lrand48`, from a seed that is another in each interpreter until a script
//! sets it.

use std::cell::Cell;
use std::hash::{BuildHasher, RandomState};

const FACTOR: u64 = 0x5_DEEC_E66D;
const ADDEND: u64 = 0xB;
const LOWEST: u64 = 0x330E;
const BITS: u64 = (1 << 48) - 1;
/// The numbers are below this.
const END: u64 = 0x7FFF_FFFF;

/// A sequence of numbers.
pub struct Random {
    state: Cell<u64>,
}

impl Default for Random {
    fn default() -> Random {
        let random = Random { state: Cell::default() };
        random.seed(RandomState::new().hash_one(()) as u32);
        random
    }
}

impl Random {
    /// Begins the sequence of this seed.
    pub fn seed(&self, seed: u32) {
        self.state.set(u64::from(seed) << 16 | LOWEST);
    }

    /// From 0 to below 1.
    pub fn next(&self) -> f64 {
        let state = self.state.get().wrapping_mul(FACTOR).wrapping_add(ADDEND) & BITS;
        self.state.set(state);
        ((state >> 17) % END) as f64 / END as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_has_the_same_sequence_without_a_seed() {
        let first: Vec<f64> = (0..8).map(|_| Random::default().next()).collect();
        assert!(first.iter().any(|number| *number != first[0]));
    }

    #[test]
    fn as_lrand48() {
        let random = Random::default();
        random.seed(0);
        // The first numbers of lrand48 after srand48(0).
        for number in [366_850_414u32, 1_610_402_240, 206_956_554] {
            assert_eq!(random.next(), f64::from(number) / END as f64);
        }
    }
}
