//! TLS for connections and listeners.

pub use crate::connection::tls::settings::{AuthClients, TlsConfig};

use crate::abi::tls::{
    LIBAE_TLS_HANDSHAKE_TIMEOUT, LIBAE_TLS_MAX_HANDSHAKES, LIBAE_TLS_SESSION_CACHE_SIZE,
    LIBAE_TLS_SESSION_CACHE_TIMEOUT,
};
use crate::connection::tls;
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
