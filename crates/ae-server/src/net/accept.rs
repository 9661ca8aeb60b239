//! Accepting clients.

use super::state::Net;
use crate::clients::client::{Client, Closing};
use crate::config::settings::Config;
use crate::log::{Level, log};
use ae::{Connection, Peer, ProxyHeader};
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
        let is_proxy = conn.kind() == "tcp" && is_proxy(config, peer);
        let refusal = if self.server.clients.count() >= config.max_clients as usize {
            Some(TOO_MANY_CLIENTS)
        } else if self.is_protected() && !conn.is_local() && !is_proxy {
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
        client.header = is_proxy.then(Vec::new);
        if client.is_on_unix_socket() {
            client.socket_path = self.server.config.unix_socket.as_deref().map(Box::from);
        }
        client.limit_output(&self.server.config.output_limits);
        self.idle.watch(&client, self.server.config.timeout);
        self.server.clients.add(client);
    }

    /// Whether clients elsewhere are refused, since anybody could use the server.
    fn is_protected(&self) -> bool {
        self.server.config.protected_mode && self.server.users.default_user().rights().no_password
    }

    /// How much of what has arrived is the client's own, behind the header that its proxy has to send first; that is at the
    /// shared buffer's beginning then. None while the header is not whole, and when it is none: the client is closed.
    pub(super) fn behind_header(&mut self, client: &mut Client, len: usize) -> Option<usize> {
        let Some(mut header) = client.header.take() else { return Some(len) };
        header.extend_from_slice(&self.buffer[..len]);
        match ProxyHeader::parse(&header) {
            Ok(None) => {
                client.header = Some(header);
                None
            }
            Ok(Some(found)) => {
                client.announced = found.source.zip(found.destination).map(Box::new);
                if self.is_protected() && !client.is_local() {
                    self.server.stats.rejected += 1;
                    client.send_message(DENIED);
                    client.closing = Closing::AfterReplies;
                    return None;
                }
                let rest = &header[found.len..];
                self.buffer[..rest.len()].copy_from_slice(rest);
                Some(rest.len())
            }
            Err(_) => {
                let peer = client.peer_addr();
                log(Level::Verbose, format_args!("closed {peer}: it is a proxy's, and begins without its header"));
                client.closing = Closing::Now;
                None
            }
        }
    }
}

/// Whether a connection comes from one of the proxies that are configured.
fn is_proxy(config: &Config, peer: Peer) -> bool {
    let Peer::Tcp(address) = peer else { return false };
    let ip = address.ip().to_canonical();
    config.proxy_networks.iter().any(|network| network.contains(&ip))
}
