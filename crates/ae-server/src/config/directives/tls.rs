//! TLS.

use crate::config::choices::AUTH_CLIENTS;
use crate::config::format::{Format, INT, PORT, TEXT, Value, int};
use crate::config::parameter::Change::AnyTime;
use crate::config::parameter::{Access, Parameter, directive, field, fixed, kept};
use crate::config::settings::Config;
use ae::TlsConfig;
use std::time::Duration;

const NO_CLUSTER: &str = "ae-server is no node of a cluster";
const NO_DH: &str = "there is no key exchange with DH parameters, only with elliptic curves";

/// A text that may be missing.
macro_rules! optional {
    ($name:literal, $usage:literal, $help:literal, $field:ident) => {
        directive($name, AnyTime, field!(tls.$field, TEXT), $usage, $help)
    };
}

/// A number of which 0 means that there is no limit.
fn limit(value: &Value) -> Option<u64> {
    u64::try_from(value.number()).ok().filter(|number| *number != 0)
}

fn number(value: impl TryInto<i128>) -> Value {
    Value::Number(value.try_into().unwrap_or(i128::MAX))
}

fn cache_size(config: &Config) -> Value {
    match config.tls.session_cache_size {
        Some(usize::MAX) => number(0),
        size => number(size.unwrap_or(TlsConfig::SESSION_CACHE_SIZE) as u64),
    }
}

fn handshake_timeout(config: &Config) -> Value {
    match config.tls.handshake_timeout {
        Some(Duration::MAX) => number(0),
        timeout => number(timeout.unwrap_or(TlsConfig::HANDSHAKE_TIMEOUT).as_millis()),
    }
}

pub const DIRECTIVES: &[Parameter] = &[
    directive("tls-port", AnyTime, field!(tls_port, PORT), "N", "TLS port (0: none)"),
    optional!("tls-cert-file", "PATH", "certificate, with its chain, as PEM", cert_file),
    optional!("tls-key-file", "PATH", "its private key, as PEM", key_file),
    directive(
        "tls-key-file-pass",
        AnyTime,
        field!(tls.key_file_pass, Format::Bytes),
        "PASSPHRASE",
        "passphrase of an encrypted key",
    ),
    optional!("tls-ca-cert-file", "PATH", "certificates of the CAs that clients' are checked with", ca_cert_file),
    optional!("tls-ca-cert-dir", "PATH", "a folder of such, as `openssl rehash` makes it", ca_cert_dir),
    directive(
        "tls-auth-clients",
        AnyTime,
        field!(tls.auth_clients, AUTH_CLIENTS),
        "yes|no|optional",
        "clients must show a certificate (yes)",
    ),
    optional!("tls-protocols", "NAMES", "TLSv1.2, TLSv1.3 or both (both)", protocols),
    optional!("tls-ciphers", "LIST", "cipher suites of TLS 1.2, as OpenSSL writes them", ciphers),
    optional!("tls-ciphersuites", "LIST", "cipher suites of TLS 1.3", ciphersuites),
    directive(
        "tls-prefer-server-ciphers",
        AnyTime,
        field!(tls.prefer_server_ciphers, Format::Switch),
        "yes|no",
        "the server's order of cipher suites counts (no)",
    ),
    directive(
        "tls-session-caching",
        AnyTime,
        Access::Field {
            format: Format::Switch,
            get: |c| number(u8::from(!c.tls.no_session_cache)),
            set: |c, value| c.tls.no_session_cache = limit(&value).is_none(),
        },
        "yes|no",
        "clients can resume sessions (yes)",
    ),
    directive(
        "tls-session-cache-size",
        AnyTime,
        Access::Field {
            format: INT,
            get: cache_size,
            set: |c, value| c.tls.session_cache_size = Some(limit(&value).map_or(usize::MAX, |size| size as usize)),
        },
        "N",
        "sessions kept (20480); 0 for any number",
    ),
    directive(
        "tls-session-cache-timeout",
        AnyTime,
        Access::Field {
            format: INT,
            get: |c| number(c.tls.session_cache_timeout.unwrap_or(TlsConfig::SESSION_CACHE_TIMEOUT).as_secs()),
            set: |c, value| c.tls.session_cache_timeout = Some(Duration::from_secs(limit(&value).unwrap_or(0))),
        },
        "SECONDS",
        "how long a session is kept (300)",
    ),
    directive(
        "tls-max-handshakes",
        AnyTime,
        Access::Field {
            format: int(1),
            get: |c| number(c.tls.max_handshakes.unwrap_or(TlsConfig::MAX_HANDSHAKES) as u64),
            set: |c, value| c.tls.max_handshakes = limit(&value).map(|most| most as usize),
        },
        "N",
        "handshakes at the same time (1000); more clients wait",
    ),
    directive(
        "tls-handshake-timeout",
        AnyTime,
        Access::Field {
            format: INT,
            get: handshake_timeout,
            set: |c, value| {
                c.tls.handshake_timeout = Some(limit(&value).map_or(Duration::MAX, Duration::from_millis));
            },
        },
        "MILLISECONDS",
        "how long one may take (10000); 0 for any time",
    ),
    fixed("tls-dh-params-file", AnyTime, TEXT, "", NO_DH),
    optional!("tls-client-cert-file", "PATH", "what a primary is shown (tls-cert-file)", client_cert_file),
    optional!("tls-client-key-file", "PATH", "its private key", client_key_file),
    directive(
        "tls-client-key-file-pass",
        AnyTime,
        field!(tls.client_key_file_pass, Format::Bytes),
        "PASSPHRASE",
        "passphrase of an encrypted key",
    ),
    directive("tls-replication", AnyTime, field!(replication.tls, Format::Switch), "", ""),
    kept("tls-cluster", AnyTime, Format::Switch, "no", NO_CLUSTER),
];
