//! The history of the data, and who shares it.

use super::backlog::Backlog;
use super::copy::FullCopy;
use super::failover::Failover;
use super::link::Link;
use crate::clients::client::ClientRef;

/// What replication remembers.
pub struct Replication {
    /// Distinguishes this history of the data from any other: 40 hexadecimal digits.
    pub id: String,
    /// The id of the history that this one continues, and up to which offset both are the same.
    pub second: Option<(String, u64)>,
    /// Of the last byte of the stream.
    pub offset: u64,
    /// There as soon as there has been a replica, or a primary.
    pub backlog: Option<Backlog>,
    /// In the order in which they came.
    pub replicas: Vec<ClientRef>,
    /// When the last one left, in the server's ticks.
    pub alone_since: i64,
    /// Clients that wait for acknowledgements of replicas.
    pub waiting: Vec<ClientRef>,
    /// Replicas are to be asked how far they are.
    pub asks_for_acks: bool,
    /// When the replicas were last looked after, in the server's ticks.
    pub looked_at: i64,
    /// When the last regular PING was sent, in the server's ticks.
    pub pinged_at: i64,
    /// The server's own primary.
    pub link: Option<Link>,
    /// How many there have been, so that what belongs to an older one can be told.
    pub links: u64,
    pub failover: Option<Failover>,
    /// The copy for replicas that is being made; and whether one has just been completed.
    pub copy: Option<FullCopy>,
    pub copied: bool,
    /// The server is going to end: up to which offset replicas are to have the stream, and until when (in the server's
    /// ticks) they are waited for.
    pub ending: Option<(u64, i64)>,
}

impl Replication {
    pub fn new(id: String) -> Replication {
        Replication {
            id,
            second: None,
            offset: 0,
            backlog: None,
            replicas: Vec::new(),
            alone_since: 0,
            waiting: Vec::new(),
            asks_for_acks: false,
            looked_at: 0,
            pinged_at: 0,
            link: None,
            links: 0,
            copy: None,
            copied: false,
            failover: None,
            ending: None,
        }
    }

    /// A history of its own begins. It shares nothing with another one.
    pub fn begin_history(&mut self, id: String) {
        self.id = id;
        self.second = None;
    }

    /// The history goes on under another id: what came so far is shared with the old one.
    pub fn branch(&mut self, id: String) {
        let old = std::mem::replace(&mut self.id, id);
        self.second = Some((old, self.offset + 1));
    }

    /// Makes sure that there is a backlog.
    pub fn open_backlog(&mut self, size: u64) {
        let offset = self.offset;
        self.backlog.get_or_insert_with(|| Backlog::new(size, offset));
    }

    /// More of the stream.
    pub fn append(&mut self, bytes: &[u8]) {
        self.offset += bytes.len() as u64;
        if let Some(backlog) = &mut self.backlog {
            backlog.push(bytes);
        }
    }

    /// The stream from an offset on, for a replica whose data have this history. None if that cannot be had.
    pub fn stream_from(&self, id: &[u8], offset: u64) -> Option<(&[u8], &[u8])> {
        let of_second = |(second, end): &(String, u64)| id.eq_ignore_ascii_case(second.as_bytes()) && offset <= *end;
        if !id.eq_ignore_ascii_case(self.id.as_bytes()) && !self.second.as_ref().is_some_and(of_second) {
            return None;
        }
        self.backlog.as_ref()?.from(offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn histories_are_shared_up_to_where_they_part() {
        let (old, new) = ("a".repeat(40), "b".repeat(40));
        let mut replication = Replication::new(old.clone());
        assert!(replication.stream_from(old.as_bytes(), 1).is_none(), "there is no backlog");
        replication.open_backlog(100);
        replication.append(b"12345");
        replication.branch(new.clone());
        replication.append(b"678");
        let from = |id: &str, offset| replication.stream_from(id.as_bytes(), offset).map(|(a, b)| [a, b].concat());
        assert_eq!(from(&old, 4).unwrap(), b"45678");
        assert_eq!(from(&old, 6).unwrap(), b"678");
        assert_eq!(from(&old, 7), None, "the other one has gone on differently");
        assert_eq!(from(&new, 8).unwrap(), b"8");
        assert_eq!(from(&new, 10), None);
        assert_eq!(from(&"c".repeat(40), 1), None);
        replication.begin_history("c".repeat(40));
        assert!(replication.stream_from(old.as_bytes(), 4).is_none());
    }
}
