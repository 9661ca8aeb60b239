//! TLS for connections and listeners.

pub use crate::connection::tls::settings::{AuthClients, TlsConfig};

use crate::connection::tls;

impl TlsConfig {
    /// Puts the configuration in force for new connections of the whole process: those that there are keep theirs. When
    /// it cannot be used nothing changes, and the error says which setting it was.
    pub fn apply(&self) -> Result<(), String> {
        tls::configure(self)
    }
}
