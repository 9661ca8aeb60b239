//! A drawing of pauses.

use crate::record::latency::History;
use std::fmt::Write;

const WIDTH: usize = 80;
const ROWS: u64 = 4;
/// From low to high, within a row.
const LEVELS: [char; 3] = ['_', 'o', '#'];

/// Draws a column for each of the latest pauses, and below each how long ago it was. `now` is in Unix seconds.
pub fn draw(event: &str, history: &History, now: i64) -> String {
    let shown: Vec<_> = history.samples().skip(history.samples().len().saturating_sub(WIDTH)).collect();
    let high = shown.iter().map(|sample| sample.millis).max().unwrap_or(0);
    let low = shown.iter().map(|sample| sample.millis).min().unwrap_or(0);
    let mut out = format!("{event} - high {high} ms, low {low} ms (all time high {} ms)\n", history.longest);
    out.push_str(&"-".repeat(WIDTH));
    out.push('\n');
    let steps = ROWS * LEVELS.len() as u64;
    let height = |millis: u64| (millis - low) * (steps - 1) / (high - low).max(1);
    for row in (0..ROWS).rev() {
        let bottom = row * LEVELS.len() as u64;
        let column = |millis: u64| match height(millis).checked_sub(bottom) {
            None => ' ',
            Some(above) => *LEVELS.get(above as usize).unwrap_or(&'|'),
        };
        let line: String = shown.iter().map(|sample| column(sample.millis)).collect();
        let _ = writeln!(out, "{}", line.trim_end());
    }
    out.push('\n');
    let ages: Vec<Vec<char>> = shown.iter().map(|sample| age(now - sample.time).chars().collect()).collect();
    for at in 0..ages.iter().map(Vec::len).max().unwrap_or(0) {
        let line: String = ages.iter().map(|age| age.get(at).unwrap_or(&' ')).collect();
        let _ = writeln!(out, "{}", line.trim_end());
    }
    out
}

/// In the largest unit that has not passed twice.
fn age(seconds: i64) -> String {
    match seconds {
        ..60 => format!("{seconds}s"),
        60..3600 => format!("{}m", seconds / 60),
        3600..86400 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::latency::{Latencies, event};
    use std::time::Duration;

    #[test]
    fn columns_and_ages() {
        let mut latencies = Latencies::default();
        for (millis, time) in [(10, 100), (120, 200), (65, 3000), (12, 3695)] {
            latencies.note(event::COMMAND, Duration::from_millis(millis), 1, time * 1000);
        }
        let drawn = draw("command", latencies.of(b"command").unwrap(), 3700);
        let head = "command - high 120 ms, low 10 ms (all time high 120 ms)";
        let dashes = "-".repeat(WIDTH);
        assert_eq!(drawn, format!("{head}\n{dashes}\n #\n |\n |#\n_||_\n\n1515\nh81s\n mm\n"));
    }

    #[test]
    fn the_latest_fill_the_width() {
        let mut latencies = Latencies::default();
        (1..=100).for_each(|at| latencies.note(event::COMMAND, Duration::from_millis(at), 1, at as i64 * 1000));
        let drawn = draw("command", latencies.of(b"command").unwrap(), 100);
        assert!(drawn.starts_with("command - high 100 ms, low 21 ms (all time high 100 ms)\n"), "{drawn}");
        assert!(drawn.lines().skip(1).all(|line| line.len() <= WIDTH), "{drawn}");
    }
}
