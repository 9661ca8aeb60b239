//! TLS for connections and listeners.

pub use crate::connection::tls::certificate::NameKind;
pub use crate::connection::tls::settings::{AuthClients, TlsConfig};

use crate::abi::tls::{
    LIBAE_TLS_HANDSHAKE_TIMEOUT, LIBAE_TLS_MAX_HANDSHAKES, LIBAE_TLS_SESSION_CACHE_SIZE,
    LIBAE_TLS_SESSION_CACHE_TIMEOUT,
};
use crate::connection::tls::{self, Established, OwnContext};
use std::sync::Arc;
use std::time::Duration;

impl TlsConfig {
    /// The default of [`session_cache_size`](Self::session_cache_size).
    pub const SESSION_CACHE_SIZE: usize = LIBAE_TLS_SESSION_CACHE_SIZE as usize;
    /// The default of [`session_cache_timeout`](Self::session_cache_timeout).
    pub const SESSION_CACHE_TIMEOUT: Duration = Duration::from_secs(LIBAE_TLS_SESSION_CACHE_TIMEOUT as u64);
    /// The default of [`max_handshakes`](Self::max_handshakes).
    pub const MAX_HANDSHAKES: usize = LIBAE_TLS_MAX_HANDSHAKES as usize;
    /// The default of [`handshake_timeout`](Self::handshake_timeout).
    pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_millis(LIBAE_TLS_HANDSHAKE_TIMEOUT as u64);

    /// Puts the configuration in force for new connections of the whole process: those that there are keep theirs. When
    /// it cannot be used nothing changes, and the error says which setting it was.
    pub fn apply(&self) -> Result<(), String> {
        tls::configure(self)
    }
}

/// A configuration beside the process's own, for the listeners and connections that are given it: see
/// [`Listener::with_context`](crate::Listener::with_context) and
/// [`Connection::connect_tls_with`](crate::Connection::connect_tls_with). Clones are the same configuration; it may be
/// used in any thread.
#[derive(Clone, Debug)]
pub struct TlsContext(pub(super) Arc<OwnContext>);

impl TlsContext {
    /// Reads the files that the configuration names. The error says which setting cannot be used;
    /// [`max_handshakes`](TlsConfig::max_handshakes) is of the whole process, and refused here.
    pub fn new(config: &TlsConfig) -> Result<Self, String> {
        OwnContext::new(config.clone()).map(|context| Self(Arc::new(context)))
    }

    /// Reads the files anew, for connections that begin from now on. Nobody else waits meanwhile. When something cannot
    /// be used, all stays as it was. Sessions of before cannot be resumed afterwards.
    pub fn reload(&self) -> Result<(), String> {
        self.0.reload()
    }

    /// Has clients that ask for a server of this name (SNI) served with another configuration, or with None no longer.
    /// With `*.` in front the first part of what is asked for may be anything; a whole name comes first. Who asks for
    /// another name, or for none, is served with this configuration. Names that were added to `other` do not count
    /// here.
    pub fn set_name(&self, name: &str, other: Option<&Self>) -> Result<(), String> {
        self.0.set_name(name, other.map(|other| &*other.0)).map_err(|why| format!("{name}: {why}"))
    }
}

/// What a connection over TLS has negotiated: [`Connection::tls`](crate::Connection::tls).
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct TlsInfo {
    /// "TLSv1.2" or "TLSv1.3".
    pub version: &'static str,
    /// OpenSSL's name of the cipher suite; "" for one that it does not know.
    pub cipher: &'static str,
    /// Whether the handshake has resumed an earlier session.
    pub resumed: bool,
    /// The protocol of the application that both sides have agreed on (ALPN).
    pub alpn_protocol: Option<Vec<u8>>,
    /// The name of the server that the client has asked for (SNI).
    pub server_name: Option<String>,
    /// The peer's certificate as DER, if it has shown one.
    pub peer_certificate: Option<Vec<u8>>,
}

impl TlsInfo {
    pub(super) fn of(established: &Established<'_>) -> Self {
        Self {
            version: established.version().to_str().unwrap_or_default(),
            cipher: established.cipher().ok().and_then(|name| name.to_str().ok()).unwrap_or_default(),
            resumed: established.is_resumed(),
            alpn_protocol: established.alpn_protocol().ok().map(Into::into),
            server_name: established.server_name().ok().map(Into::into),
            peer_certificate: established.peer_certificate().ok().map(Into::into),
        }
    }

    /// The names of a kind in the peer's certificate, in their order. One with a NUL byte inside, or that is not UTF-8,
    /// belongs to nobody and is left out.
    pub fn peer_names(&self, kind: NameKind) -> Vec<String> {
        let names =
            self.peer_certificate.as_deref().map(|certificate| tls::names(certificate, kind)).unwrap_or_default();
        names
            .into_iter()
            .filter(|name| !name.contains(&0))
            .filter_map(|name| String::from_utf8(name.into_owned()).ok())
            .collect()
    }
}
