//! The six steps of a request: accept, read and parse, run, queue the reply, write it before the loop sleeps, close.

use crate::clients::client::{Client, Closing};
use crate::clients::input::Input;
use crate::command::context::reply_error;
use crate::command::dispatch::dispatch;
use crate::config::settings::Config;
use crate::log::{Level, log};
use crate::server::state::Server;
use ae::{Connection, EventLoop, Handler, Peer};
use resp::{Limits, RequestParser};
use std::cell::RefCell;
use std::io::{self, ErrorKind};
use std::os::fd::RawFd;
use std::rc::Rc;
use std::time::{Duration, Instant};

mod idle;
mod spin;
mod write;

use idle::IdleClients;
use spin::Spin;

/// Connections accepted each time a listening socket is readable.
pub const ACCEPTS_PER_CALL: usize = 1000;
/// Bytes read from a client at a time, into a buffer that all share.
const READ_SIZE: usize = 64 * 1024;
/// A client's requests wait while this many bytes of replies to it are pending. A client has to be able to send a
/// long pipeline before it reads the first reply, so this is far above what any sane one lets pile up.
const OUTPUT_PAUSE: usize = 256 * 1024 * 1024;
/// A client that is not read from, will send nothing more and has taken nothing for so many milliseconds has gone, if
/// the cron has looked that often: the server itself may have been busy for long.
const GONE_AFTER: i64 = 2000;
const GONE_LOOKS: u32 = 10;
/// Argument positions that the shared parser keeps room for.
const PARSER_ARGS: usize = 1024;

const TOO_MANY_CLIENTS: &[u8] = b"-ERR max number of clients reached\r\n";
const DENIED: &[u8] = b"-DENIED ae-server is in protected mode: without a password it serves only clients on its own \
    host. To be reached from elsewhere, either set a password with --requirepass or CONFIG SET requirepass, or turn \
    the protection off with --protected-mode no or CONFIG SET protected-mode no.\r\n";

/// The server and what its input and output need.
pub struct Net {
    pub server: Server,
    /// Where reads go. A client gets a buffer of its own only for an incomplete request.
    buffer: Vec<u8>,
    /// For clients that have no incomplete request.
    parser: RequestParser,
    /// Descriptors of clients whose replies are to be written before the loop sleeps.
    queue: Vec<RawFd>,
    /// Output buffers that are not in use.
    spare: Vec<Vec<u8>>,
    /// Clients whose requests are not read, because they have to take replies first.
    unread: Vec<Unread>,
    idle: IdleClients,
    spin: Spin,
    /// There was an event since the loop last slept or polled.
    active: bool,
    /// One handler serves all connections. None after the end.
    handlers: Option<Handlers>,
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

struct Handlers {
    read: Handler,
    write: Handler,
}

impl Net {
    pub fn new(config: Config) -> Rc<RefCell<Net>> {
        let net = Rc::new(RefCell::new(Net {
            server: Server::new(config),
            buffer: vec![0; READ_SIZE],
            parser: RequestParser::new(),
            queue: Vec::new(),
            spare: Vec::new(),
            unread: Vec::new(),
            idle: IdleClients::default(),
            spin: Spin::default(),
            active: false,
            handlers: None,
        }));
        let (reader, writer) = (net.clone(), net.clone());
        net.borrow_mut().handlers = Some(Handlers {
            read: Rc::new(move |conn: &Connection| reader.borrow_mut().on_readable(conn)),
            write: Rc::new(move |conn: &Connection| writer.borrow_mut().on_writable(conn)),
        });
        net
    }

    pub fn on_accept(&mut self, conn: Connection, peer: Peer) {
        let config = &self.server.config;
        let refusal = if self.server.clients.count() >= config.max_clients as usize {
            Some(TOO_MANY_CLIENTS)
        } else if config.protected_mode && config.password.is_empty() && peer != Peer::Unix && !conn.is_local() {
            Some(DENIED)
        } else {
            None
        };
        if let Some(text) = refusal {
            self.server.stats.rejected += 1;
            // The socket is new and empty, so it takes this; if not, the client sees the end all the same.
            let _ = conn.write(text);
            return;
        }
        if peer != Peer::Unix {
            // Neither is worth losing the client for.
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
        let client = Box::new(Client::new(id, Some(conn), self.server.config.password.is_empty(), self.server.ticks));
        self.idle.watch(&client, self.server.config.timeout);
        self.server.clients.add(client);
    }

    fn on_readable(&mut self, conn: &Connection) {
        let Some(mut client) = self.server.clients.take(conn.fd()) else {
            return;
        };
        self.server.read_clock();
        self.active = true;
        match self.read(conn, &mut client) {
            Ok((0, _)) => client.closing = Closing::Now,
            Ok((len, in_buffer)) => {
                client.last_active = self.server.ticks;
                self.server.stats.bytes_in += len as u64;
                self.run_arrived(&mut client, in_buffer);
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Err(_) => client.closing = Closing::Now,
        }
        self.settle(client);
    }

    /// Reads to where a large argument stays if one is arriving, else into the shared buffer. Returns how much has been
    /// read in all, and how much of it into the shared buffer.
    fn read(&mut self, conn: &Connection, client: &mut Client) -> io::Result<(usize, usize)> {
        let large = client.input.as_mut().and_then(|input| {
            let read = input.read_large(|memory, max| conn.read_to_end_of(memory, max))?;
            Some(read.map(|len| (len, input.is_large())))
        });
        match large.transpose()? {
            Some((len @ 0, _) | (len, true)) => Ok((len, 0)),
            // Its line end will have come, too. If not, the next event tells, or why.
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
        // Out of self while commands run on both.
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
        while client.closing == Closing::No {
            client.output.divide();
            if client.output.pending() > OUTPUT_PAUSE {
                client.paused = true;
                return;
            }
            let config = &self.server.config;
            let limits = Limits {
                max_bulk: config.max_bulk as usize,
                unauthenticated: !client.authenticated && !config.password.is_empty(),
                ..Limits::default()
            };
            match parser.advance(bytes, &limits) {
                Ok(true) => dispatch(&mut self.server, client, parser.args(bytes)),
                Ok(false) => return,
                Err(error) => {
                    log(Level::Verbose, format_args!("closed {}: {error}", client.peer_addr()));
                    reply_error(&mut self.server, client, &[b"ERR ", &error.reply()[..]].concat());
                    client.closing = Closing::AfterReplies;
                }
            }
        }
    }

    /// Goes on with the requests of a client that has read enough of its replies.
    fn resume(&mut self, client: &mut Client) {
        client.paused = false;
        if let Some(input) = client.input.take() {
            self.run_buffered(client, input);
        }
        if !client.paused && client.closing == Closing::No {
            self.listen_to(client, true);
        }
    }

    fn listen_to(&self, client: &mut Client, on: bool) {
        let handler = self.handlers.as_ref().filter(|_| on).map(|handlers| handlers.read.clone());
        if let Some(conn) = &client.conn
            && conn.set_read_handler(handler).is_err()
        {
            client.closing = Closing::Now;
        }
        client.reads = on;
    }

    /// Ends the handling of an event: puts the client where it belongs now.
    fn settle(&mut self, mut client: Box<Client>) {
        let pending = client.output.pending() > 0;
        if client.closing == Closing::Now || (client.closing == Closing::AfterReplies && !pending) {
            self.end(client);
            return;
        }
        if client.reads && (client.paused || client.closing == Closing::AfterReplies) {
            self.listen_to(&mut client, false);
            self.unread.push(Unread { fd: client.fd(), id: client.id, pending: 0, since: 0, looks: 0 });
        }
        if pending && !client.queued && !client.waits_for_writable {
            client.queued = true;
            self.queue.push(client.fd());
        } else if !pending {
            self.recycle(&mut client);
        }
        self.server.clients.put_back(client);
    }

    fn end(&mut self, mut client: Box<Client>) {
        self.recycle(&mut client);
        self.server.clients.forget(&client);
    }

    /// What comes before each sleep: the replies, then expiry.
    pub fn before_sleep(&mut self, el: &EventLoop) {
        self.write_queued();
        if let Some(size) = self.server.wanted_set_size.take()
            && let Err(error) = el.resize(size)
        {
            log(Level::Warning, format_args!("cannot make room for {size} descriptors: {error}"));
        }
        if self.server.shutdown {
            // Without waiting: nothing may happen any more that would wake the loop.
            el.set_dont_wait(true);
            el.stop();
            return;
        }
        self.server.expire();
        let active = std::mem::take(&mut self.active);
        if self.server.config.busy_poll {
            el.set_dont_wait(self.spin.goes_on(active, Instant::now));
        } else {
            el.set_dont_wait(false);
        }
    }

    /// Returns when it wants to run again.
    pub fn cron(&mut self) -> Duration {
        let next = self.server.cron();
        let (ticks, timeout) = (self.server.ticks, self.server.config.timeout);
        for (fd, id) in self.idle.due(&self.server.clients, ticks, timeout) {
            if let Some(client) = self.server.clients.take(fd) {
                log(Level::Verbose, format_args!("closed idle client {id}"));
                self.end(client);
            }
        }
        self.end_unread();
        next
    }

    /// Ends clients that no read can tell of that they have gone: they take no replies and will send nothing more.
    /// Those that still take some may have finished sending only.
    fn end_unread(&mut self) {
        let ticks = self.server.ticks;
        for mut unread in std::mem::take(&mut self.unread) {
            let client = self.server.clients.get(unread.fd);
            let Some(client) = client.filter(|client| client.id == unread.id && !client.reads) else { continue };
            let pending = client.output.pending();
            if pending != unread.pending {
                unread = Unread { pending, since: ticks, looks: 0, ..unread };
            }
            unread.looks += 1;
            let stuck = unread.looks > GONE_LOOKS && ticks - unread.since >= GONE_AFTER;
            if !stuck || !client.conn.as_ref().is_some_and(Connection::peer_has_finished) {
                self.unread.push(unread);
            } else if let Some(client) = self.server.clients.take(unread.fd) {
                log(Level::Verbose, format_args!("closed {}: it took no replies and had closed", client.peer_addr()));
                self.end(client);
            }
        }
    }

    /// Closes all connections. Afterwards nothing refers to this any more.
    pub fn close(&mut self) {
        self.write_queued();
        self.handlers = None;
        self.server.clients.forget_all();
    }
}
