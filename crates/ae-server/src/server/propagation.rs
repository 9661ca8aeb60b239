//! What changes here on its way to the append-only file and to replicas.

use super::state::Server;
pub use super::streams::{Framing, Stream};
use crate::db::effects::Concerns;

impl Server {
    /// Opens and closes streams. What is left in one that closes is gone.
    pub fn set_streams(&mut self, log: bool, replicas: bool) {
        for (stream, open) in [(&mut self.streams.log, log), (&mut self.streams.replicas, replicas)] {
            if stream.is_open != open {
                *stream = Stream { is_open: open, ..Stream::default() };
            }
        }
        self.databases.effects.set_wanted(log || replicas);
    }

    /// A unit ends: its effects are told.
    #[inline]
    pub fn propagate(&mut self, framing: Framing) {
        if !self.databases.effects.is_empty() {
            self.propagate_unit(framing);
        }
    }

    fn propagate_unit(&mut self, framing: Framing) {
        let effects = self.databases.effects.take();
        if self.streams.log.is_open {
            let logged = effects.iter().filter(|effect| effect.concerns != Concerns::ReplicasOnly);
            self.streams.log.append(&logged.collect::<Vec<_>>(), framing);
        }
        if self.streams.replicas.is_open {
            let sent = effects.iter().filter(|effect| effect.concerns != Concerns::LogOnly);
            self.streams.replicas.append(&sent.collect::<Vec<_>>(), framing);
        }
    }
}

#[cfg(test)]
#[path = "propagation_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "write_commands_tests.rs"]
mod write_commands_tests;
