//! CLIENT PAUSE: requests wait until the pause ends.

use super::state::Server;
use crate::clients::client::ClientRef;

/// Which requests wait.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Paused {
    /// Those that may change something.
    Writes,
    All,
}

/// A pause, and who waits for its end.
#[derive(Default)]
pub struct Pause {
    running: Option<(Paused, i64)>,
    waiting: Vec<ClientRef>,
}

impl Pause {
    /// Begins a pause, or makes the one that runs longer and stricter: never shorter, never less.
    pub fn begin(&mut self, which: Paused, until: i64) {
        let (before, end) = self.running.unwrap_or((which, until));
        self.running = Some((before.max(which), end.max(until)));
    }

    pub fn which(&self) -> Option<Paused> {
        self.running.map(|(which, _)| which)
    }

    /// When it ends, in the server's ticks.
    pub fn end(&self) -> Option<i64> {
        self.running.map(|(_, end)| end)
    }
}

impl Server {
    /// The client's request waits for the end of the pause.
    pub fn postpone(&mut self, client: ClientRef) {
        self.pause.waiting.push(client);
    }

    /// Ends the pause: those who wait go on.
    pub fn unpause(&mut self) {
        self.pause.running = None;
        self.clients.unblocked.append(&mut self.pause.waiting);
    }

    /// Ends the pause if its time has come.
    pub fn end_pause_in_time(&mut self) {
        if self.pause.end().is_some_and(|end| end <= self.ticks) {
            self.unpause();
        }
    }
}
