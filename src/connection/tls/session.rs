//! One TLS session over a non-blocking socket: rustls between two buffers.

use super::buffer::Buffer;
use crate::sys::{Errno, fd, socket};
use core::ffi::c_int;
use core::fmt;
use core::mem;
use rustls::client::UnbufferedClientConnection;
use rustls::pki_types::CertificateDer;
use rustls::server::UnbufferedServerConnection;
use rustls::unbuffered::{ConnectionState, EncodeError, EncryptError, UnbufferedStatus};
use rustls::{CertificateError, Error as TlsError};
use std::cell::RefCell;

/// How much of one write goes into records at once: four of the largest.
pub(super) const WRITE_LIMIT: usize = 64 * 1024;

/// The header of a record: type, version and length.
const RECORD_HEADER: usize = 5;
/// Its first byte.
const RECORD_KINDS: core::ops::RangeInclusive<u8> = 20..=23;
/// The first byte of those that a handshake begins with.
const HANDSHAKE: u8 = 22;
/// The longest that a record can be, behind its header.
const RECORD_MOST: usize = (1 << 14) + 2048;
/// How much to read at least, if there is as much.
const READ_LEAST: usize = RECORD_HEADER + RECORD_MOST;

/// Why a session came to an end.
#[derive(Clone, Debug)]
pub(super) enum Failure {
    /// The socket failed.
    System(Errno),
    /// TLS did.
    Tls(TlsError),
    /// Something else about TLS.
    Other(&'static str),
}

impl From<Errno> for Failure {
    fn from(errno: Errno) -> Self {
        Self::System(errno)
    }
}

impl From<TlsError> for Failure {
    fn from(error: TlsError) -> Self {
        Self::Tls(error)
    }
}

impl fmt::Display for Failure {
    /// Says which side did what.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System(errno) => crate::sys::text::error_text(*errno).fmt(f),
            Self::Other(text) => f.write_str(text),
            Self::Tls(TlsError::AlertReceived(alert)) => write!(f, "the peer gave up with the alert {alert:?}"),
            Self::Tls(TlsError::NoCertificatesPresented) => f.write_str("the peer showed no certificate"),
            Self::Tls(TlsError::InvalidCertificate(CertificateError::UnknownIssuer)) => {
                f.write_str("the peer's certificate is not signed by a known CA")
            }
            Self::Tls(TlsError::InvalidCertificate(CertificateError::Other(error))) => {
                write!(f, "the peer's certificate is refused: {}", error.0)
            }
            Self::Tls(TlsError::InvalidCertificate(error)) => write!(f, "the peer's certificate is refused: {error}"),
            Self::Tls(TlsError::InvalidMessage(what)) => {
                write!(f, "the peer sent something that is not TLS ({what:?})")
            }
            Self::Tls(TlsError::PeerIncompatible(why)) => {
                write!(f, "the peer and this side have nothing in common: {why:?}")
            }
            Self::Tls(TlsError::PeerMisbehaved(why)) => write!(f, "the peer does not keep to TLS: {why:?}"),
            Self::Tls(TlsError::PeerSentOversizedRecord) => f.write_str("the peer sent a record that is too long"),
            Self::Tls(
                error @ (TlsError::InappropriateMessage { .. } | TlsError::InappropriateHandshakeMessage { .. }),
            ) => write!(f, "the peer does not keep to TLS: {error}"),
            Self::Tls(TlsError::General(why)) => write!(f, "this side cannot go on with the peer: {why}"),
            Self::Tls(TlsError::DecryptError) => f.write_str("the peer sent a record that cannot be decrypted"),
            Self::Tls(error) => error.fmt(f),
        }
    }
}

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

/// What comes behind the data.
#[derive(Clone)]
enum End {
    Eof,
    Failed(Failure),
}

pub(super) struct Session {
    tls: Tls,
    /// Records that have not been decrypted.
    incoming: Buffer,
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
    /// How many bytes of `incoming` rustls has seen without being able to use them, 0 for none: a part of a message.
    seen: usize,
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
            plain: Vec::new(),
            taken: 0,
            outgoing: Buffer::default(),
            untold: 0,
            is_greeted: false,
            seen: 0,
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
                let UnbufferedStatus { mut discard, state } = $tls.process_tls_records(self.incoming.filled_mut());
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
        let error = match self.step(out, send) {
            Ok(step) => return Ok(step),
            Err(error) => error,
        };
        // Not a step more than there is to send: it would look at the bad record again.
        while self.wants_write() && self.step(&mut [], &Send::Nothing).is_ok() {}
        let failure = Failure::Tls(error);
        self.end = Some(End::Failed(failure.clone()));
        Err(failure)
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
        self.seen = 0;
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

    /// Reads what there is, up to the room in `out`; 0 is the end.
    pub(super) fn read(&mut self, socket: c_int, out: &mut [u8]) -> Result<usize, Failure> {
        let result = self.try_read(socket, out);
        self.park();
        result
    }

    fn try_read(&mut self, socket: c_int, out: &mut [u8]) -> Result<usize, Failure> {
        let mut done = self.take_plain(out);
        while done < out.len() {
            if self.end.is_none() && self.has_record() {
                match self.step_or_alert(&mut out[done..], &Send::Nothing) {
                    Ok(Step::Data(count)) => done += count,
                    Ok(Step::Idle) => self.seen = self.incoming.filled().len(),
                    // An error is for the next read, once this one has nothing else to give.
                    Ok(Step::Progress | Step::Sent) | Err(_) => {}
                }
                continue;
            }
            if done > 0 {
                break;
            }
            // Answers of the protocol's own, and alerts. What does not go now goes with the next call.
            let _ = self.flush(socket);
            match &self.end {
                Some(End::Eof) => return Ok(0),
                Some(End::Failed(failure)) => return Err(failure.clone()),
                None => {}
            }
            if self.receive(socket)? == 0 {
                self.end = Some(End::Eof);
            }
        }
        Ok(done)
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

    /// Whether a whole record waits to be decrypted, or something that will never be one.
    fn has_record(&self) -> bool {
        match self.incoming.filled() {
            seen if seen.len() == self.seen => false,
            [kind, major, _, high, low, rest @ ..] => {
                let length = usize::from(u16::from_be_bytes([*high, *low]));
                let is_record = RECORD_KINDS.contains(kind) && *major == 3 && length <= RECORD_MOST;
                rest.len() >= length || !is_record
            }
            _ => false,
        }
    }

    /// Whether a read has something to say that no poll of the socket will announce.
    pub(super) fn has_pending(&self) -> bool {
        !self.plain.is_empty() || self.end.is_some() || self.has_record()
    }

    /// Writes data, of which the buffers are parts; returns how much of it. `EAGAIN` when the socket does not take
    /// all the records: the caller brings the same data again, at least as much of it, as it has to for upstream.
    pub(super) fn write(&mut self, socket: c_int, parts: &[&[u8]]) -> Result<usize, Failure> {
        let result = self.try_write(socket, parts);
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
            // What a server sends unasked, tickets, must not be left unread: the kernel would answer with a reset, which
            // takes what has just been written with it.
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
