//! What INFO counts.

use std::time::{Duration, Instant};

/// What is counted, until CONFIG RESETSTAT.
#[derive(Default)]
pub struct Stats {
    pub connections: u64,
    pub rejected: u64,
    pub commands: u64,
    pub bytes_in: u64,
    pub bytes_out: u64,
    pub errors: u64,
    /// Clients closed because too much output waited for them.
    pub closed_for_output: u64,
    /// Clients closed because all together used too much memory.
    pub evicted_clients: u64,
    /// Commands per second, smoothed.
    pub ops: f64,
}

/// What the cron saw when it last looked; stays when the statistics are reset.
pub struct LastSample {
    at: Instant,
    commands: u64,
    /// The most memory that was in use when it looked.
    pub peak_memory: u64,
}

impl LastSample {
    pub fn new() -> LastSample {
        LastSample { at: Instant::now(), commands: 0, peak_memory: 0 }
    }

    /// Looks again if the last time was a tenth of a second ago or more.
    pub fn renew(&mut self, stats: &mut Stats) {
        let elapsed = self.at.elapsed();
        if elapsed >= Duration::from_millis(100) {
            let rate = stats.commands.saturating_sub(self.commands) as f64 / elapsed.as_secs_f64();
            // About the average of the last 16 samples.
            stats.ops += (rate - stats.ops) / 16.0;
            self.at = Instant::now();
            self.commands = stats.commands;
            self.peak_memory = self.peak_memory.max(crate::memory::used());
        }
    }
}
