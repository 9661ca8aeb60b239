//! What the server knows of a client.

use super::blocked::Blocked;
use super::input::Input;
use super::output::Output;
use super::reply::Reply;
use super::subscriptions::{Kind, Subscriptions};
use super::tracking::TrackingMode;
use super::transaction::{Transaction, WatchedKey};
use crate::acl::user::User;
use crate::command::spec::Spec;
use ae::Connection;
use resp::{OwnedArgs, Protocol};
use std::os::fd::RawFd;
use std::rc::Rc;

/// A client, with the state that its requests change. 15 000 clients may be idle, so what an idle one does not need is
/// in a box.
pub struct Client {
    pub id: u64,
    /// Its place in the table.
    fd: RawFd,
    /// None only for clients of tests.
    pub conn: Option<Connection>,
    pub db: u32,
    pub protocol: Protocol,
    /// Who it is, and whether it has said so or need not.
    pub user: Rc<User>,
    pub authenticated: bool,
    pub closing: Closing,
    /// The client is in the list of those with replies to be written before the loop sleeps.
    pub queued: bool,
    /// The socket was full: the rest is written when it is writable.
    pub waits_for_writable: bool,
    /// Its requests are read.
    pub reads: bool,
    /// Its requests wait until it has read more of its replies.
    pub paused: bool,
    /// In the server's ticks.
    pub created: i64,
    pub last_active: i64,
    pub output: Output,
    /// There while a request is incomplete.
    pub input: Option<Box<Input>>,
    pub last_command: Option<&'static Spec>,
    pub replies: Replies,
    /// There while the client is paused: the request that waits for the end of the pause.
    pub postponed: Option<OwnedArgs>,
    /// There while a request waits for a key.
    pub blocked: Option<Box<Blocked>>,
    /// There between MULTI and EXEC.
    pub transaction: Option<Box<Transaction>>,
    /// The keys that the next transaction depends on.
    pub watched: Vec<WatchedKey>,
    /// There while there is one.
    pub subscriptions: Option<Box<Subscriptions>>,
    /// There while it keeps copies of values.
    pub tracking: Option<Box<TrackingMode>>,
    pub named: Option<Box<Names>>,
}

/// Whether the client is sent replies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Replies {
    On,
    Off,
    /// Not to the next request.
    SkipNext,
}

/// Finds a client in the table, and tells whether it is still the same.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ClientRef {
    pub fd: RawFd,
    pub id: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Closing {
    No,
    /// When the replies have been written.
    AfterReplies,
    /// As soon as the running command returns.
    Now,
}

/// What a client says about itself.
#[derive(Default)]
pub struct Names {
    pub name: Box<[u8]>,
    pub library: Box<[u8]>,
    pub library_version: Box<[u8]>,
    pub no_evict: bool,
    pub no_touch: bool,
}

impl Client {
    pub fn new(id: u64, conn: Option<Connection>, user: &Rc<User>, ticks: i64) -> Client {
        // Clients of tests have no descriptor; they are few.
        let fd = conn.as_ref().map_or(id as RawFd, Connection::fd);
        Client {
            id,
            fd,
            conn,
            db: 0,
            protocol: Protocol::default(),
            authenticated: user.is_open(),
            user: user.clone(),
            closing: Closing::No,
            queued: false,
            waits_for_writable: false,
            reads: true,
            paused: false,
            created: ticks,
            last_active: ticks,
            output: Output::default(),
            input: None,
            last_command: None,
            replies: Replies::On,
            postponed: None,
            blocked: None,
            transaction: None,
            watched: Vec::new(),
            subscriptions: None,
            tracking: None,
            named: None,
        }
    }

    pub fn fd(&self) -> RawFd {
        self.fd
    }

    /// Whether a request of it waits for something, so that the next ones wait as well.
    pub fn waits(&self) -> bool {
        self.blocked.is_some() || self.postponed.is_some()
    }

    /// What others remember it by.
    pub fn reference(&self) -> ClientRef {
        ClientRef { fd: self.fd, id: self.id }
    }

    /// Where its replies go.
    pub fn reply(&mut self) -> Reply<'_> {
        Reply::new(&mut self.output, self.protocol)
    }

    /// The name it has given itself, empty if none.
    pub fn name(&self) -> &[u8] {
        self.named.as_ref().map_or(&[], |named| &named.name)
    }

    pub fn names_mut(&mut self) -> &mut Names {
        self.named.get_or_insert_default()
    }

    pub fn peer_addr(&self) -> String {
        self.conn.as_ref().and_then(|conn| conn.peer_addr().ok()).unwrap_or_else(|| "?:0".into())
    }

    pub fn local_addr(&self) -> String {
        self.conn.as_ref().and_then(|conn| conn.local_addr().ok()).unwrap_or_else(|| "?:0".into())
    }

    pub fn is_local(&self) -> bool {
        self.conn.as_ref().is_none_or(|conn| conn.kind() == "unix" || conn.is_local())
    }

    /// One line of CLIENT LIST, without its end.
    pub fn describe(&self, ticks: i64) -> Vec<u8> {
        let mut line =
            format!("id={} addr={} laddr={} fd={} name=", self.id, self.peer_addr(), self.local_addr(), self.fd())
                .into_bytes();
        line.extend_from_slice(self.name());
        let buffered = self.input.as_ref().map_or((0, 0), |input| (input.len(), input.memory()));
        let on_unix_socket = self.conn.as_ref().is_some_and(|conn| conn.kind() == "unix");
        let flags = match (on_unix_socket, self.closing, self.named.as_ref().is_some_and(|named| named.no_evict)) {
            (false, Closing::No, false) => "N".into(),
            (unix, closing, no_evict) => [(unix, 'U'), (closing != Closing::No, 'c'), (no_evict, 'e')]
                .iter()
                .filter_map(|(set, flag)| set.then_some(*flag))
                .collect::<String>(),
        };
        let subscribed = |kind| self.subscriptions.as_ref().map_or(0, |own| own.of(kind).len());
        let memory = size_of::<Client>() + self.output.memory() + self.input.as_ref().map_or(0, |i| i.memory());
        line.extend_from_slice(
            format!(
                " age={} idle={} flags={flags} db={} sub={} psub={} ssub={} multi={} qbuf={} qbuf-free={} argv-mem=0 \
                 multi-mem=0 rbs={} rbp=0 obl={} oll=0 omem=0 tot-mem={memory} events={} cmd={} user=",
                (ticks - self.created) / 1000,
                (ticks - self.last_active) / 1000,
                self.db,
                subscribed(Kind::Channel),
                subscribed(Kind::Pattern),
                subscribed(Kind::Shard),
                self.transaction.as_ref().map_or(-1, |transaction| transaction.queue.len() as i64),
                buffered.0,
                buffered.1.saturating_sub(buffered.0),
                self.output.memory(),
                self.output.pending(),
                if self.waits_for_writable { "rw" } else { "r" },
                self.last_command.map_or("NULL", |spec| spec.full_name),
            )
            .as_bytes(),
        );
        line.extend_from_slice(&self.user.name);
        let version = if self.protocol == Protocol::Resp2 { 2 } else { 3 };
        line.extend_from_slice(format!(" redir=-1 resp={version} lib-name=").as_bytes());
        let empty = Names::default();
        let named = self.named.as_deref().unwrap_or(&empty);
        line.extend_from_slice(&named.library);
        line.extend_from_slice(b" lib-ver=");
        line.extend_from_slice(&named.library_version);
        line
    }
}
