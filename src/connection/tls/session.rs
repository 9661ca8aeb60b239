//! One TLS session over a non-blocking socket: rustls between two buffers.

use super::buffer::Buffer;
use super::config::{ahead, context};
use super::failure::Failure;
use crate::sys::{Errno, fd, socket};
use core::ffi::{CStr, c_int};
use core::mem;
use rustls::Error as TlsError;
use rustls::client::UnbufferedClientConnection;
use rustls::pki_types::CertificateDer;
use rustls::server::UnbufferedServerConnection;
use rustls::unbuffered::{ConnectionState, EncodeError, EncryptError, UnbufferedStatus};
use std::cell::RefCell;

/// How much of one write goes into records at once: four of the largest.
pub(super) const WRITE_LIMIT: usize = 64 * 1024;

/// The header of a record: type, version and length.
const RECORD_HEADER: usize = 5;
/// Its first byte.
const RECORD_KINDS: core::ops::RangeInclusive<u8> = 20..=24;
/// One that none has.
const NO_RECORD: u8 = 0;
/// The first byte of those with data, and in TLS 1.3 of most others.
const DATA: u8 = 23;
/// How long a record has to be, to be taken together with the one before: longer than an alert of TLS 1.3.
const AHEAD_LEAST: usize = RECORD_HEADER + 2 + 1 + 16 + 1;
/// The first byte of those that a handshake begins with.
const HANDSHAKE: u8 = 22;
/// No record is so long, behind its header.
const RECORD_MOST: usize = (1 << 14) + 2048;
/// How much to read at least, if there is as much.
const READ_LEAST: usize = RECORD_HEADER + RECORD_MOST;

enum Tls {
    Server(UnbufferedServerConnection),
    Client(UnbufferedClientConnection),
}

/// What a handshake waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Handshake {
    Read,
    Write,
    Done,
}

/// What to send with a step.
enum Send<'a> {
    Nothing,
    Data(&'a [u8]),
    CloseNotify,
}

/// What a step has done.
enum Step {
    /// There may be more to do.
    Progress,
    /// Data has been received; so much of it is where the caller wanted it.
    Data(usize),
    /// What was to be sent is in the buffer.
    Sent,
    /// Nothing to do without more input.
    Idle,
}

/// What a read has reported, or is about to.
#[derive(Clone)]
enum End {
    Eof,
    Failed(Failure),
}

pub(super) struct Session {
    tls: Tls,
    /// Records from the socket.
    incoming: Buffer,
    /// How many of these bytes, whole records, rustls has been shown: what it leaves there is a part of a message. It
    /// gets to see a record only when a read has nothing else to give (but see [`ahead`]). One that is bad ends the
    /// session, and what the data before it is answered with has to be written first.
    shown: usize,
    /// Data that no reader has had room for.
    plain: Vec<u8>,
    /// How much of it has been read.
    taken: usize,
    /// Records for the socket.
    outgoing: Buffer,
    /// How many bytes of data in `outgoing` the writer still believes to have: it was told `EAGAIN`, and brings them
    /// once more.
    untold: usize,
    /// The first record of the peer looks like one.
    is_greeted: bool,
    end: Option<End>,
}

impl Session {
    pub(super) fn server(tls: UnbufferedServerConnection) -> Self {
        Self::new(Tls::Server(tls))
    }

    pub(super) fn client(tls: UnbufferedClientConnection) -> Self {
        Self::new(Tls::Client(tls))
    }

    fn new(tls: Tls) -> Self {
        Self {
            tls,
            incoming: Buffer::default(),
            shown: 0,
            plain: Vec::new(),
            taken: 0,
            outgoing: Buffer::default(),
            untold: 0,
            is_greeted: false,
            end: None,
        }
    }

    pub(super) fn is_handshaking(&self) -> bool {
        match &self.tls {
            Tls::Server(tls) => tls.is_handshaking(),
            Tls::Client(tls) => tls.is_handshaking(),
        }
    }

    fn wants_write(&self) -> bool {
        match &self.tls {
            Tls::Server(tls) => tls.wants_write(),
            Tls::Client(tls) => tls.wants_write(),
        }
    }

    /// The peer's own certificate.
    pub(super) fn peer_certificate(&self) -> Option<&CertificateDer<'static>> {
        match &self.tls {
            Tls::Server(tls) => tls.peer_certificates(),
            Tls::Client(tls) => tls.peer_certificates(),
        }?
        .first()
    }

    /// Lets rustls do one thing. Received data goes to `out`, what does not fit to `plain`.
    fn step(&mut self, out: &mut [u8], send: &Send<'_>) -> Result<Step, TlsError> {
        // The two kinds of connection have no common trait.
        macro_rules! step {
            ($tls:expr) => {{
                let UnbufferedStatus { mut discard, state } =
                    $tls.process_tls_records(&mut self.incoming.filled_mut()[..self.shown]);
                let step = match state {
                    Ok(ConnectionState::ReadTraffic(mut traffic)) => {
                        let mut copied = 0;
                        while let Some(record) = traffic.next_record() {
                            let record = record?;
                            discard += record.discard;
                            let count = record.payload.len().min(out.len() - copied);
                            let (fits, rest) = record.payload.split_at(count);
                            out[copied..copied + count].copy_from_slice(fits);
                            self.plain.extend_from_slice(rest);
                            copied += count;
                        }
                        Ok(Step::Data(copied))
                    }
                    Ok(ConnectionState::EncodeTlsData(mut data)) => encode(&mut self.outgoing, |room| {
                        data.encode(room).map_err(|error| match error {
                            EncodeError::InsufficientSize(size) => Some(size.required_size),
                            EncodeError::AlreadyEncoded => None,
                        })
                    })
                    .map(|()| Step::Progress),
                    Ok(ConnectionState::TransmitTlsData(data)) => {
                        // It is in `outgoing`, and everything else goes behind it.
                        data.done();
                        Ok(Step::Progress)
                    }
                    Ok(ConnectionState::WriteTraffic(mut traffic)) => match send {
                        Send::Nothing => Ok(Step::Idle),
                        Send::Data(data) => {
                            encode(&mut self.outgoing, |room| traffic.encrypt(data, room).map_err(required))
                                .map(|()| Step::Sent)
                        }
                        Send::CloseNotify => {
                            encode(&mut self.outgoing, |room| traffic.queue_close_notify(room).map_err(required))
                                .map(|()| Step::Sent)
                        }
                    },
                    Ok(ConnectionState::PeerClosed) => {
                        self.end.get_or_insert(End::Eof);
                        Ok(Step::Progress)
                    }
                    Ok(_) => Ok(Step::Idle),
                    Err(error) => Err(error),
                };
                self.incoming.consume(discard);
                self.shown -= discard;
                step
            }};
        }
        match &mut self.tls {
            Tls::Server(tls) => step!(tls),
            Tls::Client(tls) => step!(tls),
        }
    }

    /// A step that fails also leaves the alert for the peer in `outgoing`, and ends what can be read.
    fn step_or_alert(&mut self, out: &mut [u8], send: &Send<'_>) -> Result<Step, Failure> {
        self.step(out, send).map_err(|error| self.fail(error))
    }

    fn fail(&mut self, error: TlsError) -> Failure {
        // Not a step more than there is to send: it would look at the bad record again.
        while self.wants_write() && self.step(&mut [], &Send::Nothing).is_ok() {}
        let failure = Failure::Tls(error);
        self.end = Some(End::Failed(failure.clone()));
        failure
    }

    /// Goes on with the handshake.
    pub(super) fn handshake(&mut self, socket: c_int) -> Result<Handshake, Failure> {
        let result = self.try_handshake(socket);
        if result.is_err() {
            // The alert tells the peer why.
            let _ = self.flush(socket);
        }
        self.park();
        result
    }

    fn try_handshake(&mut self, socket: c_int) -> Result<Handshake, Failure> {
        loop {
            if let Step::Progress | Step::Data(_) | Step::Sent = self.step_or_alert(&mut [], &Send::Nothing)? {
                continue;
            }
            if self.is_handshaking() && self.show_record() {
                continue;
            }
            match self.flush(socket) {
                Err(Errno::EAGAIN) => return Ok(Handshake::Write),
                result => result?,
            }
            if !self.is_handshaking() {
                return Ok(Handshake::Done);
            }
            match self.receive(socket) {
                Ok(0) => return Err(Failure::Other("the peer closed the connection during the handshake")),
                Err(Failure::System(Errno::EAGAIN)) => return Ok(Handshake::Read),
                result => result?,
            };
            // No alert for who speaks another protocol, and would take it for an answer.
            if let (Tls::Server(_), [kind, rest @ ..]) = (&self.tls, self.incoming.filled())
                && !self.is_greeted
            {
                if *kind != HANDSHAKE || rest.first().is_some_and(|major| *major != 3) {
                    return Err(Failure::Other("the peer sent something that is not TLS"));
                }
                self.is_greeted = !rest.is_empty();
            }
        }
    }

    /// Reads from the socket; 0 is its end.
    fn receive(&mut self, socket: c_int) -> Result<usize, Failure> {
        let room = self.incoming.room(READ_LEAST);
        if room.is_empty() {
            return Err(Failure::Other("the peer sent a message that is too long"));
        }
        // SAFETY: the slice is as long as said.
        let count = unsafe { fd::read(socket, room.as_mut_ptr().cast(), room.len()) }?;
        self.incoming.fill(count);
        Ok(count)
    }

    /// Writes what is in `outgoing`; `EAGAIN` when something stays.
    fn flush(&mut self, socket: c_int) -> Result<(), Errno> {
        // SAFETY: the slice is as long as said.
        self.flush_with(|data| unsafe { fd::write(socket, data.as_ptr().cast(), data.len()) })
    }

    fn flush_with(&mut self, write: impl Fn(&[u8]) -> Result<usize, Errno>) -> Result<(), Errno> {
        while !self.outgoing.is_empty() {
            let count = write(self.outgoing.filled())?;
            self.outgoing.consume(count);
        }
        Ok(())
    }

    /// Reads up to the room in `out`, one record, or several that are good; 0 is the end.
    pub(super) fn read(&mut self, socket: c_int, out: &mut [u8]) -> Result<usize, Failure> {
        let result = self.try_read(socket, out);
        self.park();
        result
    }

    fn try_read(&mut self, socket: c_int, out: &mut [u8]) -> Result<usize, Failure> {
        if self.has_plain() {
            return Ok(self.take_plain(out));
        }
        while self.end.is_none() {
            match self.step_or_alert(out, &Send::Nothing) {
                Ok(Step::Data(count @ 1..)) => return Ok(count + self.read_ahead(&mut out[count..])),
                Ok(Step::Idle) if !self.show_record() => {
                    // Answers of the protocol's own. What does not go now goes with the next call.
                    let _ = self.flush(socket);
                    if self.receive(socket)? == 0 {
                        self.end = Some(End::Eof);
                    }
                }
                // An error has set the end.
                Ok(_) | Err(_) => {}
            }
        }
        // An alert.
        let _ = self.flush(socket);
        match &self.end {
            Some(End::Failed(failure)) => Err(failure.clone()),
            _ => Ok(0),
        }
    }

    /// Records that are there already, as far as they fit: one after the other they would cost a round of the loop
    /// each.
    fn read_ahead(&mut self, out: &mut [u8]) -> usize {
        let mut done = 0;
        while self.end.is_none()
            && let Some((length @ AHEAD_LEAST.., true)) = self.next_record()
            && length <= out.len() - done
            && self.incoming.filled()[self.shown] == DATA
        {
            self.shown += length;
            match ahead::look(|| self.step(&mut out[done..], &Send::Nothing)) {
                Ok(Step::Data(count)) => done += count,
                Ok(_) => {}
                Err(error) if ahead::is_bad_record(&error) => {
                    self.shown -= length;
                    break;
                }
                Err(error) => _ = self.fail(error),
            }
        }
        done
    }

    fn take_plain(&mut self, out: &mut [u8]) -> usize {
        let rest = &self.plain[self.taken..];
        let count = rest.len().min(out.len());
        out[..count].copy_from_slice(&rest[..count]);
        self.taken += count;
        if self.taken == self.plain.len() {
            (self.plain, self.taken) = (Vec::new(), 0);
        }
        count
    }

    /// How long the record is that rustls sees next, if all of it is there, and whether it is one: if not, the header
    /// is enough.
    fn next_record(&self) -> Option<(usize, bool)> {
        match &self.incoming.filled()[self.shown..] {
            [kind, major, _, high, low, rest @ ..] => {
                let length = usize::from(u16::from_be_bytes([*high, *low]));
                let is_record = RECORD_KINDS.contains(kind) && *major == 3 && length < RECORD_MOST;
                let length = if is_record { length } else { 0 };
                (rest.len() >= length).then_some((RECORD_HEADER + length, is_record))
            }
            _ => None,
        }
    }

    /// Shows rustls one record more, if there is one.
    fn show_record(&mut self) -> bool {
        let Some((length, is_record)) = self.next_record() else { return false };
        if !is_record {
            // rustls knows versions that are not of TLS, and would wait for the rest of such a record.
            self.incoming.filled_mut()[self.shown] = NO_RECORD;
        }
        self.shown += length;
        true
    }

    /// Whether a read has data to give that no poll of the socket will announce.
    pub(super) fn has_plain(&self) -> bool {
        !self.plain.is_empty()
    }

    /// Whether a record is there that a poll may not announce. It may turn out to be the end, or be known as that.
    pub(super) fn has_record(&self) -> bool {
        self.end.is_some() || self.next_record().is_some()
    }

    /// Writes data, of which the buffers are parts; returns how much of it. `EAGAIN` when the socket does not take
    /// all the records: the caller brings the same data again, at least as much of it, as it has to for upstream.
    pub(super) fn write(&mut self, socket: c_int, parts: &[&[u8]]) -> Result<usize, Failure> {
        let result = self.try_write(socket, parts);
        if let Err(Failure::Tls(_)) = result {
            // The alert tells the peer why.
            let _ = self.flush(socket);
        }
        self.park();
        result
    }

    fn try_write(&mut self, socket: c_int, parts: &[&[u8]]) -> Result<usize, Failure> {
        if let Some(End::Failed(failure)) = &self.end {
            return Err(failure.clone());
        }
        self.flush(socket)?;
        let total: usize = parts.iter().map(|part| part.len()).sum();
        if self.untold > 0 {
            // Less than before cannot be the same data.
            return if total < self.untold { Err(Errno::EAGAIN.into()) } else { Ok(mem::take(&mut self.untold)) };
        }
        let count = match parts {
            [] => 0,
            [first, ..] if parts.len() == 1 || first.len() >= WRITE_LIMIT => {
                let data = &first[..first.len().min(WRITE_LIMIT)];
                self.encrypt(data)?;
                data.len()
            }
            _ => GATHERED.with_borrow_mut(|gathered| {
                gathered.clear();
                for part in parts {
                    gathered.extend_from_slice(&part[..part.len().min(WRITE_LIMIT - gathered.len())]);
                }
                self.encrypt(gathered).map(|()| gathered.len())
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

    fn encrypt(&mut self, data: &[u8]) -> Result<(), Failure> {
        if data.is_empty() {
            return Ok(());
        }
        loop {
            match self.step_or_alert(&mut [], &Send::Data(data))? {
                Step::Sent => return Ok(()),
                Step::Idle => return Err(Failure::Other("this side has closed the session")),
                // Records that came before are decrypted on the way.
                Step::Progress | Step::Data(_) => {}
            }
        }
    }

    /// Tells the peer that nothing more comes, if the socket takes that now. A socket that blocks is not waited for.
    pub(super) fn close(&mut self, socket: c_int) {
        let flush = |session: &mut Self| session.flush_with(|data| socket::send_now(socket, data));
        if self.is_handshaking() || matches!(self.end, Some(End::Failed(_))) || flush(self).is_err() {
            return;
        }
        while let Ok(Step::Progress | Step::Data(_)) = self.step(&mut [], &Send::CloseNotify) {}
        let _ = flush(self);
        if matches!(self.tls, Tls::Client(_)) {
            // What a server sends unasked, tickets, must not be left unread: the kernel would answer with a reset,
            // which takes what has just been written with it.
            let _ = socket::receive_now(socket, self.incoming.room(READ_LEAST));
        }
    }

    fn park(&mut self) {
        self.incoming.park();
        self.outgoing.park();
    }
}

thread_local! {
    /// Where several buffers become one.
    static GATHERED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

fn required(error: EncryptError) -> Option<usize> {
    match error {
        EncryptError::InsufficientSize(size) => Some(size.required_size),
        EncryptError::EncryptExhausted => None,
    }
}

/// Lets `write` write into the buffer, a second time when it says how much room it needs.
fn encode(
    buffer: &mut Buffer,
    mut write: impl FnMut(&mut [u8]) -> Result<usize, Option<usize>>,
) -> Result<(), TlsError> {
    let result = match write(buffer.room(0)) {
        Err(Some(needed)) => write(buffer.room(needed)),
        result => result,
    };
    buffer.fill(result.map_err(|_| TlsError::EncryptError)?);
    Ok(())
}

pub(super) fn server_session(auth: Option<c_int>) -> Result<Box<Session>, Failure> {
    let context = context::current().ok_or(Failure::Other("TLS is not configured"))?;
    let config = context.server(auth).map_err(Failure::Other)?;
    Ok(Box::new(Session::server(UnbufferedServerConnection::new(config)?)))
}

pub(super) fn client_session(address: &CStr) -> Result<Box<Session>, Failure> {
    let context = context::current().ok_or(Failure::Other("TLS is not configured"))?;
    let (config, name) = context.client(&address.to_string_lossy()).map_err(Failure::Other)?;
    Ok(Box::new(Session::client(UnbufferedClientConnection::new(config, name)?)))
}
