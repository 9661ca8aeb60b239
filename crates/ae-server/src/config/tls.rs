//! The TLS parameters.

use super::parameter::{Change, Parameter, parameter};
use super::values::{decimal, number, switch, text, yes_or_no};
use ae::{AuthClients, TlsConfig};
use std::time::Duration;

const AUTH_CLIENTS: [(&str, AuthClients); 3] =
    [("no", AuthClients::No), ("yes", AuthClients::Yes), ("optional", AuthClients::Optional)];

/// A parameter that is the name of a file, or another text that may be missing.
macro_rules! optional {
    ($name:literal, $usage:literal, $help:literal, $field:ident) => {
        parameter!($name, AnyTime, $usage, $help, |c| c.tls.$field.clone().unwrap_or_default().into(), |c, v| {
            c.tls.$field = Some(text(v)?).filter(|text| !text.is_empty()).map(Into::into);
            Ok(())
        })
    };
}

pub const PARAMETERS: &[Parameter] = &[
    parameter!("tls-port", AtStart, "N", "TLS port (0: none)", |c| decimal(c.tls_port), |c, v| {
        c.tls_port = number(v, 0, 65535)? as u16;
        Ok(())
    }),
    optional!("tls-cert-file", "PATH", "certificate, with its chain, as PEM", cert_file),
    optional!("tls-key-file", "PATH", "its private key, as PEM", key_file),
    parameter!(
        "tls-key-file-pass",
        AnyTime,
        "PASSPHRASE",
        "passphrase of an encrypted key",
        |c| c.tls.key_file_pass.clone().unwrap_or_default(),
        |c, v| {
            c.tls.key_file_pass = Some(v.to_vec()).filter(|pass| !pass.is_empty());
            Ok(())
        }
    ),
    optional!("tls-ca-cert-file", "PATH", "certificates of the CAs that clients' are checked with", ca_cert_file),
    optional!("tls-ca-cert-dir", "PATH", "a folder of such, as `openssl rehash` makes it", ca_cert_dir),
    parameter!(
        "tls-auth-clients",
        AnyTime,
        "yes|no|optional",
        "clients must show a certificate (yes)",
        |c| AUTH_CLIENTS.iter().find(|(_, auth)| *auth == c.tls.auth_clients).map_or("", |(name, _)| name).into(),
        |c, v| {
            let found = AUTH_CLIENTS.iter().find(|(name, _)| v.eq_ignore_ascii_case(name.as_bytes()));
            c.tls.auth_clients = found.ok_or("argument(s) must be one of the following: no, yes, optional")?.1;
            Ok(())
        }
    ),
    optional!("tls-protocols", "NAMES", "TLSv1.2, TLSv1.3 or both (both)", protocols),
    optional!("tls-ciphers", "LIST", "cipher suites of TLS 1.2, as OpenSSL writes them", ciphers),
    optional!("tls-ciphersuites", "LIST", "cipher suites of TLS 1.3", ciphersuites),
    parameter!(
        "tls-prefer-server-ciphers",
        AnyTime,
        "yes|no",
        "the server's order of cipher suites counts (no)",
        |c| yes_or_no(c.tls.prefer_server_ciphers),
        |c, v| {
            c.tls.prefer_server_ciphers = switch(v)?;
            Ok(())
        }
    ),
    parameter!(
        "tls-session-caching",
        AnyTime,
        "yes|no",
        "clients can resume sessions (yes)",
        |c| yes_or_no(!c.tls.no_session_cache),
        |c, v| {
            c.tls.no_session_cache = !switch(v)?;
            Ok(())
        }
    ),
    parameter!(
        "tls-session-cache-size",
        AnyTime,
        "N",
        "sessions kept (20480); 0 for any number",
        |c| match c.tls.session_cache_size {
            Some(usize::MAX) => decimal(0u8),
            size => decimal(size.unwrap_or(TlsConfig::SESSION_CACHE_SIZE) as u64),
        },
        |c, v| {
            let size = number(v, 0, i32::MAX as u64)? as usize;
            c.tls.session_cache_size = Some(if size == 0 { usize::MAX } else { size });
            Ok(())
        }
    ),
    parameter!(
        "tls-session-cache-timeout",
        AnyTime,
        "SECONDS",
        "how long a session is kept (300)",
        |c| decimal(c.tls.session_cache_timeout.unwrap_or(TlsConfig::SESSION_CACHE_TIMEOUT).as_secs()),
        |c, v| {
            c.tls.session_cache_timeout = Some(Duration::from_secs(number(v, 0, i32::MAX as u64)?));
            Ok(())
        }
    ),
    parameter!(
        "tls-max-handshakes",
        AnyTime,
        "N",
        "handshakes at the same time (1000); more clients wait",
        |c| decimal(c.tls.max_handshakes.unwrap_or(TlsConfig::MAX_HANDSHAKES) as u64),
        |c, v| {
            c.tls.max_handshakes = Some(number(v, 1, i32::MAX as u64)? as usize);
            Ok(())
        }
    ),
    parameter!(
        "tls-handshake-timeout",
        AnyTime,
        "MILLISECONDS",
        "how long one may take (10000); 0 for any time",
        |c| match c.tls.handshake_timeout {
            Some(Duration::MAX) => decimal(0u8),
            timeout => decimal(timeout.unwrap_or(TlsConfig::HANDSHAKE_TIMEOUT).as_millis() as u64),
        },
        |c, v| {
            let milliseconds = number(v, 0, i32::MAX as u64)?;
            c.tls.handshake_timeout =
                Some(if milliseconds == 0 { Duration::MAX } else { Duration::from_millis(milliseconds) });
            Ok(())
        }
    ),
    Parameter {
        name: "tls-dh-params-file",
        change: Change::Never,
        usage: "",
        help: "",
        get: |_| Vec::new(),
        set: |_, v| match v {
            b"" => Ok(()),
            _ => Err("there is no key exchange with DH parameters here, only with elliptic curves".into()),
        },
    },
];
