//! What changes here on its way to the append-only file and to replicas.

use super::state::Server;
use crate::db::effects::{Concerns, Effect};
use resp::writer;

/// How the effects of one unit are told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Framing {
    /// As a transaction, if there are several.
    Transaction,
    /// Each by itself: they have nothing to do with each other.
    Separate,
}

/// Requests on their way to somebody who does them too, in the order of what happened here.
#[derive(Default)]
pub struct Stream {
    is_open: bool,
    /// The database of the last request.
    selected: Option<usize>,
    /// What its owner has not taken away yet.
    pub bytes: Vec<u8>,
}

impl Stream {
    pub fn is_open(&self) -> bool {
        self.is_open
    }

    /// The next request is preceded by SELECT: who reads it has not seen what came before.
    pub fn select_again(&mut self) {
        self.selected = None;
    }

    fn append(&mut self, effects: &[&Effect], framing: Framing) {
        let Some(first) = effects.first() else { return };
        let framed = framing == Framing::Transaction && effects.len() > 1;
        if framed {
            self.select(first.db);
            self.bytes.extend_from_slice(b"*1\r\n$5\r\nMULTI\r\n");
        }
        for effect in effects {
            self.select(effect.db);
            self.bytes.extend_from_slice(&effect.bytes);
        }
        if framed {
            self.bytes.extend_from_slice(b"*1\r\n$4\r\nEXEC\r\n");
        }
    }

    fn select(&mut self, db: usize) {
        if self.selected != Some(db) {
            self.selected = Some(db);
            writer::array(&mut self.bytes, 2);
            writer::bulk(&mut self.bytes, b"SELECT");
            writer::bulk_integer(&mut self.bytes, db as i64);
        }
    }
}

/// To whom changes are told.
#[derive(Default)]
pub struct Streams {
    /// The append-only file.
    pub log: Stream,
    /// The replication backlog, and replicas.
    pub replicas: Stream,
}

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
    pub fn propagate(&mut self, framing: Framing) {
        if !self.databases.effects.is_empty() {
            self.propagate_unit(framing);
        }
    }

    fn propagate_unit(&mut self, framing: Framing) {
        let effects = self.databases.effects.take();
        if self.streams.log.is_open {
            let logged = effects.iter().filter(|effect| effect.concerns == Concerns::Everybody);
            self.streams.log.append(&logged.collect::<Vec<_>>(), framing);
        }
        if self.streams.replicas.is_open {
            self.streams.replicas.append(&effects.iter().collect::<Vec<_>>(), framing);
        }
    }
}

#[cfg(test)]
#[path = "propagation_tests.rs"]
mod tests;
