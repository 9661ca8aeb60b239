//! One TLS session over a non-blocking socket.

use super::buffer::WRITE_LIMIT;
use super::config::asked;
use super::config::context::{self, Context};
use super::config::contexts::OwnContext;
use super::engine::{Ended, Engine, Outbound, Outcome, READ_LEAST};
use super::failure::Failure;
use super::hello::Hello;
use crate::sys::{Errno, fd, socket};
use core::ffi::{CStr, c_int};
use core::mem;
use rustls::CommonState;
use rustls::client::UnbufferedClientConnection;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::server::UnbufferedServerConnection;
use std::cell::RefCell;
use std::sync::Arc;

/// The first byte of the records that a handshake begins with.
const HANDSHAKE: u8 = 22;

/// What a handshake waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Handshake {
    Read,
    Write,
    Done,
}

pub(super) struct Session {
    engine: Engine,
    /// How many bytes are in records already although the writer was told `EAGAIN`: it will pass them again.
    untold: usize,
    /// The peer's first bytes have been seen and look like a record.
    is_greeted: bool,
    /// The name of the server that the client asks for (SNI).
    server_name: Option<Box<str>>,
    /// The settings are still to be chosen by that name.
    hello: Option<Box<Hello>>,
}

impl Session {
    /// For an accepted connection; `auth` says whether the client is asked for its certificate, None leaves that to the
    /// settings.
    pub(super) fn server(auth: Option<c_int>) -> Result<Box<Self>, Failure> {
        let context = in_force()?;
        Self::server_in(&context, auth)
    }

    /// For an accepted connection with settings of its own.
    pub(super) fn server_of(context: &Arc<OwnContext>) -> Result<Box<Self>, Failure> {
        let mut session = Self::server_in(&context.current(), None)?;
        session.hello = context.has_names().then(|| Hello::new(context.clone()));
        Ok(session)
    }

    fn server_in(context: &Context, auth: Option<c_int>) -> Result<Box<Self>, Failure> {
        let config = context.server(auth).map_err(Failure::Other)?;
        Ok(Self::over(Engine::server(UnbufferedServerConnection::new(config)?), None))
    }

    /// For a connection to a server of that name or address, with its own settings or those in force.
    pub(super) fn client(address: &CStr, context: Option<&OwnContext>) -> Result<Box<Self>, Failure> {
        let context = context.map_or_else(in_force, |context| Ok(context.current()))?;
        let (config, name) = context.client(&address.to_string_lossy()).map_err(Failure::Other)?;
        let asked = if let ServerName::DnsName(name) = &name { Some(name.as_ref().into()) } else { None };
        Ok(Self::over(Engine::client(UnbufferedClientConnection::new(config, name)?), asked))
    }

    fn over(engine: Engine, server_name: Option<Box<str>>) -> Box<Self> {
        Box::new(Self { engine, untold: 0, is_greeted: false, server_name, hello: None })
    }

    pub(super) fn is_handshaking(&self) -> bool {
        self.engine.is_handshaking()
    }

    /// The peer's own certificate.
    pub(super) fn peer_certificate(&self) -> Option<&CertificateDer<'static>> {
        self.engine.peer_certificate()
    }

    /// What has been negotiated.
    pub(super) fn negotiated(&self) -> &CommonState {
        self.engine.negotiated()
    }

    /// The name of the server that the client has asked for.
    pub(super) fn server_name(&self) -> Option<&str> {
        self.server_name.as_deref()
    }

    /// Whether a read would return data that no poll of the socket will announce.
    pub(super) fn has_plain(&self) -> bool {
        self.engine.has_plain()
    }

    /// Whether a record or the end is there that a poll may not announce. A record may turn out to be the end.
    pub(super) fn has_record(&self) -> bool {
        self.engine.has_record()
    }

    /// Continues the handshake.
    pub(super) fn handshake(&mut self, socket: c_int) -> Result<Handshake, Failure> {
        let result = self.try_handshake(socket);
        if let Some(name) = asked::take() {
            self.server_name = Some(name);
        }
        if result.is_err() {
            // The alert tells the peer why.
            let _ = self.flush(socket);
        }
        self.engine.park();
        result
    }

    fn try_handshake(&mut self, socket: c_int) -> Result<Handshake, Failure> {
        loop {
            if let Outcome::Progress | Outcome::Data(_) | Outcome::Sent =
                self.engine.step_or_alert(&mut [], &Outbound::Nothing)?
            {
                continue;
            }
            if self.engine.is_handshaking() && self.has_settings()? && self.engine.show_record() {
                continue;
            }
            match self.flush(socket) {
                Err(Errno::EAGAIN) => return Ok(Handshake::Write),
                Err(Errno::EINTR) => continue,
                result => result?,
            }
            if !self.engine.is_handshaking() {
                return Ok(Handshake::Done);
            }
            match self.receive(socket) {
                Ok(0) => return Err(Failure::Other("the peer closed the connection during the handshake")),
                Err(Failure::System(Errno::EAGAIN)) => return Ok(Handshake::Read),
                Err(Failure::System(Errno::EINTR)) => continue,
                result => result?,
            };
            // A peer that speaks another protocol gets no alert: it would take that for an answer.
            if let [kind, rest @ ..] = self.engine.incoming.filled()
                && self.engine.is_server()
                && !self.is_greeted
            {
                if *kind != HANDSHAKE || rest.first().is_some_and(|major| *major != 3) {
                    return Err(Failure::Other("the peer sent something that is not TLS"));
                }
                self.is_greeted = !rest.is_empty();
            }
        }
    }

    /// Chooses the settings by the name that the client asks for, if they depend on that. False before it is known.
    fn has_settings(&mut self) -> Result<bool, Failure> {
        let Some(hello) = &mut self.hello else { return Ok(true) };
        let Some(name) = hello.name(self.engine.incoming.filled()) else { return Ok(false) };
        if let Some(context) = name.and_then(|name| hello.context.named(&name)) {
            let config = context.server(None).map_err(Failure::Other)?;
            self.engine.replace_server(UnbufferedServerConnection::new(config)?);
        }
        self.hello = None;
        Ok(true)
    }

    /// Reads from the socket; 0 is its end.
    fn receive(&mut self, socket: c_int) -> Result<usize, Failure> {
        let room = self.engine.incoming.room(READ_LEAST);
        if room.is_empty() {
            return Err(Failure::Other("the peer sent a message that is too long"));
        }
        let count = fd::read_into(socket, room)?;
        self.engine.incoming.fill(count);
        Ok(count)
    }

    /// Writes what is in `outgoing`; `EAGAIN` when the socket does not take all of it.
    fn flush(&mut self, socket: c_int) -> Result<(), Errno> {
        self.flush_with(|data| fd::write_from(socket, data))
    }

    fn flush_with(&mut self, write: impl Fn(&[u8]) -> Result<usize, Errno>) -> Result<(), Errno> {
        while !self.engine.outgoing.is_empty() {
            let count = write(self.engine.outgoing.filled())?;
            self.engine.outgoing.consume(count);
        }
        Ok(())
    }

    /// Reads one record, or several good ones, as far as they fit into `out`; 0 is the end.
    pub(super) fn read(&mut self, socket: c_int, out: &mut [u8]) -> Result<usize, Failure> {
        let result = self.try_read(socket, out);
        self.engine.park();
        result
    }

    fn try_read(&mut self, socket: c_int, out: &mut [u8]) -> Result<usize, Failure> {
        if self.engine.has_plain() {
            return Ok(self.engine.take_plain(out));
        }
        while self.engine.end.is_none() {
            match self.engine.step_or_alert(out, &Outbound::Nothing) {
                Ok(Outcome::Data(count @ 1..)) => return Ok(count + self.engine.read_ahead(&mut out[count..])),
                Ok(Outcome::Idle) if !self.engine.show_record() => {
                    // The protocol's own replies. What the socket does not take now goes with the next call.
                    let _ = self.flush(socket);
                    if self.receive(socket)? == 0 {
                        self.engine.end = Some(Ended::Eof);
                    }
                }
                // An error has set the end.
                Ok(_) | Err(_) => {}
            }
        }
        // An alert.
        let _ = self.flush(socket);
        match &self.engine.end {
            Some(Ended::Failed(failure)) => Err(failure.clone()),
            _ => Ok(0),
        }
    }

    /// Writes data that comes in parts; returns how much was taken. `EAGAIN` when the socket does not take all the
    /// records: the caller then passes the same data again, at least as much of it, as upstream requires, too.
    pub(super) fn write(&mut self, socket: c_int, parts: &[&[u8]]) -> Result<usize, Failure> {
        let result = self.try_write(socket, parts);
        if let Err(Failure::Tls(_)) = result {
            // The alert tells the peer why.
            let _ = self.flush(socket);
        }
        self.engine.park();
        result
    }

    fn try_write(&mut self, socket: c_int, parts: &[&[u8]]) -> Result<usize, Failure> {
        if let Some(Ended::Failed(failure)) = &self.engine.end {
            return Err(failure.clone());
        }
        self.flush(socket)?;
        let total: usize = parts.iter().map(|part| part.len()).sum();
        if self.untold > 0 {
            // With less than before it cannot be the same data.
            return if total < self.untold { Err(Errno::EAGAIN.into()) } else { Ok(mem::take(&mut self.untold)) };
        }
        let count = match parts {
            [] => 0,
            [first, ..] if parts.len() == 1 || first.len() >= WRITE_LIMIT => {
                let data = &first[..first.len().min(WRITE_LIMIT)];
                self.engine.encrypt(data)?;
                data.len()
            }
            _ => GATHERED.with_borrow_mut(|gathered| {
                gathered.clear();
                for part in parts {
                    gathered.extend_from_slice(&part[..part.len().min(WRITE_LIMIT - gathered.len())]);
                }
                self.engine.encrypt(gathered).map(|()| gathered.len())
            })?,
        };
        match self.flush(socket) {
            Ok(()) => Ok(count),
            Err(errno) => {
                self.untold = count;
                Err(errno.into())
            }
        }
    }

    /// Tells the peer that nothing more comes, if the socket takes that at once. Never waits, not even if the socket
    /// blocks.
    pub(super) fn close(&mut self, socket: c_int) {
        let flush = |session: &mut Self| session.flush_with(|data| socket::send_now(socket, data));
        if self.engine.is_handshaking() || matches!(self.engine.end, Some(Ended::Failed(_))) || flush(self).is_err() {
            return;
        }
        while let Ok(Outcome::Progress | Outcome::Data(_)) = self.engine.step(&mut [], &Outbound::CloseNotify) {}
        let _ = flush(self);
        if !self.engine.is_server() {
            // A server's tickets must not stay unread: the kernel would send a reset, and that would discard what has
            // just been written.
            let _ = socket::receive_now(socket, self.engine.incoming.room(READ_LEAST));
        }
    }
}

thread_local! {
    /// Where the parts of a write are put together.
    static GATHERED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// The settings in force.
fn in_force() -> Result<Arc<Context>, Failure> {
    context::current().ok_or(Failure::Other("TLS is not configured"))
}
