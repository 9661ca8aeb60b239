//! The connection with the server's own primary, up to the stream: the handshake, the copy of the data, loading it.

use super::primary_link::{Arriving, PrimaryLink, Stage, TemporaryFile};
use super::read::is_temporary;
use super::state::Net;
use crate::clients::client::{Client, Replies};
use crate::config::choices::DisklessLoad;
use crate::config::settings::REDIS_VERSION;
use crate::db::discard::discard;
use crate::log::{Level, log};
use crate::replication::backlog::Backlog;
use crate::replication::handshake::{Handshake, Introduction, Step};
use crate::replication::link::Phase;
use crate::replication::transfer::{Arrived, Transfer};
use crate::server::loading::LoadOptions;
use crate::server::state::Server;
use ae::{Connection, EventLoop, Handler};
use std::cell::Cell;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

/// How long until it is tried to connect again, in milliseconds.
const RETRY_AFTER: i64 = 1000;
/// The longest line of a handshake.
const LINE_MAX: usize = 4096;

/// What could not be done with the connection, and why. TLS knows more of that than the error says.
fn failure(what: &str, error: &io::Error, conn: &Connection) -> String {
    let (error, detail) = (error.to_string(), conn.last_error());
    if error.contains(&detail) {
        format!("cannot {what}: {error}")
    } else {
        format!("cannot {what}: {error}: {detail}")
    }
}

impl Net {
    /// Goes on with the primary: connects, gives up, finishes loading. True if the loop must not sleep.
    pub(super) fn drive_primary(&mut self, el: &EventLoop) -> bool {
        let number = self.server.replication.links;
        if self.primary.as_ref().is_some_and(|link| link.number != number) {
            self.close_link();
        }
        if let Some(result) = self.primary.as_ref().and_then(|link| link.connected.take()) {
            self.on_connected(number, result);
        }
        let ticks = self.server.ticks;
        let timeout = i64::from(self.server.config.replication.timeout) * 1000;
        let is_loading = self.server.is_loading();
        let Some(link) = &self.server.replication.link else { return false };
        let (phase, silent, due) = (link.phase, ticks - link.heard_at > timeout, ticks >= link.connects_at);
        let client = link.client;
        match phase {
            Phase::Connect if self.primary.is_none() && due && !is_loading => self.connect(el),
            Phase::Transfer if self.resume_reading() => {}
            Phase::Connecting | Phase::Handshake | Phase::Transfer if silent => self.fail("a time-out"),
            Phase::Connected if silent => {
                let client = client.and_then(|client| self.server.clients.take_same(client));
                if let Some(client) = client {
                    log(Level::Warning, format_args!("the primary has been silent for too long"));
                    self.end(client);
                }
            }
            _ => {}
        }
        self.finish_load()
    }

    /// Reads on if there is room again for what is loaded. True if it is not the primary that is waited for.
    fn resume_reading(&mut self) -> bool {
        let Some(link) = self.primary.as_mut().filter(|link| !link.reads) else { return false };
        if self.server.loading_room() > 0 {
            link.reads = link.conn.set_read_handler(link.reader.clone()).is_ok();
            let ticks = self.server.ticks;
            self.server.replication.link.iter_mut().for_each(|known| known.heard_at = ticks);
        }
        true
    }

    /// Whether a connection is with the primary that there is. One that was replaced in this very turn of the loop may
    /// still have something to say.
    fn is_current(&self, number: u64) -> bool {
        number == self.server.replication.links && self.primary.as_ref().is_some_and(|link| link.number == number)
    }

    fn close_link(&mut self) {
        let Some(link) = self.primary.take() else { return };
        link.conn.close();
        if let Some(aside) = link.loads_aside {
            self.server.cancel_loading();
            if !aside {
                // A part of other data is not worth keeping.
                discard(self.server.databases.take(), true);
            }
        }
    }

    /// Tries again later.
    fn fail(&mut self, why: &str) {
        self.close_link();
        let ticks = self.server.ticks;
        let Some(link) = &mut self.server.replication.link else { return };
        log(Level::Warning, format_args!("replication from {}:{}: {why}", link.host, link.port));
        link.phase = Phase::Connect;
        link.connects_at = ticks + RETRY_AFTER;
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
        let kept = Rc::new(Cell::new(None));
        let later = kept.clone();
        let connected = move |_: &Connection, result: io::Result<()>| match net.try_borrow_mut() {
            Ok(mut net) => net.on_connected(number, result),
            // A script runs.
            Err(_) => later.set(Some(result)),
        };
        let conn = match self.server.config.replication.tls {
            true => Connection::connect_tls(el, &link.host, link.port, connected),
            false => Connection::connect_tcp(el, &link.host, link.port, connected),
        };
        match conn {
            Ok(conn) => {
                let (stage, line) = (Stage::Connecting, Vec::new());
                self.primary = Some(PrimaryLink {
                    number,
                    conn,
                    connected: kept,
                    stage,
                    line,
                    reader: None,
                    reads: false,
                    loads_aside: None,
                });
            }
            Err(error) => self.fail(&format!("cannot connect: {error}")),
        }
    }

    fn on_connected(&mut self, number: u64, result: io::Result<()>) {
        self.server.read_clock();
        if !self.is_current(number) {
            return;
        }
        let Some(link) = &mut self.primary else { return };
        let Some(net) = self.handle.upgrade() else { return };
        if let Err(error) = result {
            let why = failure("connect", &error, &link.conn);
            return self.fail(&why);
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
        let handler: Handler = Rc::new(move |_: &Connection| {
            // While a script runs it stays readable.
            if let Ok(mut net) = net.try_borrow_mut() {
                net.on_link_readable(number);
            }
        });
        link.reader = Some(handler);
        link.reads = true;
        if let Err(error) = link.conn.set_read_handler(link.reader.clone()) {
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
            Err(error) => {
                let why = failure("write", &error, &link.conn);
                self.fail(&why);
            }
        }
    }

    fn on_link_readable(&mut self, number: u64) {
        self.server.read_clock();
        if !self.is_current(number) {
            return;
        }
        let Some(link) = &mut self.primary else { return };
        let mut buffer = std::mem::take(&mut self.buffer);
        match link.conn.read(&mut buffer) {
            Ok(0) => self.fail("the primary closed the connection"),
            Ok(len) => {
                self.server.stats.note_from_primary(len);
                let ticks = self.server.ticks;
                if let Some(known) = &mut self.server.replication.link {
                    known.heard_at = ticks;
                }
                self.take_bytes(&buffer[..len]);
            }
            Err(error) if is_temporary(&error) => {}
            Err(error) => {
                let why = failure("read", &error, &link.conn);
                self.fail(&why);
            }
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
        let is_empty = self.server.databases.iter().all(store::Keyspace::is_empty);
        let load = self.server.config.replication.diskless_load;
        let into = if load == DisklessLoad::SwapDb || (load == DisklessLoad::OnEmptyDb && is_empty) {
            self.prepare_load(load == DisklessLoad::SwapDb);
            let options =
                LoadOptions { keep_expired: true, aside: load == DisklessLoad::SwapDb, ..LoadOptions::default() };
            let done = Box::new(|server: &mut Server, loaded| server.note_loaded(loaded));
            self.server.begin_loading_stream(options, done).map_err(|error| format!("cannot load: {error}"))?;
            Arriving::Loader
        } else {
            let name = format!("temp-{}.{}.{}.rdb", self.server.now, std::process::id(), &self.server.run_id[..8]);
            let path = self.server.config.path(Path::new(&name));
            let path = std::path::absolute(&path).unwrap_or(path);
            let file = File::create_new(&path);
            let file = file.map_err(|error| format!("cannot write {}: {error}", path.display()))?;
            Arriving::File(file, TemporaryFile(path))
        };
        let (Some(link), Some(known)) = (&mut self.primary, &mut self.server.replication.link) else { return Ok(()) };
        known.phase = Phase::Transfer;
        (known.copy_len, known.copy_read, known.loaded) = (None, 0, None);
        log(Level::Notice, format_args!("gets a copy of the data"));
        link.stage = Stage::Transfer { transfer: Transfer::default(), into, history };
        Ok(())
    }

    /// What there is gives way to what is going to be loaded, at once or at the end.
    fn prepare_load(&mut self, aside: bool) {
        // Their data are not what comes now.
        self.server.disconnect_replicas();
        if !aside {
            self.server.suspend_log();
            discard(self.server.databases.take(), true);
            self.server.replication.link.iter_mut().for_each(|known| known.needs_copy = true);
        }
        self.primary.iter_mut().for_each(|link| link.loads_aside = Some(aside));
    }

    fn take_copy(&mut self, bytes: &[u8]) {
        let Net { primary: Some(link), server, .. } = self else { return };
        let Stage::Transfer { transfer, into, .. } = &mut link.stage else { return };
        let mut read = 0;
        let arrived = transfer.push(bytes, |bytes| {
            read += bytes.len() as u64;
            match into {
                Arriving::File(file, _) => file.write_all(bytes).map_err(|error| format!("cannot keep it: {error}"))?,
                Arriving::Loader => server.feed_loading(bytes.to_vec()),
            }
            Ok(())
        });
        if matches!(into, Arriving::Loader) && server.loading_room() == 0 {
            link.reads = link.conn.set_read_handler(None).is_err();
        }
        if let Some(known) = &mut server.replication.link {
            known.copy_read += read;
            known.copy_len = transfer.len_left().map(|left| left + known.copy_read);
        }
        match arrived {
            Ok(Arrived::More) => {}
            Ok(Arrived::All { rest }) => self.begin_load(bytes[bytes.len() - rest..].to_vec()),
            Err(why) => self.fail(&why),
        }
    }

    /// All of the copy has arrived.
    fn begin_load(&mut self, rest: Vec<u8>) {
        let Some(link) = &mut self.primary else { return };
        let Stage::Transfer { into, history, .. } = std::mem::replace(&mut link.stage, Stage::Over) else { return };
        // What comes behind the copy waits in the socket.
        link.reads = link.conn.set_read_handler(None).is_err();
        link.stage = Stage::Loading { history, rest };
        self.server.replication.link.iter_mut().for_each(|known| known.phase = Phase::Loading);
        match into {
            Arriving::Loader => self.server.end_loading_stream(),
            Arriving::File(_, path) => {
                self.prepare_load(false);
                let options = LoadOptions { keep_expired: true, ..LoadOptions::default() };
                let done = Box::new(|server: &mut Server, loaded| server.note_loaded(loaded));
                // The file is open then, so that its name may go.
                if let Err(error) = self.server.begin_loading_file(&path.0, options, done) {
                    self.fail(&format!("cannot load the copy: {error}"));
                }
            }
        }
    }

    /// Ends loading if everything is there, or if that failed. True if it did.
    fn finish_load(&mut self) -> bool {
        let Some(link) = self.primary.as_mut().filter(|link| link.loads_aside.is_some()) else { return false };
        let is_complete = matches!(link.stage, Stage::Loading { .. });
        if self.server.ticks >= self.alive_at + RETRY_AFTER {
            self.alive_at = self.server.ticks;
            // An empty line shows the primary that this replica is alive. If it cannot be sent, reading tells.
            let _ = link.conn.write(b"\n");
        }
        let loaded = self
            .server
            .replication
            .link
            .as_mut()
            .and_then(|known| known.loaded.take_if(|loaded| is_complete || loaded.is_err()));
        match loaded {
            None => return false,
            Some(Ok(stream_db)) => self.end_load(stream_db),
            Some(Err(why)) => self.fail(&format!("cannot load the copy: {why}")),
        }
        true
    }

    fn end_load(&mut self, stream_db: u32) {
        let Some(PrimaryLink { conn, stage: Stage::Loading { history, rest }, .. }) = self.primary.take() else {
            return;
        };
        let size = self.server.config.replication.backlog_size;
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
            known.stream_db = stream_db;
        }
        log(Level::Notice, format_args!("has loaded the data of the primary"));
        // A snapshot under way is one of other data.
        self.server.abandon_snapshot();
        self.server.resume_log();
        self.server.databases.own_volatile.clear();
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
        client.replies = Replies::Off;
        client.db = known.stream_db.min(self.server.config.databases.saturating_sub(1));
        (known.phase, known.takes_over) = (Phase::Connected, false);
        known.client = Some(client.reference());
        self.stream.begin(rest);
        self.server.clients.add(client);
        self.server.acknowledge();
        self.run_stream_of_primary();
    }
}

#[cfg(test)]
#[path = "primary_tests.rs"]
mod tests;
