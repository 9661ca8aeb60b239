//! What INFO counts.

use crate::memory::Meter;
use crate::record::commands::CommandCalls;
use crate::record::errors::Errors;
use crate::record::traffic::Rate;
use std::time::{Duration, Instant};

/// What is counted, until CONFIG RESETSTAT.
#[derive(Default)]
pub struct Stats {
    pub connections: u64,
    pub rejected: u64,
    pub commands: u64,
    pub bytes_in: u64,
    pub bytes_out: u64,
    /// How many of them came from the primary, and went to replicas.
    pub repl_bytes_in: u64,
    pub repl_bytes_out: u64,
    /// Clients closed because all together used too much memory.
    pub evicted_clients: u64,
    /// Replicas that were sent a copy, that went on where they were, and that wanted to and could not.
    pub full_syncs: u64,
    pub partial_syncs: u64,
    pub refused_partial_syncs: u64,
    /// Snapshots begun: for a file, for a rewrite or for replicas. Redis forks for each.
    pub snapshots: u64,
    pub over_limit: OverLimit,
    pub reads: u64,
    pub writes: u64,
    pub errors: Errors,
    pub calls: CommandCalls,
    /// Spent on removing expired keys that nobody asked for.
    pub expire_time: Duration,
    /// How fast `commands` and the bytes grow.
    pub commands_rate: Rate,
    pub input_rate: Rate,
    pub output_rate: Rate,
    pub repl_input_rate: Rate,
    pub repl_output_rate: Rate,
}

impl Stats {
    pub fn note_from_primary(&mut self, len: usize) {
        self.bytes_in += len as u64;
        self.repl_bytes_in += len as u64;
    }
}

/// For how long more memory has been used than `maxmemory`, although keys are evicted.
#[derive(Default)]
pub struct OverLimit {
    before: Duration,
    since: Option<Instant>,
}

impl OverLimit {
    pub fn note(&mut self, over: bool) {
        if over {
            self.since.get_or_insert_with(Instant::now);
        } else if let Some(since) = self.since.take() {
            self.before += since.elapsed();
        }
    }

    /// This time.
    pub fn current(&self) -> Duration {
        self.since.map(|since| since.elapsed()).unwrap_or_default()
    }

    pub fn total(&self) -> Duration {
        self.before + self.current()
    }
}

/// What the cron saw when it last looked; stays when the statistics are reset.
pub struct LastSample {
    at: Instant,
    /// The most memory that was in use when it looked.
    pub peak_memory: u64,
    /// What was in use when the server started.
    pub startup_memory: u64,
}

impl LastSample {
    pub fn new() -> LastSample {
        LastSample { at: Instant::now(), peak_memory: 0, startup_memory: crate::memory::used() }
    }

    /// Looks again if the last time was a tenth of a second ago or more: the allocator takes its time to say how much
    /// memory is used.
    pub fn renew(&mut self, stats: &mut Stats, meter: &mut Meter) {
        let elapsed = self.at.elapsed();
        if elapsed >= Duration::from_millis(100) {
            let seconds = elapsed.as_secs_f64();
            stats.commands_rate.look(stats.commands, seconds);
            stats.input_rate.look(stats.bytes_in, seconds);
            stats.output_rate.look(stats.bytes_out, seconds);
            stats.repl_input_rate.look(stats.repl_bytes_in, seconds);
            stats.repl_output_rate.look(stats.repl_bytes_out, seconds);
            self.at = Instant::now();
            *meter = Meter::new();
            self.peak_memory = self.peak_memory.max(meter.used());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_over_the_limit_add_up() {
        let mut over = OverLimit::default();
        let wait = || {
            let start = Instant::now();
            while start.elapsed().is_zero() {}
        };
        over.note(true);
        wait();
        assert!(!over.total().is_zero());
        over.note(false);
        let total = over.total();
        assert!(total > Duration::ZERO && over.current().is_zero());
        over.note(false);
        assert_eq!(over.total(), total);
        over.note(true);
        wait();
        assert!(over.total() > total);
    }

    #[test]
    fn each_counter_has_its_own_rate() {
        let (mut sample, mut stats, mut meter) = (LastSample::new(), Stats::default(), Meter::new());
        sample.at -= Duration::from_secs(1);
        sample.peak_memory = 1 << 50;
        (stats.commands, stats.bytes_in, stats.bytes_out) = (1, 2, 3);
        (stats.repl_bytes_in, stats.repl_bytes_out) = (4, 5);
        sample.renew(&mut stats, &mut meter);
        let Stats { commands_rate, input_rate, output_rate, repl_input_rate, repl_output_rate, .. } = stats;
        let rates = [commands_rate, input_rate, output_rate, repl_input_rate, repl_output_rate];
        let rates = rates.map(|rate| rate.average());
        assert!(rates[0] > 0.0);
        assert_eq!(rates.map(|rate| (rate / rates[0]).round()), [1.0, 2.0, 3.0, 4.0, 5.0]);
        assert_eq!(sample.peak_memory, 1 << 50, "less is in use now");
    }

    #[test]
    fn what_other_threads_have_allocated_is_seen_by_and_by() {
        const MUCH: usize = 1 << 30;
        let (mut sample, mut stats, mut meter) = (LastSample::new(), Stats::default(), Meter::new());
        // Memory that nobody touches is none of the machine's.
        let held = std::thread::spawn(|| Vec::<u8>::with_capacity(MUCH)).join().unwrap();
        sample.at -= Duration::from_secs(1);
        sample.renew(&mut stats, &mut meter);
        assert!(meter.used() >= held.capacity() as u64);
    }
}
