//! Whether the loop sleeps or polls.
//!
//! To wake a sleeping server costs the client that does it several microseconds, within its `write`, and the server as
//! much. Under a load that leaves gaps of only a few microseconds between events, both then spend more time on going to
//! sleep and waking up than on requests, and a server that is faster than its clients is slower in the end. So while
//! gaps are that short the loop polls through them without waiting, and only then: for longer gaps it would burn
//! time that others may need.

use std::time::{Duration, Instant};

/// The longest gap that is worth polling through: about what waking up costs both sides.
const GAP: Duration = Duration::from_micros(20);
/// A gap that was short enough counts for polling, one that was not counts against it as much as two of them.
const SHORT: u8 = 1;
const LONG: u8 = 2;
const SCORE_MAX: u8 = 16;
/// While gaps are not being polled through, one in so many is, to see whether they have become short.
const PROBE_EVERY: u8 = 64;

#[derive(Default)]
pub struct Spin {
    /// When the loop began to poll without an event.
    since: Option<Instant>,
    score: u8,
    slept: u8,
}

impl Spin {
    /// Whether the loop should poll without waiting, given whether there was an event since it was last asked.
    pub fn goes_on(&mut self, event: bool, now: impl Fn() -> Instant) -> bool {
        match self.since {
            Some(_) if event => self.score = (self.score + SHORT).min(SCORE_MAX),
            Some(since) if now() - since < GAP => return true,
            Some(_) => {
                self.score = self.score.saturating_sub(LONG);
                self.since = None;
                return false;
            }
            // Woken by a timer.
            None if !event => return false,
            None => {}
        }
        self.slept += 1;
        let poll = self.score > 0 || self.slept >= PROBE_EVERY;
        if poll {
            self.slept = 0;
        }
        self.since = poll.then(now);
        poll
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lets events come with these gaps (µs) for a while; returns the time spent polling in vain and the number of
    /// sleeps, in parts of a thousand of all time and all gaps.
    fn run(spin: &mut Spin, gaps: &[u64]) -> (u64, u64) {
        let start = Instant::now();
        let (mut at, mut event_at, mut polled, mut slept) = (0, 0, 0, 0);
        const EVENTS: u64 = 10_000;
        for i in 0..EVENTS {
            event_at += gaps[i as usize % gaps.len()];
            let mut event = true;
            while at < event_at {
                if spin.goes_on(event, || start + Duration::from_micros(at)) {
                    at += 1;
                    polled += 1;
                } else {
                    slept += 1;
                    at = event_at;
                }
                event = false;
            }
        }
        (polled * 1000 / at, slept * 1000 / EVENTS)
    }

    #[test]
    fn short_gaps_are_polled_through() {
        let (_, slept) = run(&mut Spin::default(), &[5]);
        assert!(slept < 10, "{slept}");
        let mixed: Vec<u64> = (0..997u64).map(|i| if i * i % 7 == 4 { 50 } else { 2 + i * i % 11 }).collect();
        let (_, slept) = run(&mut Spin::default(), &mixed);
        assert!(slept < 350, "{slept}");
    }

    #[test]
    fn long_gaps_are_slept_through() {
        for gap in [30, 100, 1000] {
            let (polled, slept) = run(&mut Spin::default(), &[gap]);
            assert!(polled < 25 && slept > 900, "{gap}: {polled} {slept}");
        }
        let (polled, _) = run(&mut Spin::default(), &[5, 100, 7, 200]);
        assert!(polled < 50, "{polled}");
    }

    #[test]
    fn it_follows_the_load() {
        let mut spin = Spin::default();
        run(&mut spin, &[5]);
        let (polled, _) = run(&mut spin, &[100]);
        assert!(polled < 25, "{polled}");
        let (_, slept) = run(&mut spin, &[5]);
        assert!(slept < 20, "{slept}");
    }
}
