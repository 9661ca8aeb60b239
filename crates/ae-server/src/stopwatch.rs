//! How long commands take. They are short, so reading the time must be.

use ae::Counter;
use std::time::{Duration, Instant};

/// Measures the time between two readings: in units of the processor's counter if there is one to rely on, else in
/// nanoseconds of the system's clock.
pub struct Stopwatch {
    counter: Option<Counter>,
    /// Both clocks, when they were last compared.
    compared: (Instant, u64),
    /// How long a unit is, in nanoseconds, as a binary fraction.
    unit: u64,
}

/// A reading of a stopwatch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reading(u64);

const FRACTION_BITS: u32 = 32;
/// The shortest time over which the clocks are compared: long enough for two digits.
const FIRST_COMPARISON: Duration = Duration::from_micros(20);
/// After that long they are compared anew.
const COMPARISON: Duration = Duration::from_millis(50);

impl Stopwatch {
    pub fn new() -> Stopwatch {
        let mut watch = Stopwatch { counter: Counter::new(), compared: (Instant::now(), 0), unit: 1 << FRACTION_BITS };
        watch.compared = watch.both();
        if watch.counter.is_some() {
            while watch.compared.0.elapsed() < FIRST_COMPARISON {}
            watch.compare();
        }
        watch
    }

    pub fn read(&self) -> Reading {
        Reading(match self.counter {
            Some(counter) => counter.read(),
            None => self.compared.0.elapsed().as_nanos() as u64,
        })
    }

    /// How much time there was between two readings; none if they came in the other order.
    pub fn between(&self, from: Reading, to: Reading) -> Duration {
        let units = to.0.saturating_sub(from.0);
        Duration::from_nanos(((u128::from(units) * u128::from(self.unit)) >> FRACTION_BITS) as u64)
    }

    /// Sees how long a unit is, if it has been a while. To be called regularly.
    pub fn adjust(&mut self) {
        if self.counter.is_some() && self.compared.0.elapsed() >= COMPARISON {
            self.compare();
        }
    }

    fn compare(&mut self) {
        let (before, now) = (self.compared, self.both());
        let (nanos, units) = ((now.0 - before.0).as_nanos(), now.1.saturating_sub(before.1));
        // A machine that slept, or was moved to another one, may have set the counter back.
        let unit = (nanos << FRACTION_BITS).checked_div(units.into()).and_then(|unit| u64::try_from(unit).ok());
        if let Some(unit) = unit.filter(|unit| *unit > 0) {
            self.unit = unit;
        }
        self.compared = now;
    }

    /// What both clocks are at. Others may get the processor in between: the best of some looks counts.
    fn both(&self) -> (Instant, u64) {
        let looks = [(); 3].map(|()| {
            let before = Instant::now();
            let Reading(units) = self.read();
            (before.elapsed(), before, units)
        });
        looks.into_iter().min().map_or(self.compared, |(_, at, units)| (at, units))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the watch says of a time, and the most that it can have been.
    fn measured(watch: &Stopwatch) -> (Duration, Duration, Duration) {
        let outer = Instant::now();
        let from = watch.read();
        let inner = Instant::now();
        while inner.elapsed() < Duration::from_millis(5) {}
        let least = inner.elapsed();
        (least, watch.between(from, watch.read()), outer.elapsed())
    }

    #[test]
    fn times_are_the_clock_s() {
        for uses_counter in [true, false] {
            let mut watch = Stopwatch::new();
            if !uses_counter {
                (watch.counter, watch.unit) = (None, 1 << FRACTION_BITS);
            }
            while watch.compared.0.elapsed() < COMPARISON {}
            watch.adjust();
            let (least, found, most) = measured(&watch);
            // Another process may have been between the two looks of a comparison.
            assert!(found >= least / 2 && found <= most * 2, "{found:?} is not from {least:?} to {most:?}");
        }
    }

    #[test]
    fn a_counter_that_was_set_back_measures_nothing() {
        let mut watch = Stopwatch::new();
        let unit = watch.unit;
        assert_eq!(watch.between(Reading(7), Reading(3)), Duration::ZERO);
        watch.compared.1 = u64::MAX;
        watch.compare();
        assert!(watch.unit == unit && watch.compared.1 < u64::MAX);
    }
}
