//! How often each command was called, how long it took, how it failed.

use crate::command::spec::{SPECS, Spec};
use hdrhistogram::Histogram;
use std::time::Duration;

/// The longest time that is told from longer ones, in nanoseconds.
const LONGEST: u64 = 1_000_000_000;
/// Two significant digits: a time is off by less than one percent.
const DIGITS: u8 = 2;
/// The first bound of [`Calls::distribution`], in nanoseconds; each next one is twice as large.
const FIRST_BOUND: u64 = 1024;

/// What is known of the calls of one command.
#[derive(Default)]
pub struct Calls {
    pub count: u64,
    pub nanos: u64,
    /// Calls that were refused before the command ran.
    pub rejected: u64,
    /// Calls that replied with an error.
    pub failed: u64,
    /// There once a call has been timed: most commands are never called.
    times: Option<Box<Histogram<u32>>>,
}

impl Calls {
    pub fn is_unused(&self) -> bool {
        self.count == 0 && self.rejected == 0 && self.failed == 0
    }

    pub fn micros(&self) -> u64 {
        self.nanos / 1000
    }

    fn note_time(&mut self, nanos: u64) {
        if self.times.is_none() {
            self.times = Histogram::new_with_bounds(1, LONGEST, DIGITS).ok().map(Box::new);
        }
        if let Some(times) = &mut self.times {
            times.saturating_record(nanos);
        }
    }

    /// Whether there is a distribution.
    pub fn is_timed(&self) -> bool {
        self.times.is_some()
    }

    /// How many calls have been timed.
    pub fn timed(&self) -> u64 {
        self.times.as_ref().map_or(0, |times| times.len())
    }

    /// The microseconds that so many percent of the calls did not exceed.
    pub fn percentile(&self, percent: f64) -> Option<f64> {
        self.times.as_ref().map(|times| times.value_at_percentile(percent) as f64 / 1000.0)
    }

    /// Bounds in microseconds, each with the number of calls that did not exceed it: those that are more than at the bound
    /// before.
    pub fn distribution(&self) -> Vec<(u64, u64)> {
        let Some(times) = &self.times else { return Vec::new() };
        let mut found = Vec::new();
        let (mut bound, mut reached, mut told) = (FIRST_BOUND, 0, 0);
        for step in times.iter_recorded() {
            while step.value_iterated_to() > times.highest_equivalent(bound) {
                if reached > told {
                    found.push((times.highest_equivalent(bound) / 1000, reached));
                    told = reached;
                }
                bound *= 2;
            }
            reached += step.count_since_last_iteration();
        }
        if reached > told {
            found.push((times.highest_equivalent(bound) / 1000, reached));
        }
        found
    }
}

/// The calls of every command, by [`Spec::id`].
pub struct CommandCalls {
    by_id: Vec<Calls>,
}

impl Default for CommandCalls {
    fn default() -> Self {
        CommandCalls { by_id: SPECS.iter().map(|_| Calls::default()).collect() }
    }
}

impl CommandCalls {
    /// A command was called.
    pub fn called(&mut self, spec: &Spec) {
        self.by_id[usize::from(spec.id)].count += 1;
    }

    /// A command has worked. `timed`: with `latency-tracking`, and unless it waits for a key now.
    pub fn worked(&mut self, spec: &Spec, took: Duration, failed: bool, timed: bool) {
        let nanos = took.as_nanos() as u64;
        let calls = &mut self.by_id[usize::from(spec.id)];
        calls.nanos += nanos;
        calls.failed += u64::from(failed);
        if timed {
            calls.note_time(nanos);
        }
    }

    /// A call was refused before the command ran.
    pub fn rejected(&mut self, spec: &Spec) {
        self.by_id[usize::from(spec.id)].rejected += 1;
    }

    /// Every command with its calls.
    pub fn iter(&self) -> impl Iterator<Item = (&'static Spec, &Calls)> {
        SPECS.iter().zip(&self.by_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_two_digits() {
        let mut calls = Calls::default();
        (1..=1000u64).for_each(|micros| calls.note_time(micros * 1000));
        for (percent, about) in [(50.0, 500.0), (99.0, 990.0), (100.0, 1000.0)] {
            let found = calls.percentile(percent).unwrap();
            assert!((found - about).abs() / about < 0.01, "{percent}: {found}");
        }
        // Longer than what is told apart.
        calls.note_time(u64::MAX);
        assert!(calls.percentile(100.0).unwrap() < 1_010_000.0);
    }

    #[test]
    fn a_distribution_has_bounds_that_double() {
        let mut calls = Calls::default();
        assert!(calls.distribution().is_empty());
        for nanos in [500, 900, 1500, 3000, 3000, 1_000_000] {
            calls.note_time(nanos);
        }
        assert_eq!(calls.distribution(), [(1, 2), (2, 3), (4, 5), (1056, 6)]);
    }

    #[test]
    fn commands_are_apart() {
        let mut all = CommandCalls::default();
        all.called(&SPECS[3]);
        all.worked(&SPECS[3], Duration::from_micros(7), true, false);
        all.rejected(&SPECS[4]);
        let of = |calls: &Calls| (calls.count, calls.micros(), calls.rejected, calls.failed);
        assert_eq!([3, 4, 5].map(|id| of(&all.by_id[id])), [(1, 7, 0, 1), (0, 0, 1, 0), (0, 0, 0, 0)]);
        assert!(!all.by_id[3].is_timed());
    }
}
