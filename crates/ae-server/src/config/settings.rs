//! The values of the parameters.

use super::events::Events;
use super::format::{MIB, Value};
use super::groups::{AppendOnly, Encodings, Memory, Observation, Process, Replication, Saving, Security, Sockets};
use super::output_limits::OutputLimits;
use crate::log::{Level, Target};
use ae::{AuthClients, TlsConfig};
use ipnet::IpNet;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The Redis whose behaviour clients may expect. They choose features by it.
pub const REDIS_VERSION: &str = "7.0.15";
/// Room in the event loop for descriptors that are not clients': listeners, signals, files, what libraries open.
const SPARE_DESCRIPTORS: usize = 128;

/// The values of all parameters that have more than one.
#[derive(Clone, Debug)]
pub struct Config {
    pub port: u16,
    /// Listen on a port that the system picks, in place of `port`. No parameter: only for a server in another program.
    pub system_port: bool,
    pub bind: Vec<String>,
    /// Whoever connects from there is a proxy, and says first whose connection it is.
    pub proxy_networks: Vec<IpNet>,
    pub unix_socket: Option<String>,
    pub unix_socket_permissions: Option<u32>,
    pub max_clients: u32,
    /// Seconds, 0 for none.
    pub tcp_keepalive: u32,
    pub tcp_backlog: u32,
    pub sockets: Sockets,
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
    /// Under high load, poll through gaps of a few microseconds between events instead of sleeping.
    pub busy_poll: bool,
    /// The longest argument and the longest string value, in bytes.
    pub max_bulk: u64,
    /// How many bytes of an unfinished request a client may have here.
    pub query_buffer_limit: u64,
    /// 0 for none.
    pub tls_port: u16,
    /// As in Redis, clients must show a certificate by default.
    pub tls: TlsConfig,
    /// The file that CONFIG REWRITE writes, with its whole path. None without one.
    pub file: Option<PathBuf>,
    /// What standard input had, if the configuration came from there.
    pub input: Vec<u8>,
    /// The working directory, with its whole path. None for that of whoever started the server.
    pub dir: Option<PathBuf>,
    pub output_limits: OutputLimits,
    pub keyspace_events: Events,
    /// Keys that the server remembers for clients that track; 0 for any number.
    pub tracking_max_keys: u64,
    pub memory: Memory,
    pub append_only: AppendOnly,
    /// Up to which sizes collections are packed.
    pub types: TypeLimits,
    pub encodings: Encodings,
    pub observation: Observation,
    pub security: Security,
    pub replication: Replication,
    pub process: Process,
    pub saving: Saving,
    /// The values of directives that are accepted although nothing depends on them.
    pub kept: BTreeMap<&'static str, Value>,
    /// The directives of older versions of Redis that a file has.
    pub obsolete: Vec<&'static str>,
}

/// The parameters of the data types.
#[derive(Clone, Copy, Debug)]
pub struct TypeLimits {
    pub list: store::types::list::Limits,
    pub set: store::types::set::Limits,
    pub hash: store::types::hash::Limits,
    pub zset: store::types::zset::Limits,
    pub hyperloglog: store::types::hyperloglog::Limits,
    pub stream: store::types::stream::Limits,
}

impl Default for TypeLimits {
    fn default() -> Self {
        TypeLimits {
            list: Default::default(),
            set: Default::default(),
            hash: store::types::hash::Limits { max_packed_entries: 512, max_packed_value: 64 },
            zset: Default::default(),
            hyperloglog: Default::default(),
            stream: Default::default(),
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Config {
            port: 6379,
            system_port: false,
            bind: vec!["*".into(), "-::*".into()],
            proxy_networks: Vec::new(),
            unix_socket: None,
            unix_socket_permissions: None,
            max_clients: 10_000,
            tcp_keepalive: 300,
            tcp_backlog: 511,
            sockets: Sockets::default(),
            timeout: 0,
            password: Vec::new(),
            protected_mode: true,
            databases: 16,
            hz: 10,
            log_level: Level::Notice,
            backend: String::new(),
            busy_poll: false,
            max_bulk: 512 * MIB,
            query_buffer_limit: 1024 * MIB,
            tls_port: 0,
            tls: TlsConfig { auth_clients: AuthClients::Yes, any_server_name: true, ..TlsConfig::default() },
            file: None,
            input: Vec::new(),
            dir: None,
            output_limits: OutputLimits::default(),
            keyspace_events: Events::default(),
            tracking_max_keys: 1_000_000,
            memory: Memory::default(),
            append_only: AppendOnly::default(),
            types: TypeLimits::default(),
            encodings: Encodings::default(),
            observation: Observation::default(),
            security: Security::default(),
            replication: Replication::default(),
            process: Process::default(),
            saving: Saving::default(),
            kept: BTreeMap::new(),
            obsolete: Vec::new(),
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

    /// Where log messages go. A file keeps its place when the working directory changes.
    pub fn log_target(&self) -> Target {
        let Process { log_file, syslog, syslog_ident, syslog_facility, .. } = &self.process;
        Target {
            file: std::path::absolute(log_file).ok(),
            syslog: syslog.then(|| (syslog_ident.clone(), *syslog_facility)),
        }
    }

    /// Where a path of the configuration leads.
    pub fn path(&self, path: &Path) -> PathBuf {
        self.dir.as_ref().map_or_else(|| path.to_path_buf(), |dir| dir.join(path))
    }

    /// Puts the TLS parameters in force.
    pub fn apply_tls(&self) -> Result<(), String> {
        if self.tls_port == 0 && !self.replication.tls {
            return Ok(());
        }
        if self.tls.cert_file.is_none() && self.tls.key_file.is_none() {
            return Err("No tls-cert-file configured!".into());
        }
        self.tls.apply()
    }
}
