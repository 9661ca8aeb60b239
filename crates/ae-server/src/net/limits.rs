//! Closing clients that use too much memory.

use super::state::Net;
use crate::clients::client::{Client, Closing};
use crate::log::{Level, log};

/// How often, in milliseconds, all clients' memory is added up while it is limited.
const LOOK_EVERY: i64 = 10;

impl Net {
    /// Whether so much output waits for a client that it has to be closed.
    pub(super) fn exceeds(&mut self, client: &mut Client) -> bool {
        let mut limits = self.server.config.output_limits;
        if limits.replica.hard > 0 {
            // A replica may always have as much as it could get from the backlog.
            limits.replica.hard = limits.replica.hard.max(self.server.config.replication.backlog_size);
        }
        let exceeds = client.exceeds(&limits, self.server.ticks);
        if exceeds {
            let addr = client.peer_addr();
            log(
                Level::Warning,
                format_args!("closed {addr}: {} bytes of output waited for it", client.output.pending()),
            );
            self.server.stats.closed_for_output += 1;
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
        if limit == 0 || self.server.ticks < self.looked_at_memory + LOOK_EVERY {
            return;
        }
        self.looked_at_memory = self.server.ticks;
        let mut used: Vec<(usize, i32)> =
            self.server.clients.iter().map(|client| (client.memory(), client.fd())).collect();
        let mut sum: u64 = used.iter().map(|(memory, _)| *memory as u64).sum();
        used.sort_unstable_by(|one, other| other.cmp(one));
        for (memory, fd) in used {
            if sum <= limit {
                return;
            }
            let Some(client) = self.server.clients.take(fd) else { continue };
            if client.named.as_ref().is_some_and(|named| named.no_evict) || client.is_primary || client.is_replica() {
                self.server.clients.put_back(client);
                continue;
            }
            log(Level::Notice, format_args!("closed {}: clients used too much memory", client.peer_addr()));
            self.server.stats.evicted_clients += 1;
            sum -= memory as u64;
            self.end(client);
        }
    }

    /// Whether a client is closed at the end of its event.
    pub(super) fn is_over(&mut self, client: &mut Client) -> bool {
        let pending = client.output.pending() > 0;
        match client.closing {
            Closing::Now => true,
            Closing::AfterReplies => !pending,
            Closing::No => pending && self.exceeds(client),
        }
    }
}
