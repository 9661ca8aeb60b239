//! The connection with the server's own primary, up to the stream: the handshake, the copy of the data, loading it.

use super::state::Net;
use crate::clients::client::{Client, Replies};
use crate::config::choices::DisklessLoad;
use crate::config::settings::REDIS_VERSION;
use crate::db::databases::Expiry;
use crate::db::discard::discard;
use crate::log::{Level, log};
use crate::replication::backlog::Backlog;
use crate::replication::handshake::{Handshake, Introduction, Step};
use crate::replication::link::Phase;
use crate::replication::load::{Kept, Loader};
use crate::replication::transfer::{Arrived, Transfer};
use ae::{Connection, EventLoop};
use std::io::{self, ErrorKind};
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// How long loading may keep others waiting.
const LOAD_ROUND: Duration = Duration::from_millis(5);
/// How long until it is tried to connect again, in milliseconds.
const RETRY_AFTER: i64 = 1000;
/// The longest line of a handshake.
const LINE_MAX: usize = 4096;

/// A connection with the primary that does not bring the stream yet.
pub struct PrimaryLink {
    /// Which of the server's links it belongs to.
    number: u64,
    conn: Connection,
    stage: Stage,
    /// What has arrived of a line.
    line: Vec<u8>,
}

enum Stage {
    Connecting,
    Handshake(Handshake),
    Transfer { transfer: Transfer, kept: Kept, history: Option<(String, u64)>, in_memory: bool },
    Loading { loader: Box<Loader>, history: Option<(String, u64)>, rest: Vec<u8> },
    Over,
}

impl Net {
    /// Goes on with the primary: connects, gives up, loads. True if there is more to do at once.
    pub(super) fn drive_primary(&mut self, el: &EventLoop) -> bool {
        let number = self.server.replication.links;
        if self.primary.as_ref().is_some_and(|link| link.number != number) {
            self.close_link();
        }
        let ticks = self.server.ticks;
        let timeout = i64::from(self.server.config.replication.timeout) * 1000;
        let Some(link) = &self.server.replication.link else { return false };
        let silent = ticks - link.heard_at > timeout;
        match link.phase {
            Phase::Connect if self.primary.is_none() && ticks >= link.connects_at => self.connect(el),
            Phase::Connecting | Phase::Handshake | Phase::Transfer if silent => self.fail("a time-out"),
            Phase::Connected if silent => {
                let client = link.client.and_then(|client| self.server.clients.take_same(client));
                if let Some(client) = client {
                    log(Level::Warning, format_args!("the primary has been silent for too long"));
                    self.end(client);
                }
            }
            Phase::Loading => return self.load_some(),
            _ => {}
        }
        false
    }

    fn close_link(&mut self) {
        if let Some(link) = self.primary.take() {
            link.conn.close();
        }
    }

    /// Tries again later.
    fn fail(&mut self, why: &str) {
        self.close_link();
        let ticks = self.server.ticks;
        let Some(link) = &mut self.server.replication.link else { return };
        log(Level::Warning, format_args!("replication from {}:{}: {why}", link.host, link.port));
        link.phase = Phase::Connect;
        link.serves_old = false;
        (link.connects_at, link.heard_at) = (ticks + RETRY_AFTER, ticks);
        if link.takes_over {
            self.server.abort_failover(why);
        }
    }

    fn connect(&mut self, el: &EventLoop) {
        let (Some(link), Some(net)) = (&mut self.server.replication.link, self.handle.upgrade()) else { return };
        let number = self.server.replication.links;
        link.phase = Phase::Connecting;
        link.heard_at = self.server.ticks;
        log(Level::Notice, format_args!("connects to the primary {}:{}", link.host, link.port));
        let connected = move |_: &Connection, result: io::Result<()>| net.borrow_mut().on_connected(number, result);
        let conn = match self.server.config.replication.tls {
            true => Connection::connect_tls(el, &link.host, link.port, connected),
            false => Connection::connect_tcp(el, &link.host, link.port, connected),
        };
        match conn {
            Ok(conn) => self.primary = Some(PrimaryLink { number, conn, stage: Stage::Connecting, line: Vec::new() }),
            Err(error) => self.fail(&format!("cannot connect: {error}")),
        }
    }

    fn on_connected(&mut self, number: u64, result: io::Result<()>) {
        self.server.read_clock();
        let Some(link) = self.primary.as_mut().filter(|link| link.number == number) else { return };
        let Some(net) = self.handle.upgrade() else { return };
        if let Err(error) = result {
            let error = format!("cannot connect: {error} {}", link.conn.last_error());
            return self.fail(error.trim());
        }
        let settings = &self.server.config.replication;
        let own_port = if settings.tls { self.server.config.tls_port } else { self.server.tcp_port };
        let Some(known) = &mut self.server.replication.link else { return };
        (known.phase, known.heard_at) = (Phase::Handshake, self.server.ticks);
        let history = (!known.needs_copy && self.server.replication.backlog.is_some())
            .then(|| (self.server.replication.id.clone(), self.server.replication.offset + 1));
        let (handshake, out) = Handshake::begin(Introduction {
            user: settings.primary_user.clone().into(),
            password: settings.primary_password.clone(),
            port: if settings.announce_port != 0 { settings.announce_port } else { own_port },
            ip: settings.announce_ip.clone(),
            version: REDIS_VERSION,
            history,
            takes_over: known.takes_over,
        });
        link.stage = Stage::Handshake(handshake);
        // Best effort: only latency and the time to notice a dead host depend on them.
        let _ = link.conn.set_tcp_no_delay(true);
        let _ = link.conn.set_keep_alive(Duration::from_secs(settings.timeout.into()));
        let handler = Rc::new(move |_: &Connection| net.borrow_mut().on_link_readable(number));
        if let Err(error) = link.conn.set_read_handler(Some(handler)) {
            return self.fail(&error.to_string());
        }
        self.tell_primary(&out);
    }

    /// Sends a few requests, for which there is always room.
    fn tell_primary(&mut self, bytes: &[u8]) {
        let Some(link) = &self.primary else { return };
        match link.conn.write(bytes) {
            Ok(len) if len == bytes.len() => {}
            Ok(_) => self.fail("the primary takes no requests"),
            Err(error) => self.fail(&format!("cannot write: {error}")),
        }
    }

    fn on_link_readable(&mut self, number: u64) {
        self.server.read_clock();
        let Some(link) = self.primary.as_mut().filter(|link| link.number == number) else { return };
        let mut buffer = std::mem::take(&mut self.buffer);
        match link.conn.read(&mut buffer) {
            Ok(0) => self.fail("the primary closed the connection"),
            Ok(len) => {
                self.server.replication.bytes_in += len as u64;
                let ticks = self.server.ticks;
                if let Some(known) = &mut self.server.replication.link {
                    known.heard_at = ticks;
                }
                self.take_bytes(&buffer[..len]);
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Err(error) => self.fail(&format!("cannot read: {error}")),
        }
        self.buffer = buffer;
    }

    fn take_bytes(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let Some(link) = &mut self.primary else { return };
            let Stage::Handshake(handshake) = &mut link.stage else { return self.take_copy(bytes) };
            let Some(end) = bytes.iter().position(|c| *c == b'\n') else {
                link.line.extend_from_slice(bytes);
                return if link.line.len() > LINE_MAX {
                    self.fail("a line that does not end")
                };
            };
            link.line.extend_from_slice(&bytes[..end]);
            bytes = &bytes[end + 1..];
            let line = std::mem::take(&mut link.line);
            match handshake.line(line.trim_ascii_end()) {
                Step::Wait => {}
                Step::Send(out) => self.tell_primary(&out),
                Step::Copy { history, send } => {
                    if let Err(why) = self.begin_transfer(history) {
                        return self.fail(&why);
                    }
                    if !send.is_empty() {
                        self.tell_primary(&send);
                    }
                }
                Step::Continue(id) => return self.go_on(id, bytes),
                Step::Later(why) | Step::Fail(why) => return self.fail(&why),
            }
        }
    }

    fn begin_transfer(&mut self, history: Option<(String, u64)>) -> Result<(), String> {
        if self.server.replication.failover.is_some() {
            return Err("the target of the failover has other data".into());
        }
        let (Some(link), Some(known)) = (&mut self.primary, &mut self.server.replication.link) else { return Ok(()) };
        known.phase = Phase::Transfer;
        (known.copy_len, known.copy_read) = (None, 0);
        let is_empty = self.server.databases.iter().all(store::Keyspace::is_empty);
        let in_memory = match self.server.config.replication.diskless_load {
            DisklessLoad::Disabled => false,
            DisklessLoad::OnEmptyDb => is_empty,
            DisklessLoad::SwapDb => true,
        };
        let kept = if in_memory {
            Kept::in_memory()
        } else {
            let name = format!("temp-{}.{}.rdb", self.server.now, std::process::id());
            let path = self.server.config.path(Path::new(&name));
            Kept::in_file(&path).map_err(|error| format!("cannot write {}: {error}", path.display()))?
        };
        log(Level::Notice, format_args!("gets a copy of the data"));
        link.stage = Stage::Transfer { transfer: Transfer::default(), kept, history, in_memory };
        Ok(())
    }

    fn take_copy(&mut self, bytes: &[u8]) {
        let (Some(link), Some(known)) = (&mut self.primary, &mut self.server.replication.link) else { return };
        let Stage::Transfer { transfer, kept, .. } = &mut link.stage else { return };
        let read = &mut known.copy_read;
        let keep = |bytes: &[u8]| {
            *read += bytes.len() as u64;
            kept.push(bytes).map_err(|error| format!("cannot keep the copy: {error}"))
        };
        let arrived = transfer.push(bytes, keep);
        known.copy_len = transfer.len_left().map(|left| left + known.copy_read);
        match arrived {
            Ok(Arrived::More) => {}
            Ok(Arrived::All { rest }) => self.begin_load(bytes[bytes.len() - rest..].to_vec()),
            Err(why) => self.fail(&why),
        }
    }

    fn begin_load(&mut self, rest: Vec<u8>) {
        let Some(link) = &mut self.primary else { return };
        let Stage::Transfer { kept, history, in_memory, .. } = std::mem::replace(&mut link.stage, Stage::Over) else {
            return;
        };
        // What comes behind the copy waits in the socket.
        let deaf = link.conn.set_read_handler(None);
        let limits = self.server.config.types.for_dumps();
        let loader = Loader::new(kept, self.server.databases.len(), limits);
        let loader = match (loader, deaf) {
            (Ok(loader), Ok(())) => Box::new(loader),
            (Err(error), _) | (_, Err(error)) => return self.fail(&error.to_string()),
        };
        link.stage = Stage::Loading { loader, history, rest };
        let keeps_old = in_memory && self.server.config.replication.diskless_load == DisklessLoad::SwapDb;
        if let Some(known) = &mut self.server.replication.link {
            (known.phase, known.serves_old, known.needs_copy) = (Phase::Loading, keeps_old, !keeps_old);
        }
        // Their data are not what comes now.
        self.server.disconnect_replicas();
        if !keeps_old {
            let old = self.server.databases.take();
            discard(old, true);
        }
        log(Level::Notice, format_args!("loads the copy of the data"));
    }

    /// Loads for a while. True if there is more.
    fn load_some(&mut self) -> bool {
        let Some(link) = &mut self.primary else { return false };
        let Stage::Loading { loader, .. } = &mut link.stage else { return false };
        match loader.load_until(Instant::now() + LOAD_ROUND) {
            Ok(false) => {
                if self.server.ticks >= self.alive_at + RETRY_AFTER {
                    self.alive_at = self.server.ticks;
                    // An empty line shows the primary that this replica is alive. If it cannot be sent, reading tells.
                    let _ = link.conn.write(b"\n");
                }
                true
            }
            Ok(true) => {
                self.end_load();
                true
            }
            Err(why) => {
                self.fail(&format!("cannot load the copy: {why}"));
                false
            }
        }
    }

    fn end_load(&mut self) {
        let Some(PrimaryLink { conn, stage: Stage::Loading { loader, history, rest }, .. }) = self.primary.take()
        else {
            return;
        };
        let size = self.server.config.replication.backlog_size;
        let (stream_db, keys) = (loader.stream_db.unwrap_or(0), loader.keys);
        let old = self.server.databases.replace_all(loader.into_databases());
        discard(old, true);
        let (id, offset) = match history {
            Some(history) => history,
            None => (self.server.new_history_id(), 0),
        };
        let replication = &mut self.server.replication;
        replication.begin_history(id);
        replication.offset = offset;
        replication.backlog = Some(Backlog::new(size, offset));
        if let Some(known) = &mut replication.link {
            known.needs_copy = false;
            known.serves_old = false;
            known.stream_db = stream_db;
        }
        log(Level::Notice, format_args!("has loaded {keys} keys of the primary"));
        self.begin_stream(conn, rest);
    }

    /// The stream goes on where it ended.
    fn go_on(&mut self, id: Option<String>, rest: &[u8]) {
        let Some(link) = self.primary.take() else { return };
        if let Some(id) = id.filter(|id| *id != self.server.replication.id) {
            self.server.replication.branch(id);
            self.server.disconnect_replicas();
        }
        if self.server.replication.link.as_ref().is_some_and(|known| known.takes_over) {
            self.server.end_failover("the replica has taken over");
        }
        log(Level::Notice, format_args!("the stream of the primary goes on"));
        self.begin_stream(link.conn, rest.to_vec());
    }

    /// From here on the connection is a client whose requests are the stream.
    fn begin_stream(&mut self, conn: Connection, rest: Vec<u8>) {
        let Some(known) = &mut self.server.replication.link else { return };
        let handler = self.handlers.as_ref().map(|handlers| handlers.read.clone());
        let set = conn.set_write_handler(None).and_then(|()| conn.set_read_handler(handler));
        if let Err(error) = set {
            conn.close();
            return self.fail(&error.to_string());
        }
        let id = self.server.clients.next_id();
        let mut client = Box::new(Client::new(id, Some(conn), &self.superuser, self.server.ticks));
        client.is_primary = true;
        client.authenticated = true;
        client.replies = Replies::Off;
        client.db = known.stream_db.min(self.server.config.databases.saturating_sub(1));
        (known.phase, known.takes_over, known.down_since) = (Phase::Connected, false, None);
        (known.client, known.heard_at) = (Some(client.reference()), self.server.ticks);
        self.server.databases.expiry = Expiry::Hides;
        self.stream.begin(rest);
        self.server.clients.add(client);
        self.server.acknowledge();
        self.run_stream_of_primary();
    }
}
