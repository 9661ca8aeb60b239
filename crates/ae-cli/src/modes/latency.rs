//! `--latency` and `--latency-history`: how long a round trip takes.

use crate::options::Output;
use crate::output::{Stop, put};
use crate::session::Session;
use std::thread;
use std::time::{Duration, Instant};

/// How long to wait between two round trips.
pub(super) const PAUSE: Duration = Duration::from_millis(10);
const HISTORY_INTERVAL: Duration = Duration::from_secs(15);
const ONE_INTERVAL: Duration = Duration::from_secs(1);

/// Milliseconds of the round trips so far.
#[derive(Default)]
struct Samples {
    min: u128,
    max: u128,
    total: u128,
    count: u128,
}

impl Samples {
    fn add(&mut self, sample: u128) {
        self.min = if self.count == 0 { sample } else { self.min.min(sample) };
        self.max = self.max.max(sample);
        self.total += sample;
        self.count += 1;
    }

    fn text(&self, output: Output) -> String {
        let Samples { min, max, total, count } = self;
        let average = *total as f64 / (*count).max(1) as f64;
        match output {
            Output::Formatted => format!("min: {min}, max: {max}, avg: {average:.2} ({count} samples)"),
            Output::Csv => format!("{min},{max},{average:.2},{count}\n"),
            Output::Raw => format!("{min} {max} {average:.2} {count}\n"),
            Output::Json | Output::QuotedJson => {
                format!("{{\"min\": {min}, \"max\": {max}, \"avg\": {average:.2}, \"count\": {count}}}\n")
            }
        }
    }
}

/// A terminal's line is written anew.
const CLEAR_LINE: &str = "\x1b[0G\x1b[2K";

pub(super) fn run(session: &mut Session, history: bool) -> Result<(), Stop> {
    let asked = Some(session.options.interval).filter(|time| !time.is_zero());
    let output = session.options.output;
    session.require()?;
    let (mut samples, mut begun) = (Samples::default(), Instant::now());
    loop {
        let start = Instant::now();
        session.insist(&["PING"])?;
        samples.add(start.elapsed().as_millis());
        if output == Output::Formatted {
            put(format!("{CLEAR_LINE}{}", samples.text(output)))?;
        } else if history {
            put(samples.text(output))?;
        } else if begun.elapsed() > asked.unwrap_or(ONE_INTERVAL) {
            return put(samples.text(output));
        }
        if history && begun.elapsed() > asked.unwrap_or(HISTORY_INTERVAL) {
            put(format!(" -- {:.2} seconds range\n", begun.elapsed().as_secs_f64()))?;
            (samples, begun) = (Samples::default(), Instant::now());
        }
        thread::sleep(PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures() {
        let mut samples = Samples::default();
        samples.add(3);
        assert_eq!(samples.text(Output::Raw), "3 3 3.00 1\n");
        [1, 1].into_iter().for_each(|sample| samples.add(sample));
        assert_eq!(samples.text(Output::Raw), "1 3 1.67 3\n");
        assert_eq!(samples.text(Output::Csv), "1,3,1.67,3\n");
        assert_eq!(samples.text(Output::Formatted), "min: 1, max: 3, avg: 1.67 (3 samples)");
        assert_eq!(samples.text(Output::Json), "{\"min\": 1, \"max\": 3, \"avg\": 1.67, \"count\": 3}\n");
    }
}
