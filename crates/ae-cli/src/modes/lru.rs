//! `--lru-test`: uses the server as a cache of which a fifth of the keys gets most of the requests.

use crate::output::{Stop, complain, fail, put};
use crate::session::Session;
use resp::Reply;
use std::time::{Duration, Instant};

const CYCLE: Duration = Duration::from_secs(1);
const PIPELINE: usize = 250;
/// With this exponent 20 per cent of the keys are asked for 80 per cent of the time.
const EXPONENT: f64 = 6.2;

pub(super) fn run(session: &mut Session, keys: u64) -> Result<(), Stop> {
    let link = session.require()?;
    let mut random = Random::seeded();
    loop {
        let (start, mut hits, mut misses) = (Instant::now(), 0u64, 0u64);
        while start.elapsed() < CYCLE {
            let writes: Vec<_> =
                (0..PIPELINE).map(|_| vec![b"SET".to_vec(), random.key(keys), random.value()]).collect();
            let reads: Vec<_> = (0..PIPELINE).map(|_| vec![b"GET".to_vec(), random.key(keys)]).collect();
            let failed = |_| fail("I/O error during LRU test");
            link.call_all(&writes).or_else(failed)?;
            for reply in link.call_all(&reads).or_else(failed)? {
                match reply {
                    Reply::Error(error) => complain(error),
                    Reply::Nil => misses += 1,
                    _ => hits += 1,
                }
            }
        }
        let all = hits + misses;
        let share = |part: u64| part as f64 / all.max(1) as f64 * 100.0;
        put(format!(
            "{all} Gets/sec | Hits: {hits} ({:.2}%) | Misses: {misses} ({:.2}%)\n",
            share(hits),
            share(misses)
        ))?;
    }
}

/// Chance of no more than this test's quality: xorshift.
struct Random(u64);

impl Random {
    fn seeded() -> Random {
        let mut seed = [1; 8];
        // Any seed but zero will do.
        let _ = getrandom::fill(&mut seed);
        Random(u64::from_ne_bytes(seed) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number from 1 to `most`, the higher the rarer.
    fn power_law(&mut self, most: u64) -> u64 {
        let power = EXPONENT + 1.0;
        let (low, high) = (1f64, (most + 1) as f64);
        let chance = (self.next() >> 11) as f64 / (1u64 << 53) as f64;
        let drawn = ((high.powf(power) - low.powf(power)) * chance + low.powf(power)).powf(1.0 / power);
        (most + 1 - (drawn as u64).clamp(1, most)).clamp(1, most)
    }

    fn key(&mut self, keys: u64) -> Vec<u8> {
        format!("lru:{}", self.power_law(keys)).into()
    }

    fn value(&mut self) -> Vec<u8> {
        (0..5).map(|_| b'A' + (self.next() % 57) as u8).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn chance_has_a_long_period() {
        let mut random = Random(1);
        assert_eq!([random.next(), random.next()], [1_082_269_761, 1_152_992_998_833_853_505]);
    }

    #[test]
    fn a_fifth_gets_most() {
        let mut random = Random(7);
        let drawn: Vec<_> = (0..10_000).map(|_| random.power_law(1000)).collect();
        assert!(drawn.iter().all(|key| (1..=1000).contains(key)));
        let often = drawn.iter().filter(|key| **key <= 200).count();
        assert!((7_500..8_500).contains(&often), "{often}");
        assert_eq!((drawn.iter().min(), random.power_law(1)), (Some(&1), 1));
        let all: BTreeSet<_> = (0..1000).map(|_| random.power_law(3)).collect();
        assert_eq!(all, BTreeSet::from([1, 2, 3]));
    }
}
