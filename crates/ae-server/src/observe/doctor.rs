//! Advice for the operator.

use super::memory::Usage;
use crate::clients::client::Client;
use crate::record::latency::{History, event};
use crate::server::state::Server;
use std::fmt::Write;

/// What the pauses mean that have been recorded.
pub fn of_latency(server: &Server) -> String {
    let threshold = server.config.observation.latency_threshold;
    let mut out = String::new();
    if threshold == 0 {
        return "Pauses are not recorded: latency-monitor-threshold is 0. CONFIG SET latency-monitor-threshold 100 \
                records those of a tenth of a second and more.\n"
            .into();
    }
    if server.latencies.iter().next().is_none() {
        return format!("No pause of {threshold} ms or more has been recorded.\n");
    }
    for (number, (event, history)) in server.latencies.iter().enumerate() {
        let (average, deviation, period) = summary(history);
        let _ = writeln!(
            out,
            "{}. {event}: {} pauses of {average:.0} ms on average (mean deviation {deviation:.0} ms), one in {period:.1} \
             seconds. The longest took {} ms.",
            number + 1,
            history.samples().len(),
            history.longest
        );
        let _ = writeln!(out, "   {}", advice(event));
    }
    out
}

fn summary(history: &History) -> (f64, f64, f64) {
    let count = history.samples().len().max(1) as f64;
    let millis = || history.samples().map(|sample| sample.millis as f64);
    let average = millis().sum::<f64>() / count;
    let deviation = millis().map(|value| (value - average).abs()).sum::<f64>() / count;
    let times = || history.samples().map(|sample| sample.time);
    let span = times().max().unwrap_or(0) - times().min().unwrap_or(0);
    (average, deviation, span as f64 / count)
}

fn advice(event: &str) -> &'static str {
    match event {
        event::COMMAND | event::COMMAND_UNBLOCKING => {
            "Look for slow commands: SLOWLOG GET shows them. Large values, KEYS, SORT and long ranges hold up everybody; \
             SCAN and shorter ranges do not."
        }
        event::FAST_COMMAND => {
            "Commands that touch one small value do not take so long by themselves: look for other programs on the \
             machine, for swapping and for a host that is short of processors."
        }
        event::EXPIRE_CYCLE => "Many keys expire at once: spread their times to live.",
        _ => "Look at what else the machine does at these times.",
    }
}

/// Below this nothing can be said, in bytes.
const LITTLE: u64 = 5 << 20;

/// Whether memory is used well.
pub fn of_memory(server: &Server, current: &Client) -> String {
    let usage = Usage::of(server, current);
    if usage.used.saturating_sub(usage.startup) < LITTLE {
        return "There is too little data to say anything about the use of memory.\n".into();
    }
    let clients = server.clients.count().max(1) as u64;
    let mut out = String::new();
    let mut say = |wrong: bool, text: String| {
        if wrong {
            let _ = writeln!(out, " * {text}");
        }
    };
    let (used, peak) = (usage.used, usage.peak);
    say(
        peak as f64 > 1.5 * used as f64,
        format!(
            "At its peak it used {peak} bytes, now {used}. The process may keep some of the difference until it is needed \
             again: MEMORY PURGE gives back what it can."
        ),
    );
    let (ratio, bytes) = usage.fragmentation();
    say(
        ratio > 1.4 && bytes > LITTLE as i64 * 2,
        format!("The process has {ratio:.2} times as much memory as it uses: {bytes} bytes are not in use."),
    );
    let (ratio, bytes) = usage.allocator_fragmentation();
    say(
        ratio > 1.1 && bytes > LITTLE as i64 * 2,
        format!("Of the allocator's pages, {bytes} bytes are free between values: values of other sizes come and go."),
    );
    say(
        usage.clients / clients > 200 << 10,
        format!(
            "Clients have {} bytes each on average: some do not read their replies, or send very long requests. CLIENT \
             LIST shows which.",
            usage.clients / clients
        ),
    );
    if out.is_empty() {
        "Nothing is wrong with the use of memory.\n".into()
    } else {
        format!("This stands out in the use of memory:\n\n{out}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Session;
    use std::time::Duration;

    #[test]
    fn pauses_are_explained() {
        let Session { mut server, .. } = Session::new();
        assert!(of_latency(&server).contains("not recorded"));
        server.config.observation.latency_threshold = 5;
        assert_eq!(of_latency(&server), "No pause of 5 ms or more has been recorded.\n");
        for (millis, now) in [(10, 1000), (30, 5000)] {
            server.latencies.note(event::COMMAND, Duration::from_millis(millis), 5, now);
        }
        let found = of_latency(&server);
        assert!(
            found.starts_with("1. command: 2 pauses of 20 ms on average (mean deviation 10 ms), one in 2.0 seconds. The longest took 30 ms."),
            "{found}"
        );
        assert!(found.contains("SLOWLOG GET"));
    }

    #[test]
    fn memory_is_judged() {
        let Session { mut server, client } = Session::new();
        server.last_sample.startup_memory = 1 << 60;
        assert!(of_memory(&server, &client).contains("too little data"));
        server.last_sample.startup_memory = 0;
        let kept = vec![1u8; LITTLE as usize];
        server.last_sample.peak_memory = 1 << 60;
        assert!(of_memory(&server, &client).contains("At its peak"), "{}", kept.len());
    }
}
