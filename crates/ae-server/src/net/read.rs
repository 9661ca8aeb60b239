//! Reading requests and running them.

use super::state::Net;
use crate::clients::client::{Client, Closing};
use crate::clients::input::Input;
use crate::command::context::reply_error;
use crate::command::dispatch::dispatch;
use crate::log::{Level, log};
use ae::Connection;
use resp::{Limits, RequestParser};
use std::io::{self, ErrorKind};

/// A client's requests wait while this many bytes of replies to it are pending. A client has to be able to send a
/// long pipeline before it reads the first reply, so this is far above what any sane one lets pile up.
const OUTPUT_PAUSE: usize = 256 * 1024 * 1024;
/// As long as a client has not authenticated, and must. Who knows no password cannot fill the memory.
const OUTPUT_PAUSE_UNAUTHENTICATED: usize = 16 * 1024;
/// Argument positions that the shared parser keeps room for.
const PARSER_ARGS: usize = 1024;

impl Net {
    pub(super) fn on_readable(&mut self, conn: &Connection) {
        let Some(mut client) = self.server.clients.take(conn.fd()) else {
            return;
        };
        if client.is_primary && self.server.scripting.running.is_some() {
            // Its stream goes on when the script has ended.
            return self.server.clients.put_back(client);
        }
        self.active = true;
        self.server.stats.reads += 1;
        if client.is_primary {
            self.read_stream(conn, &mut client);
            return self.settle(client);
        }
        let read = self.read(conn, &mut client);
        // Not before: reading is no part of what the first command takes.
        self.server.read_clock();
        match read {
            Ok((0, _)) => {
                // It may still read what it has asked for.
                self.write_all(&mut client);
                client.closing = Closing::Now;
            }
            Ok((len, in_buffer)) => {
                client.last_active = self.server.ticks;
                if let Some(replica) = &mut client.replica {
                    replica.heard_at = self.server.ticks;
                }
                self.server.stats.bytes_in += len as u64;
                self.run_arrived(&mut client, in_buffer);
                if self.server.config.sockets.quick_ack && client.input.is_some() {
                    // The rest may wait for this. It fails for Unix sockets, where nothing does.
                    let _ = conn.set_quick_ack(true);
                }
            }
            Err(error) if is_temporary(&error) => {}
            Err(_) => client.closing = Closing::Now,
        }
        self.settle(client);
        // Before another client's request.
        self.close_large();
    }

    /// Reads to where a large argument stays if one is arriving, else into the shared buffer. Returns how much has been
    /// read in all, and how much of it into the shared buffer.
    fn read(&mut self, conn: &Connection, client: &mut Client) -> io::Result<(usize, usize)> {
        let large = client.input.as_mut().and_then(|input| {
            let read = input.read_large(|memory, max| conn.read_to_end_of(memory, max))?;
            Some(read.map(|len| (len, input.is_large())))
        });
        match large.transpose()? {
            Some((len, true)) => Ok((len, 0)),
            // Most likely its line end has arrived, too. If not, or if this fails, the next event tells.
            Some((len, false)) => {
                let rest = conn.read(&mut self.buffer).unwrap_or(0);
                Ok((len + rest, rest))
            }
            None => conn.read(&mut self.buffer).map(|len| (len, len)),
        }
    }

    /// Runs the requests that are complete now that so many bytes have arrived in the shared buffer, or others
    /// elsewhere.
    fn run_arrived(&mut self, client: &mut Client, len: usize) {
        let Some(len) = self.behind_header(client, len) else { return };
        if let Some(mut input) = client.input.take() {
            let limit = self.server.config.query_buffer_limit;
            if (input.len() + input.parser.memory() + len) as u64 > limit {
                log(Level::Warning, format_args!("closed {}: query buffer limit of {limit} bytes", client.peer_addr()));
                client.closing = Closing::Now;
                return;
            }
            input.push(&self.buffer[..len]);
            self.run_buffered(client, input);
            return;
        }
        // Taken out of `self`, which the commands need as well.
        let mut buffer = std::mem::take(&mut self.buffer);
        let mut parser = std::mem::take(&mut self.parser);
        self.run(client, &mut parser, &mut buffer[..len]);
        let done = parser.rebase();
        if client.closing != Closing::No {
            parser = RequestParser::new();
        } else if done < len {
            let mut input = Input::new(std::mem::take(&mut parser), &buffer[done..len]);
            input.settle();
            client.input = Some(Box::new(input));
        }
        if parser.memory() > 8 * PARSER_ARGS {
            parser.shrink(PARSER_ARGS);
        }
        self.buffer = buffer;
        self.parser = parser;
    }

    fn run_buffered(&mut self, client: &mut Client, mut input: Box<Input>) {
        let (parser, bytes) = input.parts();
        self.run(client, parser, bytes);
        input.settle();
        if input.len() > 0 {
            client.input = Some(input);
        }
    }

    /// Runs the complete requests in `bytes`.
    fn run(&mut self, client: &mut Client, parser: &mut RequestParser, bytes: &mut [u8]) {
        if client.output.bytes.capacity() == 0
            && let Some(spare) = self.spare.pop()
        {
            client.output.bytes = spare;
        }
        client.running = bytes.len();
        self.run_each(client, parser, bytes);
        client.running = 0;
    }

    fn run_each(&mut self, client: &mut Client, parser: &mut RequestParser, bytes: &mut [u8]) {
        while client.closing == Closing::No && !client.waits() && client.output.dropped() == 0 {
            client.output.divide();
            if client.output.pending() > self.output_pause(client) && !client.is_replica() {
                client.paused = true;
                return;
            }
            let config = &self.server.config;
            let limits = Limits {
                max_bulk: config.max_bulk as usize,
                unauthenticated: self.server.needs_auth(client),
                ..Limits::default()
            };
            match parser.advance(bytes, &limits) {
                Ok(true) => dispatch(&mut self.server, client, parser.args(bytes)),
                Ok(false) => return,
                Err(error) => {
                    log(Level::Verbose, format_args!("closed {}: {error}", client.peer_addr()));
                    client.reply_late(|client| {
                        reply_error(&mut self.server, client, &[b"ERR ", &error.reply()[..]].concat());
                    });
                    client.closing = Closing::AfterReplies;
                }
            }
        }
    }

    /// How many pending bytes of replies keep a client's requests waiting.
    pub(super) fn output_pause(&self, client: &Client) -> usize {
        if self.server.needs_auth(client) { OUTPUT_PAUSE_UNAUTHENTICATED } else { OUTPUT_PAUSE }
    }

    /// Goes on with the requests of clients that no longer wait for a key.
    pub(super) fn resume_unblocked(&mut self) {
        while let Some(reference) = self.server.clients.unblocked.pop() {
            if let Some(mut client) = self.server.clients.take_same(reference) {
                self.resume(&mut client);
                self.settle(client);
            }
        }
    }

    /// Continues with the requests of a client that has read enough of its replies.
    pub(super) fn resume(&mut self, client: &mut Client) {
        client.paused = false;
        if let Some(args) = client.postponed.take() {
            dispatch(&mut self.server, client, args.as_args());
        }
        if let Some(input) = client.input.take() {
            self.run_buffered(client, input);
        }
        if !client.paused && client.closing == Closing::No {
            self.listen_to(client, true);
        }
    }
}

/// Whether it is only to be tried again.
pub(super) fn is_temporary(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

#[cfg(test)]
#[path = "read_tests.rs"]
mod tests;
