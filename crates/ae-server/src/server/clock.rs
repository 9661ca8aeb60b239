//! Looking at the clock as seldom as possible: each look costs as much as parsing a small request.

use crate::stopwatch::{Reading, Stopwatch};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// What time it is, by a clock that only runs forward.
pub struct Clock {
    started: Instant,
    /// When it was started in Unix time, in microseconds, as the system's clock has it now.
    started_at: i64,
    /// For how long commands take.
    watch: Stopwatch,
    /// Its last reading, as long as the next command begins there.
    last: Option<Reading>,
}

impl Clock {
    pub fn new() -> Clock {
        let mut clock = Clock { started: Instant::now(), started_at: 0, watch: Stopwatch::new(), last: None };
        clock.set();
        clock
    }

    /// Sets it by the system's clock, which somebody may have set.
    pub fn set(&mut self) {
        // Both clocks are to be read at the same time, but others may get the processor in between: the best of some counts.
        let looks = [(); 3].map(|()| {
            let before = self.started.elapsed();
            // A clock before 1970 is the operator's problem; deadlines then count from there.
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            (self.started.elapsed() - before, now, before)
        });
        self.watch.adjust();
        if let Some((_, now, elapsed)) = looks.into_iter().min() {
            self.started_at = (now.as_micros() as i64).saturating_sub(elapsed.as_micros() as i64);
        }
    }

    /// Looks at it: Unix time, and the time since it was started, both in milliseconds.
    pub fn look(&mut self) -> (i64, i64) {
        let now = Instant::now();
        self.last = Some(self.watch.read());
        let elapsed = (now - self.started).as_nanos() as i64 / 1000;
        (self.started_at.saturating_add(elapsed) / 1000, elapsed / 1000)
    }

    /// As if somebody had set the system's clock by so many milliseconds.
    #[cfg(test)]
    pub fn shift(&mut self, milliseconds: i64) {
        self.started_at += milliseconds * 1000;
    }

    /// When a command begins: where the last one ended, if nothing else has been done since.
    pub fn begin(&mut self) -> Reading {
        self.last.take().unwrap_or_else(|| self.watch.read())
    }

    /// How long a command took that ends. The next one begins now.
    pub fn end(&mut self, begun: Reading) -> Duration {
        let now = self.watch.read();
        self.last = Some(now);
        self.watch.between(begun, now)
    }

    /// A point in time, for [`Clock::since`].
    pub fn mark(&self) -> Reading {
        self.watch.read()
    }

    /// How much time has passed since then.
    pub fn since(&self, mark: Reading) -> Duration {
        self.watch.between(mark, self.watch.read())
    }

    /// Something is being done that no command's time is spent on.
    pub fn pass(&mut self) {
        self.last = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_follow_each_other() {
        let mut clock = Clock::new();
        let (now, ticks) = clock.look();
        let system = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64;
        assert!(ticks >= 0 && now > 0 && now <= system + 1);
        let looked = clock.last;
        let first = clock.begin();
        assert_eq!(looked, Some(first));
        // One that is part of another begins when it begins.
        let second = clock.begin();
        assert!(clock.last.is_none());
        assert!(clock.end(second) <= clock.end(first));
        let ended = clock.last;
        assert_eq!(Some(clock.begin()), ended);
        clock.end(first);
        clock.pass();
        assert!(clock.last.is_none());
    }

    #[test]
    fn it_follows_the_system_clock_when_it_is_set() {
        let mut clock = Clock::new();
        clock.shift(-3_600_000);
        let (before, _) = clock.look();
        clock.set();
        let (after, _) = clock.look();
        assert!(after - before >= 3_600_000);
    }
}
