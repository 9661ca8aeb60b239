//! One TLS session without a socket: rustls between a buffer of records that came and one of records to send.

use super::buffer::Buffer;
use super::config::ahead;
use super::failure::Failure;
use rustls::client::UnbufferedClientConnection;
use rustls::pki_types::CertificateDer;
use rustls::server::UnbufferedServerConnection;
use rustls::unbuffered::{ConnectionState, EncodeError, EncryptError, ReadTraffic, UnbufferedStatus};
use rustls::{CommonState, Error as TlsError};

/// The length of a record's header: type, version and length.
const RECORD_HEADER: usize = 5;
/// The types of record.
const RECORD_KINDS: core::ops::RangeInclusive<u8> = 20..=24;
/// A type that no record has.
const NO_RECORD: u8 = 0;
/// The type of records with data, and in TLS 1.3 of all that are encrypted.
const DATA: u8 = 23;
/// The shortest record that is read together with the one before: one byte longer than an alert of TLS 1.3.
const AHEAD_LEAST: usize = RECORD_HEADER + 2 + 1 + 16 + 1;
/// A record's length, without its header, is below this.
const RECORD_MOST: usize = (1 << 14) + 2048;
/// The least room for a read from the socket: a whole record.
pub(super) const READ_LEAST: usize = RECORD_HEADER + RECORD_MOST;

/// rustls's two kinds of connection, which have no trait in common.
enum Side {
    Server(UnbufferedServerConnection),
    Client(UnbufferedClientConnection),
}

/// What to send with a step.
pub(super) enum Outbound<'a> {
    Nothing,
    Data(&'a [u8]),
    CloseNotify,
}

/// What a step has done.
pub(super) enum Outcome {
    /// There may be more to do.
    Progress,
    /// Data has been received; so much of it is where the caller wanted it.
    Data(usize),
    /// What was to be sent is in the buffer.
    Sent,
    /// Nothing to do without more input.
    Idle,
}

/// Why there is nothing more to read.
#[derive(Clone)]
pub(super) enum Ended {
    Eof,
    Failed(Failure),
}

/// The session's state.
pub(super) struct Engine {
    side: Side,
    /// Records from the socket.
    pub(super) incoming: Buffer,
    /// How many of these bytes, whole records, rustls has been shown. What it leaves there is part of a message. A
    /// record is shown only when a read has nothing else to return (except ahead, see [`ahead`]): a bad one ends the
    /// session, and replies to the data before it have to be written first.
    shown: usize,
    /// Data that no reader has had room for.
    plain: Vec<u8>,
    /// How much of it has been read.
    taken: usize,
    /// Records for the socket.
    pub(super) outgoing: Buffer,
    /// Set when nothing more will be read; the next read reports it.
    pub(super) end: Option<Ended>,
}

impl Engine {
    pub(super) fn server(connection: UnbufferedServerConnection) -> Self {
        Self::new(Side::Server(connection))
    }

    pub(super) fn client(connection: UnbufferedClientConnection) -> Self {
        Self::new(Side::Client(connection))
    }

    fn new(side: Side) -> Self {
        Self {
            side,
            incoming: Buffer::default(),
            shown: 0,
            plain: Vec::new(),
            taken: 0,
            outgoing: Buffer::default(),
            end: None,
        }
    }

    /// Lets another one answer what has come; rustls has been shown nothing of it yet.
    pub(super) fn replace_server(&mut self, connection: UnbufferedServerConnection) {
        self.side = Side::Server(connection);
    }

    pub(super) fn is_server(&self) -> bool {
        matches!(self.side, Side::Server(_))
    }

    pub(super) fn is_handshaking(&self) -> bool {
        self.negotiated().is_handshaking()
    }

    fn wants_write(&self) -> bool {
        self.negotiated().wants_write()
    }

    /// What has been negotiated.
    pub(super) fn negotiated(&self) -> &CommonState {
        match &self.side {
            Side::Server(server) => server,
            Side::Client(client) => client,
        }
    }

    /// The peer's own certificate.
    pub(super) fn peer_certificate(&self) -> Option<&CertificateDer<'static>> {
        self.negotiated().peer_certificates()?.first()
    }

    /// Lets rustls do one thing. Received data goes to `out`; what does not fit goes to `plain`.
    pub(super) fn step(&mut self, out: &mut [u8], outbound: &Outbound<'_>) -> Result<Outcome, TlsError> {
        let Self { side, incoming, shown, plain, outgoing, end, .. } = self;
        let records = &mut incoming.filled_mut()[..*shown];
        let mut around = Around { plain, outgoing, end };
        let (used, step) = match side {
            Side::Server(server) => around.step(server.process_tls_records(records), out, outbound),
            Side::Client(client) => around.step(client.process_tls_records(records), out, outbound),
        };
        self.incoming.consume(used);
        self.shown -= used;
        step
    }

    /// A step that, when it fails, leaves the alert for the peer in `outgoing` and sets the end.
    pub(super) fn step_or_alert(&mut self, out: &mut [u8], outbound: &Outbound<'_>) -> Result<Outcome, Failure> {
        self.step(out, outbound).map_err(|error| self.fail(error))
    }

    fn fail(&mut self, error: TlsError) -> Failure {
        // No step more than the alert takes: it would look at the bad record again.
        while self.wants_write() && self.step(&mut [], &Outbound::Nothing).is_ok() {}
        let failure = Failure::Tls(error);
        self.end = Some(Ended::Failed(failure.clone()));
        failure
    }

    /// Reads records that are there already, as far as they fit. One by one, each would cost an iteration of the loop.
    pub(super) fn read_ahead(&mut self, out: &mut [u8]) -> usize {
        let mut done = 0;
        while self.end.is_none()
            && let Some((length @ AHEAD_LEAST.., true)) = self.next_record()
            && length <= out.len() - done
            && self.incoming.filled()[self.shown] == DATA
        {
            self.shown += length;
            match ahead::look(|| self.step(&mut out[done..], &Outbound::Nothing)) {
                Ok(Outcome::Data(count)) => done += count,
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

    /// Reads data that an earlier read had no room for.
    pub(super) fn take_plain(&mut self, out: &mut [u8]) -> usize {
        let rest = &self.plain[self.taken..];
        let count = rest.len().min(out.len());
        out[..count].copy_from_slice(&rest[..count]);
        self.taken += count;
        if self.taken == self.plain.len() {
            (self.plain, self.taken) = (Vec::new(), 0);
        }
        count
    }

    /// The length of the record that rustls sees next, if all of it is there, and whether it is a record: of what is
    /// not, the header is enough.
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

    /// Shows rustls the next record, if it is complete.
    pub(super) fn show_record(&mut self) -> bool {
        let Some((length, is_record)) = self.next_record() else { return false };
        if !is_record {
            // rustls would accept some versions that are not TLS, and wait for the rest of such a record.
            self.incoming.filled_mut()[self.shown] = NO_RECORD;
        }
        self.shown += length;
        true
    }

    /// Whether a read would return data that no poll of the socket will announce.
    pub(super) fn has_plain(&self) -> bool {
        !self.plain.is_empty()
    }

    /// Whether a record or the end is there that a poll may not announce. A record may turn out to be the end.
    pub(super) fn has_record(&self) -> bool {
        self.end.is_some() || self.next_record().is_some()
    }

    /// Puts data into records.
    pub(super) fn encrypt(&mut self, data: &[u8]) -> Result<(), Failure> {
        if data.is_empty() {
            return Ok(());
        }
        loop {
            match self.step_or_alert(&mut [], &Outbound::Data(data))? {
                Outcome::Sent => return Ok(()),
                Outcome::Idle => return Err(Failure::Other("this side has closed the session")),
                // Records that came before are decrypted on the way.
                Outcome::Progress | Outcome::Data(_) => {}
            }
        }
    }

    /// Gives back the memory that is not in use.
    pub(super) fn park(&mut self) {
        self.incoming.park();
        self.outgoing.park();
    }
}

/// What a step of rustls writes to.
struct Around<'a> {
    plain: &'a mut Vec<u8>,
    outgoing: &'a mut Buffer,
    end: &'a mut Option<Ended>,
}

impl Around<'_> {
    /// Does what the state asks for, of either side. Also returns how many bytes of the records are used up.
    fn step<Data>(
        &mut self,
        status: UnbufferedStatus<'_, '_, Data>,
        out: &mut [u8],
        outbound: &Outbound<'_>,
    ) -> (usize, Result<Outcome, TlsError>) {
        let used = status.discard;
        let step = match status.state {
            Ok(ConnectionState::ReadTraffic(traffic)) => {
                return match self.receive(traffic, out) {
                    Ok((more, copied)) => (used + more, Ok(Outcome::Data(copied))),
                    // The records stay in the buffer: whoever looks ahead takes the bad one back.
                    Err(error) => (0, Err(error)),
                };
            }
            Ok(ConnectionState::EncodeTlsData(mut data)) => {
                let result = encode(self.outgoing, |room| {
                    data.encode(room).map_err(|error| match error {
                        EncodeError::InsufficientSize(size) => Some(size.required_size),
                        EncodeError::AlreadyEncoded => None,
                    })
                });
                result.map(|()| Outcome::Progress)
            }
            Ok(ConnectionState::TransmitTlsData(data)) => {
                // It is in `outgoing` already, and what follows goes behind it.
                data.done();
                Ok(Outcome::Progress)
            }
            Ok(ConnectionState::WriteTraffic(mut traffic)) => match outbound {
                Outbound::Nothing => Ok(Outcome::Idle),
                Outbound::Data(data) => {
                    let result = encode(self.outgoing, |room| traffic.encrypt(data, room).map_err(required));
                    result.map(|()| Outcome::Sent)
                }
                Outbound::CloseNotify => {
                    let result = encode(self.outgoing, |room| traffic.queue_close_notify(room).map_err(required));
                    result.map(|()| Outcome::Sent)
                }
            },
            Ok(ConnectionState::PeerClosed) => {
                self.end.get_or_insert(Ended::Eof);
                Ok(Outcome::Progress)
            }
            Ok(_) => Ok(Outcome::Idle),
            Err(error) => Err(error),
        };
        (used, step)
    }

    /// Takes the data of records; returns how many of their bytes are used up, and how much is in `out`.
    fn receive<Data>(
        &mut self,
        mut traffic: ReadTraffic<'_, '_, Data>,
        out: &mut [u8],
    ) -> Result<(usize, usize), TlsError> {
        let (mut used, mut copied) = (0, 0);
        while let Some(record) = traffic.next_record() {
            let record = record?;
            used += record.discard;
            let count = record.payload.len().min(out.len() - copied);
            let (fits, rest) = record.payload.split_at(count);
            out[copied..copied + count].copy_from_slice(fits);
            self.plain.extend_from_slice(rest);
            copied += count;
        }
        Ok((used, copied))
    }
}

fn required(error: EncryptError) -> Option<usize> {
    match error {
        EncryptError::InsufficientSize(size) => Some(size.required_size),
        EncryptError::EncryptExhausted => None,
    }
}

/// Lets `write` write into the buffer; again if it failed and says how much room it needs.
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
