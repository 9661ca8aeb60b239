//! When and how often keys are used, as eviction by `maxmemory-policy` has to know. Each entry has 32 bits for that.
//!
//! - LRU: when it was last used, in seconds
//! - LFU: 16 bits of minutes when its counter was last looked at, and the counter's 8 bits. The counter grows with the
//!   logarithm of the number of uses, and shrinks with time

/// How uses are noted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Usage {
    /// How often, not when.
    pub frequency: bool,
    /// `lfu-log-factor`
    pub log_factor: u32,
    /// `lfu-decay-time`, in minutes; 0 for none.
    pub decay_time: u32,
}

/// What a new key's counter has, so that it is not the first to be evicted.
const INITIAL: u32 = 5;
const COUNTER_BITS: u32 = 8;
const COUNTER_MAX: u32 = (1 << COUNTER_BITS) - 1;

impl Default for Usage {
    fn default() -> Self {
        Usage { frequency: false, log_factor: 10, decay_time: 1 }
    }
}

/// Minutes in 16 bits; they begin again every 45 days.
fn minutes(now: i64) -> u16 {
    (now / 60_000) as u16
}

fn seconds(now: i64) -> u32 {
    (now / 1000) as u32
}

impl Usage {
    /// What is noted of a new key. `now` is in Unix milliseconds, here and below.
    pub fn first(&self, now: i64) -> u32 {
        if self.frequency { self.of_frequency(INITIAL as u8, now) } else { seconds(now) }
    }

    /// What is noted of a key that is used again.
    pub fn again(&self, noted: u32, now: i64, random: impl FnOnce() -> u64) -> u32 {
        if !self.frequency {
            return seconds(now);
        }
        let mut counter = self.frequency(noted, now);
        let above = u64::from(u32::from(counter).saturating_sub(INITIAL));
        if u32::from(counter) < COUNTER_MAX && random().is_multiple_of(above * u64::from(self.log_factor) + 1) {
            counter += 1;
        }
        self.of_frequency(counter, now)
    }

    /// The counter, after what time has taken from it.
    pub fn frequency(&self, noted: u32, now: i64) -> u8 {
        let elapsed = minutes(now).wrapping_sub((noted >> COUNTER_BITS) as u16);
        let lost = u32::from(elapsed).checked_div(self.decay_time).unwrap_or(0);
        (noted & COUNTER_MAX).saturating_sub(lost) as u8
    }

    /// For how many seconds a key has not been used.
    pub fn idle_time(&self, noted: u32, now: i64) -> i64 {
        // If the clock was set back, it has just been used.
        i64::from(seconds(now).wrapping_sub(noted) as i32).max(0)
    }

    /// What is noted of a key with a counter.
    pub fn of_frequency(&self, counter: u8, now: i64) -> u32 {
        u32::from(minutes(now)) << COUNTER_BITS | u32::from(counter)
    }

    /// What is noted of a key that has not been used for so many seconds.
    pub fn of_idle_time(&self, idle: i64, now: i64) -> u32 {
        seconds(now).wrapping_sub(idle.clamp(0, i32::MAX.into()) as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000;
    const NOW: i64 = 1_700_000_000_000;

    #[test]
    fn idle_times() {
        let usage = Usage::default();
        let noted = usage.first(NOW);
        assert_eq!(usage.idle_time(noted, NOW + 90_000), 90);
        assert_eq!(usage.idle_time(noted, NOW - 90_000), 0);
        let noted = usage.again(noted, NOW + 90_000, || 0);
        assert_eq!(usage.idle_time(noted, NOW + 100_000), 10);
        assert_eq!(usage.idle_time(usage.of_idle_time(1000, NOW), NOW + 1000), 1001);
        assert_eq!(usage.idle_time(usage.of_idle_time(i64::MAX, NOW), NOW), i32::MAX.into());
        assert_eq!(usage.idle_time(usage.of_idle_time((1 << 32) + 5, NOW), NOW), i32::MAX.into());
    }

    #[test]
    fn counters_grow_slower_and_shrink() {
        let usage = Usage { frequency: true, ..Usage::default() };
        let mut noted = usage.first(NOW);
        assert_eq!(usage.frequency(noted, NOW), 5);
        noted = usage.again(noted, NOW, || 0);
        assert_eq!(usage.frequency(noted, NOW), 6);
        // One above the initial value: every eleventh use counts.
        assert_eq!(usage.again(noted, NOW, || 10), noted);
        assert_eq!(usage.frequency(usage.again(noted, NOW, || 11), NOW), 7);
        assert_eq!(usage.frequency(noted, NOW + 4 * MINUTE), 2);
        assert_eq!(usage.frequency(noted, NOW + 400 * MINUTE), 0);
        assert_eq!(Usage { decay_time: 0, ..usage }.frequency(noted, NOW + 400 * MINUTE), 6);
        let full = usage.of_frequency(255, NOW);
        assert_eq!(usage.frequency(usage.again(full, NOW, || 0), NOW), 255);
    }

    #[test]
    fn minutes_begin_again() {
        let usage = Usage { frequency: true, ..Usage::default() };
        let last = 65_535 * MINUTE;
        assert_eq!(usage.frequency(usage.of_frequency(9, last), last + MINUTE), 8);
    }
}
