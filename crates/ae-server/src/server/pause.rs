//! CLIENT PAUSE: requests wait until the pause ends.

use crate::clients::client::ClientRef;

/// Which requests wait.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Paused {
    /// Those that may change something.
    Writes,
    All,
}

/// Why. Each reason has a pause of its own, and ends no other one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// CLIENT PAUSE.
    Command,
    /// The server waits for its replicas before it ends.
    Shutdown,
    Failover,
}

/// The pauses that run, and who waits for their end.
#[derive(Default)]
pub struct Pause {
    /// By purpose, with its end.
    running: [Option<(Paused, i64)>; 3],
    waiting: Vec<ClientRef>,
}

impl Pause {
    /// Begins a pause, or makes the one that runs longer and stricter: never shorter, never less.
    pub fn begin(&mut self, purpose: Purpose, which: Paused, until: i64) {
        let running = &mut self.running[purpose as usize];
        let (before, end) = running.unwrap_or((which, until));
        *running = Some((before.max(which), end.max(until)));
    }

    /// The strictest that runs.
    pub fn which(&self) -> Option<Paused> {
        self.running.iter().flatten().map(|(which, _)| *which).max()
    }

    /// Ends one, and returns who has waited: some may have to wait on, for another one.
    pub fn finish(&mut self, purpose: Purpose) -> Vec<ClientRef> {
        self.running[purpose as usize] = None;
        std::mem::take(&mut self.waiting)
    }

    /// As [`Pause::finish`], for those whose time has come.
    pub fn finish_in_time(&mut self, ticks: i64) -> Vec<ClientRef> {
        if self.end().is_none_or(|end| end > ticks) {
            return Vec::new();
        }
        self.running.iter_mut().for_each(|running| *running = running.filter(|(_, end)| *end > ticks));
        std::mem::take(&mut self.waiting)
    }

    /// A client waits for the end.
    pub fn add(&mut self, client: ClientRef) {
        self.waiting.push(client);
    }

    /// When the first one ends, in the server's ticks.
    pub fn end(&self) -> Option<i64> {
        self.running.iter().flatten().map(|(_, end)| *end).min()
    }
}
