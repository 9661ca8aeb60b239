//! The history of the data over a restart: what an RDB file says of it, and how it goes on.

use super::state::Server;
use crate::log::{Level, log};
use crate::replication::backlog::Backlog;

/// Letters of an id.
const ID_LEN: usize = 40;

/// What a file says of the history of the data in it.
struct Told {
    id: String,
    offset: u64,
    stream_db: u32,
}

impl Server {
    /// What is said about the data in a copy.
    pub(super) fn copy_aux(&self) -> Vec<(&'static str, String)> {
        let link = self.replication.link.as_ref();
        vec![
            ("repl-stream-db", link.map_or(0, |link| link.stream_db).to_string()),
            ("repl-id", self.replication.id.clone()),
            ("repl-offset", self.replication.offset.to_string()),
        ]
    }

    /// What is said about the data in a file, between two requests: their history, if somebody may go on with it.
    pub(super) fn history_aux(&mut self) -> Vec<(&'static str, String)> {
        self.feed_replicas();
        let known = self.replication.link.as_ref().is_none_or(|link| !link.needs_copy);
        if !known || self.replication.backlog.is_none() {
            return Vec::new();
        }
        // Whoever goes on from here does not know which database the stream is at.
        self.streams.replicas.select_again();
        self.copy_aux()
    }

    /// Goes on with the history of the data in the file that the server begins with, if it tells one. A replica asks its
    /// primary for the rest of the stream; a primary has a history of its own from here on, which it shares up to here with
    /// replicas that have everything.
    pub(super) fn resume_history(&mut self, aux: &[(Vec<u8>, Vec<u8>)]) {
        let Some(Told { id, offset, stream_db }) = told(aux) else { return };
        log(Level::Notice, format_args!("the history {id} of the data goes on behind offset {offset}"));
        let size = self.config.replication.backlog_size;
        self.replication.offset = offset;
        self.replication.backlog = Some(Backlog::new(size, offset));
        match &mut self.replication.link {
            Some(link) => {
                (link.needs_copy, link.stream_db) = (false, stream_db);
                self.replication.begin_history(id);
            }
            None => {
                self.replication.second = Some((id, offset + 1));
                self.replication.alone_since = self.ticks;
                self.renew_replica_stream();
            }
        }
    }
}

/// None unless all is there and well-formed.
fn told(aux: &[(Vec<u8>, Vec<u8>)]) -> Option<Told> {
    let find = |wanted: &str| {
        let found = aux.iter().find(|(name, _)| name == wanted.as_bytes());
        found.and_then(|(_, value)| str::from_utf8(value).ok())
    };
    let id = find("repl-id").filter(|id| id.len() == ID_LEN && id.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
    // Redis counts in signed numbers.
    let offset = find("repl-offset")?.parse().ok().filter(|offset| *offset < i64::MAX as u64)?;
    let stream_db = find("repl-stream-db").and_then(|db| db.parse().ok()).unwrap_or(0);
    Some(Told { id: id.into(), offset, stream_db })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Session;

    fn aux(words: &[(&str, &str)]) -> Vec<(Vec<u8>, Vec<u8>)> {
        words.iter().map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec())).collect()
    }

    #[test]
    fn a_history_is_told_whole_or_not_at_all() {
        let id = "0123456789abcdef0123456789ABCDEF01234567";
        let all =
            told(&aux(&[("ctime", "1"), ("repl-stream-db", "3"), ("repl-id", id), ("repl-offset", "77")])).unwrap();
        assert_eq!((&*all.id, all.offset, all.stream_db), (id, 77, 3));
        for bad in [
            &[("repl-id", id)][..],
            &[("repl-offset", "1")],
            &[("repl-id", &id[1..]), ("repl-offset", "1")],
            &[("repl-id", "0123456789abcdef0123456789abcdef0123456x"), ("repl-offset", "1")],
            &[("repl-id", id), ("repl-offset", "-1")],
            &[("repl-id", id), ("repl-offset", "9223372036854775807")],
        ] {
            assert!(told(&aux(bad)).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn nobody_goes_on_with_data_of_which_the_history_is_not_known() {
        let mut session = Session::new();
        assert!(session.server.history_aux().is_empty(), "nobody has ever followed it");
        session.server.replication.open_backlog(1000);
        assert_eq!(session.server.history_aux().len(), 3);
        session.run("REPLICAOF 127.0.0.1 1");
        assert_eq!(session.server.history_aux().len(), 3);
        session.server.replication.link.as_mut().unwrap().needs_copy = true;
        assert!(session.server.history_aux().is_empty());
    }

    /// However long the server took to load it.
    #[test]
    fn a_history_that_goes_on_waits_for_its_replicas_from_then_on() {
        let mut session = Session::new();
        session.server.ticks = 10_000_000;
        session.server.resume_history(&aux(&[("repl-id", &"a".repeat(ID_LEN)), ("repl-offset", "77")]));
        session.server.look_after_replicas();
        session.server.ticks += 3_600_000;
        session.server.look_after_replicas();
        assert!(session.server.replication.backlog.is_some());
        session.server.ticks += 1_000;
        session.server.look_after_replicas();
        assert!(session.server.replication.backlog.is_none());
    }

    #[test]
    fn what_has_been_written_belongs_to_the_history_of_a_file() {
        let mut session = Session::new();
        let (_replica, _) = session.replica("REPLCONF capa psync2");
        session.run("SET k v");
        let aux = session.server.history_aux();
        session.server.feed_replicas();
        assert!(session.server.replication.offset > 0);
        assert!(aux.contains(&("repl-offset", session.server.replication.offset.to_string())), "{aux:?}");
    }

    #[test]
    fn a_replica_goes_on_where_its_file_says() {
        let mut session = Session::new();
        session.run("REPLICAOF 127.0.0.1 1");
        session.server.replication.link.as_mut().unwrap().needs_copy = true;
        let id = "a".repeat(ID_LEN);
        session.server.resume_history(&aux(&[("repl-stream-db", "3"), ("repl-id", &id), ("repl-offset", "77")]));
        assert_eq!((session.info("master_replid"), session.number("master_repl_offset")), (id, 77));
        let link = session.server.replication.link.as_ref().unwrap();
        assert_eq!((link.needs_copy, link.stream_db), (false, 3));
    }
}
