//! Rates: how fast a counter has grown in the last moments.

/// Samples that a rate is the average of.
const SAMPLES: usize = 16;

/// How fast a counter grows.
#[derive(Default)]
pub struct Rate {
    /// What the counter was at the last look.
    last: u64,
    per_second: [f64; SAMPLES],
    next: usize,
}

impl Rate {
    /// Looks at the counter, so many seconds after the last time.
    pub fn look(&mut self, counter: u64, seconds: f64) {
        self.per_second[self.next] = counter.saturating_sub(self.last) as f64 / seconds;
        self.next = (self.next + 1) % SAMPLES;
        self.last = counter;
    }

    /// The average of the last looks, per second.
    pub fn average(&self) -> f64 {
        self.per_second.iter().sum::<f64>() / SAMPLES as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_average_of_sixteen_looks() {
        let mut rate = Rate::default();
        (1..=8).for_each(|i| rate.look(i * 100, 0.1));
        assert_eq!(rate.average(), 500.0);
        (9..=16).for_each(|i| rate.look(i * 100, 0.1));
        assert_eq!(rate.average(), 1000.0);
        rate.look(0, 0.1);
        assert_eq!(rate.average(), 937.5);
    }
}
