//! The values of the parameters.

use super::values::MIB;
use crate::log::Level;
use ae::{AuthClients, TlsConfig};

/// Room in the event loop for descriptors that are not clients': listeners, signals, files, what libraries open.
const SPARE_DESCRIPTORS: usize = 128;

/// The values of all parameters that have more than one.
#[derive(Clone, Debug)]
pub struct Config {
    pub port: u16,
    /// Listen on a port that the system picks, in place of `port`. No parameter: only for a server in another program.
    pub system_port: bool,
    pub bind: Vec<String>,
    pub unix_socket: Option<String>,
    pub unix_socket_permissions: Option<u32>,
    pub max_clients: u32,
    /// Seconds, 0 for none.
    pub tcp_keepalive: u32,
    pub tcp_backlog: u32,
    /// Seconds after which an idle client is closed, 0 for never.
    pub timeout: u32,
    /// Empty for none.
    pub password: Vec<u8>,
    pub protected_mode: bool,
    pub databases: u32,
    /// How often the cron runs per second.
    pub hz: u32,
    pub log_level: Level,
    /// Empty for the library's choice.
    pub backend: String,
    /// Poll through gaps of a few microseconds between events instead of sleeping.
    pub busy_poll: bool,
    /// The longest argument and the longest string value, in bytes.
    pub max_bulk: u64,
    /// How many bytes of an unfinished request a client may have here.
    pub query_buffer_limit: u64,
    /// Up to which sizes collections are packed.
    pub types: TypeLimits,
    /// 0 for none.
    pub tls_port: u16,
    /// As in Redis, clients must show a certificate by default.
    pub tls: TlsConfig,
}

/// The parameters of the data types.
#[derive(Clone, Copy, Debug, Default)]
pub struct TypeLimits {
    pub list: store::types::list::Limits,
    pub set: store::types::set::Limits,
    pub hash: store::types::hash::Limits,
    pub zset: store::types::zset::Limits,
    pub hyperloglog: store::types::hyperloglog::Limits,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            port: 6379,
            system_port: false,
            bind: vec!["*".into(), "-::*".into()],
            unix_socket: None,
            unix_socket_permissions: None,
            max_clients: 10_000,
            tcp_keepalive: 300,
            tcp_backlog: 511,
            timeout: 0,
            password: Vec::new(),
            protected_mode: true,
            databases: 16,
            hz: 10,
            log_level: Level::Notice,
            backend: String::new(),
            busy_poll: true,
            max_bulk: 512 * MIB,
            query_buffer_limit: 1024 * MIB,
            types: TypeLimits::default(),
            tls_port: 0,
            tls: TlsConfig { auth_clients: AuthClients::Yes, any_server_name: true, ..TlsConfig::default() },
        }
    }
}

impl Config {
    /// Descriptors that the event loop has to have room for.
    pub fn set_size(&self) -> usize {
        self.max_clients as usize + self.handshakes() + SPARE_DESCRIPTORS
    }

    /// How many connections may be in their handshake, beside the clients.
    pub fn handshakes(&self) -> usize {
        if self.tls_port == 0 { 0 } else { self.tls.max_handshakes.unwrap_or(TlsConfig::MAX_HANDSHAKES) }
    }

    /// Puts the TLS parameters in force.
    pub fn apply_tls(&self) -> Result<(), String> {
        if self.tls.cert_file.is_none() && self.tls.key_file.is_none() {
            return Err("No tls-cert-file configured!".into());
        }
        self.tls.apply()
    }
}
