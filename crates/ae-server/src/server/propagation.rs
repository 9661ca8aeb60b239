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
