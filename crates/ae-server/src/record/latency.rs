//! Pauses, by what caused them.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// Samples that are kept of an event.
const SAMPLES_MAX: usize = 160;

/// What can hold up the server.
pub mod event {
    pub const COMMAND: &str = "command";
    pub const FAST_COMMAND: &str = "fast-command";
    /// A request of a client that had waited for a key.
    pub const COMMAND_UNBLOCKING: &str = "command-unblocking";
    pub const EXPIRE_CYCLE: &str = "expire-cycle";
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sample {
    /// Unix time in seconds.
    pub time: i64,
    pub millis: u64,
}

/// The latest pauses of one cause, the last at the end.
#[derive(Default)]
pub struct History {
    samples: VecDeque<Sample>,
    /// The longest pause there has been.
    pub longest: u64,
}

impl History {
    /// One sample a second is kept, the longest.
    fn add(&mut self, sample: Sample) {
        self.longest = self.longest.max(sample.millis);
        if let Some(last) = self.samples.back_mut().filter(|last| last.time == sample.time) {
            last.millis = last.millis.max(sample.millis);
            return;
        }
        if self.samples.len() == SAMPLES_MAX {
            self.samples.pop_front();
        }
        self.samples.push_back(sample);
    }

    pub fn samples(&self) -> impl DoubleEndedIterator<Item = &Sample> + ExactSizeIterator {
        self.samples.iter()
    }

    pub fn last(&self) -> Option<Sample> {
        self.samples.back().copied()
    }
}

#[derive(Default)]
pub struct Latencies {
    by_event: BTreeMap<&'static str, History>,
}

impl Latencies {
    /// Notes a pause if it was so long, in milliseconds, that it counts; 0 for never.
    pub fn note(&mut self, event: &'static str, pause: Duration, threshold: u64, now: i64) {
        let millis = pause.as_millis() as u64;
        if threshold != 0 && millis >= threshold {
            self.by_event.entry(event).or_default().add(Sample { time: now / 1000, millis });
        }
    }

    pub fn of(&self, event: &[u8]) -> Option<&History> {
        str::from_utf8(event).ok().and_then(|event| self.by_event.get(event))
    }

    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &History)> {
        self.by_event.iter().map(|(event, history)| (*event, history))
    }

    /// Forgets the pauses of one cause. False if there were none.
    pub fn forget(&mut self, event: &[u8]) -> bool {
        str::from_utf8(event).is_ok_and(|event| self.by_event.remove(event).is_some())
    }

    /// Forgets everything, and returns how many causes there were.
    pub fn forget_all(&mut self) -> usize {
        std::mem::take(&mut self.by_event).len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_sample_a_second() {
        let mut latencies = Latencies::default();
        let mut note = |millis, now| latencies.note(event::COMMAND, Duration::from_millis(millis), 10, now);
        for (millis, now) in [(9, 1000), (20, 2000), (30, 2999), (25, 2999), (12, 3000)] {
            note(millis, now);
        }
        let samples = |latencies: &Latencies| -> Vec<(i64, u64)> {
            latencies.of(b"command").unwrap().samples().map(|sample| (sample.time, sample.millis)).collect()
        };
        assert_eq!(samples(&latencies), [(2, 30), (3, 12)]);
        assert_eq!(latencies.of(b"command").unwrap().longest, 30);
        latencies.note(event::FAST_COMMAND, Duration::from_secs(1), 0, 0);
        assert!(latencies.of(b"fast-command").is_none());
        (0..1000).for_each(|s| latencies.note(event::COMMAND, Duration::from_millis(10), 10, s * 1000));
        assert_eq!(samples(&latencies).len(), SAMPLES_MAX);
        assert_eq!((latencies.forget(b"nosuch"), latencies.forget(b"command")), (false, true));
        assert_eq!(latencies.forget_all(), 0);
    }
}
