//! CLIENT PAUSE: requests wait until the pause ends.

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

    /// Ends it, and returns who waits for that.
    pub fn finish(&mut self) -> Vec<ClientRef> {
        self.running = None;
        std::mem::take(&mut self.waiting)
    }

    /// A client waits for the end.
    pub fn add(&mut self, client: ClientRef) {
        self.waiting.push(client);
    }

    /// When it ends, in the server's ticks.
    pub fn end(&self) -> Option<i64> {
        self.running.map(|(_, end)| end)
    }
}
