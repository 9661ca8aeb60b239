//! What is known of the server's own primary.

use crate::clients::client::ClientRef;

/// How far a replica is with its primary.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Phase {
    /// It is going to connect.
    Connect,
    Connecting,
    Handshake,
    /// A copy of the data arrives.
    Transfer,
    /// The copy is being loaded.
    Loading,
    /// The stream arrives.
    Connected,
}

/// The server's own primary.
pub struct Link {
    pub host: String,
    pub port: u16,
    pub phase: Phase,
    /// When it may be tried to connect, and when something arrived last, in the server's ticks.
    pub connects_at: i64,
    pub heard_at: i64,
    /// Since when there has been no stream; None if there never was one.
    pub down_since: Option<i64>,
    /// What brings the stream.
    pub client: Option<ClientRef>,
    /// The database of the stream's next request.
    pub stream_db: u32,
    /// The data have no history that could be continued: a copy of other data was begun.
    pub needs_copy: bool,
    /// How much of a copy there is, if that is known, and how much has arrived.
    pub copy_len: Option<u64>,
    pub copy_read: u64,
    /// The primary is to hand over its role.
    pub takes_over: bool,
    /// It wants to know how far this replica is.
    pub wants_ack: bool,
    /// A copy has been loaded, or cannot be: the database of the stream's next request, or why.
    pub loaded: Option<Result<u32, String>>,
}

impl Link {
    pub fn new(host: String, port: u16, ticks: i64) -> Link {
        Link {
            host,
            port,
            phase: Phase::Connect,
            connects_at: ticks,
            heard_at: ticks,
            down_since: None,
            client: None,
            stream_db: 0,
            needs_copy: false,
            copy_len: None,
            copy_read: 0,
            takes_over: false,
            wants_ack: false,
            loaded: None,
        }
    }

    pub fn is_up(&self) -> bool {
        self.phase == Phase::Connected
    }

    /// What ROLE calls the phase.
    pub fn state_name(&self) -> &'static str {
        match self.phase {
            Phase::Connect => "connect",
            Phase::Connecting => "connecting",
            Phase::Handshake => "handshake",
            Phase::Transfer | Phase::Loading => "sync",
            Phase::Connected => "connected",
        }
    }
}
