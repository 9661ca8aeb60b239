//! The stream of the server's own primary: its requests run, and its bytes are passed on as they came.

use super::read::is_temporary;
use super::state::Net;
use crate::clients::client::{Client, Closing};
use crate::command::dispatch::dispatch;
use crate::db::databases::Expiry;
use crate::log::{Level, log};
use ae::Connection;
use resp::Limits;

impl Net {
    /// Reads more of the stream, and runs what is complete.
    pub(super) fn read_stream(&mut self, conn: &Connection, client: &mut Client) {
        let read = conn.read(&mut self.buffer);
        self.server.read_clock();
        match read {
            Ok(0) => client.closing = Closing::Now,
            Ok(len) => {
                client.last_active = self.server.ticks;
                self.server.stats.note_from_primary(len);
                self.stream.bytes.extend_from_slice(&self.buffer[..len]);
                self.run_stream(client);
            }
            Err(error) if is_temporary(&error) => {}
            Err(_) => client.closing = Closing::Now,
        }
    }

    /// Runs what has arrived already.
    pub(super) fn run_stream_of_primary(&mut self) {
        let client = self.server.replication.link.as_ref().and_then(|link| link.client);
        if let Some(mut client) = client.and_then(|client| self.server.clients.take_same(client)) {
            self.run_stream(&mut client);
            self.settle(client);
        }
    }

    fn run_stream(&mut self, client: &mut Client) {
        let limits = Limits { max_bulk: usize::MAX >> 1, ..Limits::default() };
        let mut stream = std::mem::take(&mut self.stream);
        let mut applied = 0;
        let mut broken = None;
        // What has expired for clients is there until the primary removes it.
        self.server.databases.expiry = Expiry::Ignores;
        while client.closing == Closing::No {
            match stream.parser.advance(&mut stream.bytes, &limits) {
                // Primaries send none: this is not where a request begins.
                Ok(true) if stream.parser.is_inline(&stream.bytes) => broken = Some("an inline request".to_string()),
                Ok(true) => {
                    let failed = self.server.stats.errors.total;
                    let args = stream.parser.args(&stream.bytes);
                    dispatch(&mut self.server, client, args);
                    if self.server.stats.errors.total != failed {
                        let name = args[0].escape_ascii();
                        log(Level::Warning, format_args!("a request of the primary failed: {name}"));
                    }
                    if client.transaction.is_none() {
                        applied = stream.parser.parsed();
                    }
                }
                Ok(false) => break,
                Err(error) => broken = Some(error.to_string()),
            }
            if let Some(why) = &broken {
                log(Level::Warning, format_args!("the stream of the primary is broken: {why}"));
                client.closing = Closing::Now;
            }
        }
        let bytes = stream.take_applied(applied);
        self.stream = stream;
        let ticks = self.server.ticks;
        // A request of the stream can have ended the connection.
        let Some(link) = &mut self.server.replication.link else { return };
        self.server.databases.expiry = Expiry::Hides;
        link.heard_at = ticks;
        link.needs_copy |= broken.is_some();
        let wants_ack = std::mem::take(&mut link.wants_ack);
        if !bytes.is_empty() {
            link.stream_db = client.db;
            self.server.feed(bytes);
        }
        if wants_ack {
            client.output.bytes.extend_from_slice(&self.server.acknowledgement());
        }
    }
}
