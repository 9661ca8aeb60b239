//! The server with what its input and output need, and where a client belongs after an event.

use super::idle::IdleClients;
use super::primary_link::PrimaryLink;
use super::primary_stream::PrimaryStream;
use super::spin::Spin;
use super::unread::UnreadClients;
use crate::acl::rights::Rights;
use crate::acl::user::User;
use crate::clients::client::{Client, Closing};
use crate::config::settings::Config;
use crate::persist::aof::replay::Replay;
use crate::server::state::Server;
use ae::{Handler, TimerId};
use resp::RequestParser;
use std::cell::RefCell;
use std::rc::{Rc, Weak};
use std::time::Instant;

/// Bytes read from a client at a time, into a buffer that all share.
const READ_SIZE: usize = 64 * 1024;
/// Output buffers kept for reuse: how many, and up to what size each.
const SPARE_BUFFERS: usize = 64;
const SPARE_SIZE: usize = 64 * 1024;

/// The server together with what its input and output need.
pub struct Net {
    pub server: Server,
    /// What reads fill, for all clients. A client gets a buffer of its own only for an incomplete request.
    pub(super) buffer: Vec<u8>,
    /// For clients that have no incomplete request.
    pub(super) parser: RequestParser,
    /// Output buffers that are not in use.
    pub(super) spare: Vec<Vec<u8>>,
    pub(super) unread: UnreadClients,
    pub(super) idle: IdleClients,
    pub(super) spin: Spin,
    /// There was an event since the loop last slept or polled.
    pub(super) active: bool,
    /// All clients together use too much memory, and none may be closed; not to be looked at again before that, in the
    /// server's ticks.
    pub(super) none_to_close_until: i64,
    /// When there last was one while a snapshot was under way.
    pub(super) last_request: Instant,
    /// When the loop wakes for the next client that has waited long enough (in the server's ticks), by which timer.
    pub(super) wakes_at: Option<i64>,
    pub(super) waker: Option<TimerId>,
    /// The server's own primary: the connection before the stream, the stream, and who brings it.
    pub(super) primary: Option<PrimaryLink>,
    pub(super) stream: PrimaryStream,
    pub(super) superuser: Rc<User>,
    /// When the primary was last shown that this replica is alive while it loads, in the server's ticks.
    pub(super) alive_at: i64,
    /// This, for handlers that are made later.
    pub(super) handle: Weak<RefCell<Net>>,
    /// One handler serves all connections. None before the start and after the end.
    pub(super) handlers: Option<Handlers>,
    /// The append-only file, while it is loaded.
    pub(super) replay: Option<Replay>,
}

#[derive(Clone)]
pub(super) struct Handlers {
    pub read: Handler,
    pub write: Handler,
}

impl Net {
    pub fn new(config: Config) -> Net {
        let primary = config.replication.primary.clone();
        let mut server = Server::new(config);
        if let Some((host, port)) = primary {
            server.become_replica(&host, port);
            // Whatever data there are, their history is not known, unless a file tells it.
            server.replication.link.iter_mut().for_each(|link| link.needs_copy = true);
        }
        Net {
            server,
            buffer: vec![0; READ_SIZE],
            parser: RequestParser::new(),
            spare: Vec::new(),
            unread: UnreadClients::default(),
            idle: IdleClients::default(),
            spin: Spin::default(),
            active: false,
            none_to_close_until: 0,
            last_request: Instant::now(),
            wakes_at: None,
            waker: None,
            primary: None,
            stream: PrimaryStream::default(),
            superuser: Rc::new(User::new(b"(superuser)", Rights::all())),
            alive_at: 0,
            handle: Weak::new(),
            handlers: None,
            replay: None,
        }
    }

    pub(super) fn listen_to(&self, client: &mut Client, on: bool) {
        let handler = self.handlers.as_ref().filter(|_| on).map(|handlers| handlers.read.clone());
        if let Some(conn) = &client.conn
            && conn.set_read_handler(handler).is_err()
        {
            client.closing = Closing::Now;
        }
        client.reads = on;
    }

    /// Ends the handling of an event: puts the client where it belongs now.
    pub(super) fn settle(&mut self, mut client: Box<Client>) {
        if self.is_over(&mut client) {
            self.end(client);
            return;
        }
        let pending = client.output.pending() > 0;
        if client.reads && (client.paused || client.closing == Closing::AfterReplies) {
            self.listen_to(&mut client, false);
            self.unread.watch(&client);
        }
        if pending && !client.waits_for_writable {
            self.server.clients.queue.add(&mut client);
        } else if !pending {
            self.recycle(&mut client);
        }
        self.server.clients.put_back(client);
    }

    pub(super) fn end(&mut self, mut client: Box<Client>) {
        self.recycle(&mut client);
        self.server.release(&mut client);
    }

    /// Takes an output buffer that is no longer needed away from its client.
    pub(super) fn recycle(&mut self, client: &mut Client) {
        if client.output.bytes.capacity() == 0 {
            return;
        }
        let mut bytes = client.output.take().bytes;
        if bytes.capacity() > 0 && bytes.capacity() <= SPARE_SIZE && self.spare.len() < SPARE_BUFFERS {
            bytes.clear();
            self.spare.push(bytes);
        }
    }
}
