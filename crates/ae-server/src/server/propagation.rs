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
mod tests {
    use crate::testing::Session;

    /// What the append-only file gets of these requests, as words.
    fn logged(session: &mut Session, requests: &[&str]) -> String {
        session.server.set_streams(true, true);
        requests.iter().for_each(|request| drop(session.run(request)));
        let bytes = std::mem::take(&mut session.server.streams.log.bytes);
        let text = String::from_utf8(bytes).unwrap();
        text.split("\r\n").filter(|word| !word.is_empty() && !word.starts_with('$')).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_changed_is_told_and_nothing_else() {
        let mut session = Session::new();
        assert_eq!(
            logged(&mut session, &["SET k 1", "GET k", "INCR k", "LPUSH k x", "DEL none", "PING"]),
            "*2 SELECT 0 *3 SET k 1 *2 INCR k"
        );
        assert_eq!(logged(&mut session, &["SELECT 3", "SADD s a", "SADD s a"]), "*2 SELECT 3 *3 SADD s a");
    }

    #[test]
    fn transactions_are_framed_if_they_change_several_things() {
        let mut session = Session::new();
        assert_eq!(logged(&mut session, &["MULTI", "SET k 1", "GET k", "EXEC"]), "*2 SELECT 0 *3 SET k 1");
        assert_eq!(
            logged(&mut session, &["MULTI", "SET k 1", "SELECT 1", "SET k 2", "EXEC"]),
            "*1 MULTI *3 SET k 1 *2 SELECT 1 *3 SET k 2 *1 EXEC"
        );
        assert_eq!(logged(&mut session, &["MULTI", "GET k", "EXEC"]), "");
    }

    #[test]
    fn expired_keys_are_removed_elsewhere_too() {
        let mut session = Session::new();
        session.run("DEBUG SET-ACTIVE-EXPIRE 0");
        session.run("SET k 1 PX 100");
        session.run("SET l 1 PX 100");
        session.wait(100);
        assert_eq!(logged(&mut session, &["SADD k a"]), "*2 SELECT 0 *1 MULTI *2 DEL k *3 SADD k a *1 EXEC");
        assert_eq!(logged(&mut session, &["GET l"]), "*2 DEL l");
    }
}
