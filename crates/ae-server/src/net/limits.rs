//! Closing clients that use too much memory.

use super::state::Net;
use crate::clients::client::{Client, Closing};
use crate::log::{Level, log};
use crate::server::state::Server;

/// How long, in milliseconds, nobody looks for a large client to close after none was found.
const LOOK_EVERY: i64 = 10;

/// The least that counts as `maxmemory-clients`, so that a client can always set it right again.
const CLIENTS_MEMORY_LEAST: usize = 128 * 1024;

impl Net {
    /// Whether so much output waits for a client that it has to be closed.
    pub(super) fn exceeds(&mut self, client: &mut Client) -> bool {
        let Server { config, ticks, .. } = &self.server;
        let exceeds = if client.is_replica() && config.output_limits.replica.hard > 0 {
            // A replica may always have as much as it could get from the backlog.
            let mut limits = config.output_limits;
            limits.replica.hard = limits.replica.hard.max(config.replication.backlog_size);
            client.exceeds(&limits, *ticks)
        } else {
            client.exceeds(&config.output_limits, *ticks)
        };
        if exceeds {
            let (addr, waited) = (client.peer_addr(), client.output.pending().max(client.output.dropped()));
            log(Level::Warning, format_args!("closed {addr}: {waited} bytes of output waited for it"));
        }
        exceeds
    }

    /// Closes the clients whose output has waited for too long.
    pub(super) fn close_slow(&mut self) {
        let waiting: Vec<_> = self
            .server
            .clients
            .iter()
            .filter(|client| client.output.pending() > 0 || client.is_replica())
            .map(Client::fd)
            .collect();
        for fd in waiting {
            if let Some(mut client) = self.server.clients.take(fd) {
                if self.exceeds(&mut client) {
                    self.end(client);
                } else {
                    self.server.clients.put_back(client);
                }
            }
        }
    }

    /// Closes the clients that use the most memory until all together use no more than `maxmemory-clients`.
    pub(super) fn close_large(&mut self) {
        let limit = self.server.config.memory.max_clients.of(self.server.config.memory.max);
        if limit == 0 {
            return self.server.clients.forget_memory();
        }
        let limit = usize::try_from(limit).unwrap_or(usize::MAX).max(CLIENTS_MEMORY_LEAST);
        if self.server.clients.memory() <= limit || self.server.ticks < self.none_to_close_until {
            return;
        }
        let is_kept = |client: &Client| client.named.as_ref().is_some_and(|named| named.no_evict);
        let may_close = |client: &&Client| !(is_kept(client) || client.is_primary || client.is_replica());
        let clients = self.server.clients.iter().filter(may_close);
        let mut used: Vec<(usize, i32)> = clients.map(|client| (client.memory(), client.fd())).collect();
        used.sort_unstable_by(|one, other| other.cmp(one));
        for (_, fd) in used {
            let Some(client) = self.server.clients.take(fd) else { continue };
            log(Level::Notice, format_args!("closed {}: clients used too much memory", client.peer_addr()));
            self.server.stats.evicted_clients += 1;
            self.end(client);
            if self.server.clients.memory() <= limit {
                return;
            }
        }
        self.none_to_close_until = self.server.ticks + LOOK_EVERY;
    }

    /// Whether a client is closed at the end of its event.
    pub(super) fn is_over(&mut self, client: &mut Client) -> bool {
        match client.closing {
            Closing::Now => true,
            Closing::AfterReplies => client.output.pending() == 0,
            Closing::No => self.exceeds(client),
        }
    }
}
