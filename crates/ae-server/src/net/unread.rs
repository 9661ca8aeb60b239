//! Clients whose requests are not read, because they have to take replies first.

use crate::clients::client::Client;
use crate::clients::table::Clients;
use ae::Connection;
use std::os::fd::RawFd;

/// A client that is not read from, will send nothing more and has taken nothing for so many milliseconds has gone, if
/// the cron has looked that often: the server itself may have been busy for long.
const GONE_AFTER: i64 = 2000;
const GONE_LOOKS: u32 = 10;

/// Clients that are not read, until the cron finds that they are read again or have gone.
#[derive(Default)]
pub struct UnreadClients {
    watched: Vec<Unread>,
}

struct Unread {
    fd: RawFd,
    id: u64,
    /// The replies that were pending when the cron looked, since when they have been so many, and how often it has
    /// looked since then.
    pending: usize,
    since: i64,
    looks: u32,
}

impl UnreadClients {
    /// Watches a client until it is read again.
    pub fn watch(&mut self, client: &Client) {
        self.watched.push(Unread { fd: client.fd(), id: client.id, pending: 0, since: 0, looks: 0 });
    }

    /// Takes over those that another list watches.
    pub fn append(&mut self, other: &mut UnreadClients) {
        self.watched.append(&mut other.watched);
    }

    /// The clients that have gone: they take no replies and will send nothing more. No read can tell, since they are
    /// not read. One that still takes replies may only have finished sending.
    pub fn gone(&mut self, clients: &Clients, ticks: i64) -> Vec<RawFd> {
        let mut gone = Vec::new();
        self.watched.retain_mut(|unread| {
            let client = clients.get(unread.fd).filter(|client| client.id == unread.id && !client.reads);
            let Some(client) = client else { return false };
            let pending = client.output.pending();
            if pending != unread.pending {
                *unread = Unread { pending, since: ticks, looks: 0, ..*unread };
            }
            unread.looks += 1;
            let stuck = unread.looks > GONE_LOOKS && ticks - unread.since >= GONE_AFTER;
            if !stuck || !client.conn.as_ref().is_some_and(Connection::peer_has_finished) {
                return true;
            }
            gone.push(unread.fd);
            false
        });
        gone
    }
}
