//! What the server knows of a client.

use super::blocked::Blocked;
use super::input::Input;
use super::output::{FIXED_BUFFER, Output};
use super::replica::{Phase, Replica};
use super::reply::Reply;
use super::subscriptions::{Kind, Subscriptions};
use super::tracking::TrackingMode;
use super::transaction::{Transaction, WatchedKeys};
use crate::acl::user::User;
use crate::command::spec::Spec;
use ae::Connection;
use resp::{OwnedArgs, Protocol};
use std::io;
use std::net::SocketAddr;
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
    /// It sees every request: MONITOR.
    pub monitors: bool,
    /// Its requests wait until it has read more of its replies.
    pub paused: bool,
    /// In the server's ticks.
    pub created: i64,
    pub last_active: i64,
    pub output: Output,
    /// There while a request is incomplete.
    pub input: Option<Box<Input>>,
    /// Bytes that have arrived, while requests among them run.
    pub running: usize,
    pub last_command: Option<&'static Spec>,
    /// Since when more output waits than the soft limit allows, in the server's ticks.
    pub above_soft_limit_since: Option<i64>,
    pub replies: Replies,
    /// There while replies are not the client's: the messages that it gets meanwhile.
    pub messages: Option<Vec<u8>>,
    /// There while a script's command replies in another protocol: that of the client.
    message_protocol: Option<Protocol>,
    /// There while the client is paused: the request that waits for the end of the pause.
    pub postponed: Option<OwnedArgs>,
    /// There while a request waits for a key.
    pub blocked: Option<Box<Blocked>>,
    /// There between MULTI and EXEC.
    pub transaction: Option<Box<Transaction>>,
    /// The length of the transaction that EXEC carries out now.
    pub executes: Option<usize>,
    /// The transaction that runs has said that the request behind it is not to be answered.
    pub skips_behind: bool,
    /// The keys that the next transaction depends on.
    pub watched: WatchedKeys,
    /// There while there is one.
    pub subscriptions: Option<Box<Subscriptions>>,
    /// There while it keeps copies of values.
    pub tracking: Option<Box<TrackingMode>>,
    pub named: Option<Box<Names>>,
    /// What a proxy has sent of the header that comes first; None once it is there, and for others.
    pub header: Option<Vec<u8>>,
    /// Where the client is, and what it connected to, as its proxy says.
    pub announced: Option<Box<(SocketAddr, SocketAddr)>>,
    /// The path of the Unix socket that it has connected to.
    pub socket_path: Option<Box<str>>,
    /// What the table of clients last counted as its memory.
    pub(super) measured: usize,
    /// There as soon as it says that it is a replica.
    pub replica: Option<Box<Replica>>,
    /// It is the server's own primary: it may do everything, and gets no replies.
    pub is_primary: bool,
    /// It stands for the append-only file that is being loaded.
    pub is_log: bool,
    /// The offset of the stream of replication behind its last command.
    pub write_offset: u64,
}

/// Whether the client is sent replies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Replies {
    On,
    Off,
    /// Not to the running request.
    Skip,
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
            monitors: false,
            paused: false,
            created: ticks,
            last_active: ticks,
            output: Output::default(),
            input: None,
            running: 0,
            last_command: None,
            above_soft_limit_since: None,
            replies: Replies::On,
            messages: None,
            message_protocol: None,
            postponed: None,
            blocked: None,
            transaction: None,
            executes: None,
            skips_behind: false,
            watched: WatchedKeys::default(),
            subscriptions: None,
            tracking: None,
            named: None,
            header: None,
            announced: None,
            socket_path: None,
            measured: 0,
            replica: None,
            is_primary: false,
            is_log: false,
            write_offset: 0,
        }
    }

    pub fn fd(&self) -> RawFd {
        self.fd
    }

    /// Whether a request of it waits for something, so that the next ones wait as well.
    pub fn waits(&self) -> bool {
        self.blocked.is_some() || self.postponed.is_some()
    }

    /// Whether it gets the stream of changes, or is about to.
    pub fn is_replica(&self) -> bool {
        self.replica.as_ref().is_some_and(|replica| replica.phase != Phase::Introduced)
    }

    /// Whether it may be idle forever: it waits for others.
    pub fn may_be_idle(&self) -> bool {
        self.is_primary || self.is_replica() || self.monitors || self.waits() || self.subscriptions.is_some()
    }

    /// It is closed without being told anything more.
    pub fn cut_off(&mut self) {
        self.output = Output::default();
        self.closing = Closing::Now;
    }

    /// What others remember it by.
    pub fn reference(&self) -> ClientRef {
        ClientRef { fd: self.fd, id: self.id }
    }

    /// Runs what replies to it, and returns the reply instead of sending it. Messages are sent.
    pub fn apart<R>(&mut self, body: impl FnOnce(&mut Client) -> R) -> (R, Output) {
        let kept = self.output.take();
        self.apart_from(kept, body)
    }

    /// Runs a command that a script calls, which replies to the script, in its protocol, and returns the reply: `own`
    /// with what it wrote. Messages are sent, in the client's protocol.
    pub fn apart_for_script(&mut self, protocol: Protocol, own: Output, body: impl FnOnce(&mut Client)) -> Output {
        let kept = std::mem::replace(&mut self.output, own);
        let spoken = std::mem::replace(&mut self.protocol, protocol);
        // No script runs within another one.
        self.message_protocol = Some(spoken);
        let ((), own) = self.apart_from(kept, body);
        self.protocol = spoken;
        self.message_protocol = None;
        own
    }

    /// Runs what writes into the output that is there now, which it returns, and goes on with `kept`, where messages
    /// go.
    fn apart_from<R>(&mut self, kept: Output, body: impl FnOnce(&mut Client) -> R) -> (R, Output) {
        let collects = self.messages.is_none();
        self.messages.get_or_insert_default();
        let result = body(self);
        let own = std::mem::replace(&mut self.output, kept);
        if collects && let Some(messages) = self.messages.take() {
            self.output.open().extend_from_slice(&messages);
        }
        (result, own)
    }

    /// The protocol of messages that it is sent.
    pub fn message_protocol(&self) -> Protocol {
        self.message_protocol.unwrap_or(self.protocol)
    }

    /// Runs what replies to a request that has waited: it gets the reply unless it has said that it wants none.
    pub fn reply_late<R>(&mut self, body: impl FnOnce(&mut Client) -> R) -> R {
        if self.replies == Replies::On { body(self) } else { self.apart(body).0 }
    }

    /// Whether the running request is answered.
    pub fn is_answered(&self) -> bool {
        self.closing == Closing::No && matches!(self.replies, Replies::On | Replies::SkipNext)
    }

    /// Runs one request of a transaction. What it replies is dropped where replies are turned off, except what is
    /// `pushed`, and once the client is to be closed.
    pub fn reply_in_transaction(&mut self, pushed: bool, body: impl FnOnce(&mut Client)) {
        // Where EXEC itself is not answered, what it writes is dropped as a whole, and what is to be sent are messages.
        if self.is_answered() && self.messages.is_none() {
            return body(self);
        }
        let closing = self.closing;
        let ((), own) = self.apart(body);
        if own.dropped() > 0 {
            self.cut_off();
        } else if closing == Closing::No && (pushed || self.replies == Replies::On) {
            self.send_message(&own.into_bytes());
        }
    }

    /// The request without a reply has been answered.
    pub fn end_skip(&mut self) {
        if self.replies == Replies::Skip {
            self.replies = Replies::On;
        }
    }

    /// Sends it a message, which it gets also where its replies are dropped.
    pub fn send_message(&mut self, message: &[u8]) {
        match &mut self.messages {
            Some(messages) => messages.extend_from_slice(message),
            None => self.output.open().extend_from_slice(message),
        }
    }

    /// Where its replies go.
    pub fn reply(&mut self) -> Reply<'_> {
        Reply::new(&mut self.output, self.protocol)
    }

    /// The name it has given itself, empty if none.
    pub fn name(&self) -> &[u8] {
        self.named.as_ref().map_or(&[], |named| &named.name)
    }

    /// Whether a key that the command looks at counts as used, by CLIENT NO-TOUCH.
    pub fn uses_keys_with(&self, spec: &Spec) -> bool {
        !self.named.as_ref().is_some_and(|named| named.no_touch) || spec.full_name == "touch"
    }

    pub fn names_mut(&mut self) -> &mut Names {
        self.named.get_or_insert_default()
    }

    pub fn peer_addr(&self) -> String {
        self.address(|announced| announced.0, Connection::peer_addr)
    }

    pub fn local_addr(&self) -> String {
        self.address(|announced| announced.1, Connection::local_addr)
    }

    fn address(
        &self,
        announced: fn(&(SocketAddr, SocketAddr)) -> SocketAddr,
        own: fn(&Connection) -> io::Result<String>,
    ) -> String {
        match (&self.announced, &self.socket_path) {
            (Some(addresses), _) => announced(addresses).to_string(),
            // As Redis has both ends.
            (None, Some(path)) => format!("{path}:0"),
            (None, None) => self.conn.as_ref().and_then(|conn| own(conn).ok()).unwrap_or_else(|| "?:0".into()),
        }
    }

    /// Where a replica can be reached, without the port.
    pub fn replica_ip(&self) -> String {
        let announced = self.replica.as_ref().map(|replica| &replica.announced_ip).filter(|ip| !ip.is_empty());
        announced.cloned().unwrap_or_else(|| {
            let addr = self.peer_addr();
            let ip = addr.rsplit_once(':').map_or(&*addr, |(ip, _)| ip);
            ip.trim_start_matches('[').trim_end_matches(']').into()
        })
    }

    pub fn is_on_unix_socket(&self) -> bool {
        self.conn.as_ref().is_some_and(|conn| conn.kind() == "unix")
    }

    pub fn is_local(&self) -> bool {
        if let Some(announced) = &self.announced {
            return announced.0.ip().to_canonical().is_loopback();
        }
        self.conn.as_ref().is_none_or(Connection::is_local)
    }

    /// Memory that it has, in bytes.
    pub fn memory(&self) -> usize {
        let input = self.input.as_ref().map_or(0, |input| input.memory());
        let asked_for = self.watched.memory()
            + self.subscriptions.as_ref().map_or(0, |own| own.memory())
            + self.tracking.as_ref().map_or(0, |mode| mode.memory());
        let requests = input + self.args_memory() + self.transaction_memory();
        let held = self.replica.as_ref().map_or(0, |replica| replica.held.memory());
        size_of::<Client>() + self.output.memory() + held + requests + asked_for
    }

    /// Of the request that waits.
    fn args_memory(&self) -> usize {
        let blocked = self.blocked.iter().map(|blocked| blocked.args.memory());
        blocked.chain(self.postponed.iter().map(OwnedArgs::memory)).sum()
    }

    /// Of the requests between MULTI and EXEC.
    fn transaction_memory(&self) -> usize {
        self.transaction.iter().flat_map(|transaction| &transaction.queue).map(|(_, args)| args.memory()).sum()
    }

    /// What CLIENT LIST TYPE and KILL TYPE call it.
    pub fn type_name(&self) -> &'static str {
        match self.subscriptions {
            _ if self.is_primary => "master",
            _ if self.is_replica() => "replica",
            Some(_) => "pubsub",
            None => "normal",
        }
    }

    /// Its state in letters, in Redis's order. `transaction_lost`: a key that its transaction depends on has changed.
    fn flags(&self, transaction_lost: bool) -> String {
        let tracking = self.tracking.as_ref();
        let named = self.named.as_ref();
        let flags = [
            (self.monitors, 'O'),
            (self.is_replica() && !self.monitors, 'S'),
            (self.is_primary, 'M'),
            (self.subscriptions.is_some(), 'P'),
            (self.transaction.is_some() || self.executes.is_some(), 'x'),
            (self.waits(), 'b'),
            (tracking.is_some(), 't'),
            (tracking.is_some_and(|mode| mode.broken), 'R'),
            (tracking.is_some_and(|mode| mode.broadcast), 'B'),
            (transaction_lost, 'd'),
            (self.closing == Closing::AfterReplies, 'c'),
            (self.closing == Closing::Now, 'A'),
            (self.is_on_unix_socket(), 'U'),
            (named.is_some_and(|named| named.no_evict), 'e'),
            (named.is_some_and(|named| named.no_touch), 'T'),
        ];
        let set: String = flags.iter().filter_map(|(set, flag)| set.then_some(*flag)).collect();
        if set.is_empty() { "N".into() } else { set }
    }

    /// One line of CLIENT LIST, without its end. `running_args`: how long the arguments of the running request are.
    pub fn describe(&self, ticks: i64, transaction_lost: bool, running_args: usize) -> Vec<u8> {
        let mut line =
            format!("id={} addr={} laddr={} fd={} name=", self.id, self.peer_addr(), self.local_addr(), self.fd())
                .into_bytes();
        line.extend_from_slice(self.name());
        let buffered = self.input.as_ref().map_or((0, 0), |input| (input.waiting(), input.memory()));
        let flags = self.flags(transaction_lost);
        let redirect = self.tracking.as_ref().map_or(-1, |mode| mode.redirect.unwrap_or(0) as i64);
        let subscribed = |kind| self.subscriptions.as_ref().map_or(0, |own| own.count_of(kind));
        let counted = self.output.counted();
        line.extend_from_slice(
            format!(
                " age={} idle={} flags={flags} db={} sub={} psub={} ssub={} multi={} qbuf={} qbuf-free={} argv-mem={} \
                 multi-mem={} rbs={} rbp={} obl={} oll={} omem={counted} tot-mem={} events={} cmd={} user=",
                (ticks - self.created) / 1000,
                (ticks - self.last_active) / 1000,
                self.db,
                subscribed(Kind::Channel),
                subscribed(Kind::Pattern),
                subscribed(Kind::Shard),
                self.transaction
                    .as_ref()
                    .map(|queued| queued.queue.len())
                    .or(self.executes)
                    .map_or(-1, |len| len as i64),
                self.running + buffered.0,
                buffered.1.saturating_sub(buffered.0),
                self.args_memory() + running_args,
                self.transaction_memory(),
                self.output.bytes.capacity(),
                self.output.bytes.len(),
                self.output.pending() - counted,
                counted.div_ceil(FIXED_BUFFER),
                self.memory(),
                match (self.reads, self.waits_for_writable) {
                    (true, false) => "r",
                    (true, true) => "rw",
                    (false, true) => "w",
                    (false, false) => "",
                },
                self.last_command.map_or("NULL", |spec| spec.full_name),
            )
            .as_bytes(),
        );
        line.extend_from_slice(&self.user.name);
        let version = if self.protocol == Protocol::Resp2 { 2 } else { 3 };
        line.extend_from_slice(format!(" redir={redirect} resp={version} lib-name=").as_bytes());
        let empty = Names::default();
        let named = self.named.as_deref().unwrap_or(&empty);
        line.extend_from_slice(&named.library);
        line.extend_from_slice(b" lib-ver=");
        line.extend_from_slice(&named.library_version);
        line
    }
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
