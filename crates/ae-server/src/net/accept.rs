//! Accepting clients.

use super::state::Net;
use crate::clients::client::Client;
use crate::log::{Level, log};
use ae::{Connection, Peer};
use std::time::Duration;

/// Connections accepted each time a listening socket is readable.
pub const ACCEPTS_PER_CALL: usize = 1000;

const TOO_MANY_CLIENTS: &[u8] = b"-ERR max number of clients reached\r\n";
const DENIED: &[u8] = b"-DENIED ae-server is in protected mode: without a password it serves only clients on its own \
    host. To be reached from elsewhere, either set a password with --requirepass or CONFIG SET requirepass, or turn \
    the protection off with --protected-mode no or CONFIG SET protected-mode no.\r\n";

impl Net {
    pub fn on_accept(&mut self, conn: Connection, peer: Peer) {
        let config = &self.server.config;
        let refusal = if self.server.clients.count() >= config.max_clients as usize {
            Some(TOO_MANY_CLIENTS)
        } else if config.protected_mode
            && self.server.users.default_user().rights().no_password
            && peer != Peer::Unix
            && !conn.is_local()
        {
            Some(DENIED)
        } else {
            None
        };
        if let Some(text) = refusal {
            self.server.stats.rejected += 1;
            // The socket is new and empty, so it takes this; if not, the client sees the end anyway.
            let _ = conn.write(text);
            return;
        }
        if peer != Peer::Unix {
            // Best effort: neither is worth losing the client for.
            let _ = conn.set_tcp_no_delay(true);
            if config.tcp_keepalive > 0 {
                let _ = conn.set_keep_alive(Duration::from_secs(config.tcp_keepalive.into()));
            }
        }
        let handler = self.handlers.as_ref().map(|handlers| handlers.read.clone());
        if let Err(error) = conn.set_read_handler(handler) {
            log(Level::Warning, format_args!("cannot serve a new client: {error}"));
            return;
        }
        self.server.stats.connections += 1;
        self.server.read_clock();
        let id = self.server.clients.next_id();
        let mut client = Box::new(Client::new(id, Some(conn), self.server.users.default_user(), self.server.ticks));
        client.limit_output(&self.server.config.output_limits);
        self.idle.watch(&client, self.server.config.timeout);
        self.server.clients.add(client);
    }
}
