//! The configuration as the program gave it: copied, and checked for what rustls cannot do.

use super::limits::Limits;
use super::protocols::protocols;
use crate::abi::tls::*;
use crate::abi::tls_upstream::redisTLSContextConfig;
use crate::host;
use core::ffi::{CStr, c_char, c_int};
use core::mem::{offset_of, size_of};
use core::time::Duration;
use rustls::SupportedProtocolVersion;

/// A certificate and its key.
#[derive(Debug)]
pub(crate) struct CertAndKey {
    /// The names of these settings in messages.
    pub(crate) names: [&'static str; 3],
    pub(crate) cert_file: String,
    pub(crate) key_file: String,
    pub(crate) key_file_pass: Option<Vec<u8>>,
}

const SERVER_NAMES: [&str; 3] = ["tls-cert-file", "tls-key-file", "tls-key-file-pass"];
const CLIENT_NAMES: [&str; 3] = ["tls-client-cert-file", "tls-client-key-file", "tls-client-key-file-pass"];

/// Whether a server asks its clients for their certificates.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum AuthClients {
    /// It does not.
    #[default]
    No,
    /// Clients must show a certificate that the CA has signed.
    Yes,
    /// Clients may show a certificate; the CA must have signed one that is shown.
    Optional,
}

/// The configuration of TLS. A member that is None or false has the default that is stated with it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TlsConfig {
    /// The certificate as PEM, with the chain below the CA behind it; also the client's, if it has none of its own.
    /// Default: none, and then connections can be made but not accepted.
    pub cert_file: Option<String>,
    /// Its private key, as PEM.
    pub key_file: Option<String>,
    /// The passphrase of an encrypted key.
    pub key_file_pass: Option<Vec<u8>>,
    /// The certificate to show as a client. Default: `cert_file`.
    pub client_cert_file: Option<String>,
    /// Its private key.
    pub client_key_file: Option<String>,
    /// The passphrase of an encrypted key.
    pub client_key_file_pass: Option<Vec<u8>>,
    /// The certificates of the CAs that peers' certificates are checked with, as PEM.
    pub ca_cert_file: Option<String>,
    /// A folder of such certificates, under the names that `openssl rehash` gives them.
    pub ca_cert_dir: Option<String>,
    /// "TLSv1.2", "TLSv1.3" or both with a space between. Default: both.
    pub protocols: Option<String>,
    /// The cipher suites of TLS 1.2, as OpenSSL writes such a list. Default: all that there are.
    pub ciphers: Option<String>,
    /// The cipher suites of TLS 1.3, with colons between them. Default: all that there are.
    pub ciphersuites: Option<String>,
    /// The name to send to servers (SNI) and to look for in their certificates. Default: the address to connect to.
    pub server_name: Option<String>,
    /// Whether clients are asked for their certificates.
    pub auth_clients: AuthClients,
    /// A server's certificate is checked, but not whether it has been made out for the server's name.
    pub any_server_name: bool,
    /// A server's certificate is not checked at all: whoever is in between can read and change everything.
    pub any_certificate: bool,
    /// The server's order of cipher suites decides instead of the client's.
    pub prefer_server_ciphers: bool,
    /// No session can be resumed.
    pub no_session_cache: bool,
    /// How many sessions a server keeps. Default: 20480.
    pub session_cache_size: Option<usize>,
    /// For how long. Default: 300 seconds.
    pub session_cache_timeout: Option<Duration>,
    /// How many accepted connections may be in their handshake at the same time; for one more the oldest fails.
    /// Default: 1000.
    pub max_handshakes: Option<usize>,
    /// How long a handshake may take, [`Duration::MAX`] for any time. Default: 10 seconds.
    pub handshake_timeout: Option<Duration>,
    /// How many records are sent with one key. With TLS 1.3 the keys are changed then; with TLS 1.2, where they cannot
    /// be, the connection ends. Default: 16 777 216 (2^24) with TLS 1.3 and AES-GCM, else unlimited.
    pub records_per_key: Option<u64>,
    /// The protocols to agree on (ALPN), the most wanted first: at most 64, of 1 to 255 bytes each. A server's order
    /// decides, and a client that offers others only is refused. Default: none are offered, and offers are ignored.
    pub alpn_protocols: Vec<String>,
    /// A file to which the keys of all sessions are appended, as Wireshark reads them: whoever has it can read
    /// everything. Default: none, whatever the environment says.
    pub key_log_file: Option<String>,
    /// How many sessions clients keep so as to resume them, up to 8 for each server. Default: 256 in a
    /// [`TlsContext`](crate::TlsContext), else none.
    pub client_session_cache_size: Option<usize>,
}

/// The checked configuration.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) server: Option<CertAndKey>,
    pub(crate) client: Option<CertAndKey>,
    pub(crate) ca_cert_file: Option<String>,
    pub(crate) ca_cert_dir: Option<String>,
    pub(crate) protocols: Vec<&'static SupportedProtocolVersion>,
    pub(crate) ciphers: Option<String>,
    pub(crate) ciphersuites: Option<String>,
    pub(crate) prefer_server_ciphers: bool,
    pub(crate) records_per_key: Option<u64>,
    /// How many sessions a server keeps, for how long; None: none.
    pub(crate) sessions: Option<(usize, Duration)>,
    /// One of the `LIBAE_TLS_AUTH_CLIENTS_` values.
    pub(crate) auth_clients: c_int,
    /// Whether a server's certificate has to be made out for its name.
    pub(crate) check_server_name: bool,
    /// Whether somebody trusted has to have signed it.
    pub(crate) check_certificate: bool,
    pub(crate) server_name: Option<String>,
    pub(crate) alpn_protocols: Vec<Vec<u8>>,
    pub(crate) key_log_file: Option<String>,
    /// How many sessions clients keep.
    pub(crate) client_sessions: usize,
}

/// The strings, which both C structures have under the same names.
macro_rules! strings {
    ($config:expr) => {
        TlsConfig {
            cert_file: text(SERVER_NAMES[0], $config.cert_file)?,
            key_file: text(SERVER_NAMES[1], $config.key_file)?,
            key_file_pass: secret($config.key_file_pass),
            client_cert_file: text(CLIENT_NAMES[0], $config.client_cert_file)?,
            client_key_file: text(CLIENT_NAMES[1], $config.client_key_file)?,
            client_key_file_pass: secret($config.client_key_file_pass),
            ca_cert_file: text("tls-ca-cert-file", $config.ca_cert_file)?,
            ca_cert_dir: text("tls-ca-cert-dir", $config.ca_cert_dir)?,
            protocols: text("tls-protocols", $config.protocols)?,
            ciphers: text("tls-ciphers", $config.ciphers)?,
            ciphersuites: text("tls-ciphersuites", $config.ciphersuites)?,
            ..TlsConfig::default()
        }
    };
}

impl TlsConfig {
    /// From upstream's structure. Its programs do not check servers' names.
    ///
    /// # Safety
    /// The strings are NULL or valid.
    pub(crate) unsafe fn from_upstream(config: &redisTLSContextConfig) -> Result<Self, String> {
        let reason = c"there is no key exchange with DH parameters here, only with elliptic curves";
        // SAFETY: NULL or a string.
        if unsafe { text("tls-dh-params-file", config.dh_params_file) }?.is_some()
            && !host::tls_meaningless(c"tls-dh-params-file", reason)
        {
            return Err(format!("tls-dh-params-file: {}", reason.to_string_lossy()));
        }
        // SAFETY: NULL or strings.
        let strings = unsafe { strings!(config) };
        if strings.cert_file.is_none() {
            return Err("No tls-cert-file configured!".into());
        }
        Ok(Self {
            auth_clients: auth_clients(host::tls_auth_clients().unwrap_or(LIBAE_TLS_AUTH_CLIENTS_NO))
                .unwrap_or(AuthClients::Yes),
            any_server_name: true,
            prefer_server_ciphers: config.prefer_server_ciphers != 0,
            no_session_cache: config.session_caching == 0,
            // 0 is no limit to OpenSSL.
            session_cache_size: positive(config.session_cache_size).or(Some(usize::MAX)),
            session_cache_timeout: Some(Duration::from_secs(config.session_cache_timeout.max(0) as u64)),
            max_handshakes: positive(LIBAE_TLS_UPSTREAM_MAX_HANDSHAKES),
            handshake_timeout: Some(Duration::from_millis(LIBAE_TLS_UPSTREAM_HANDSHAKE_TIMEOUT as u64)),
            ..strings
        })
    }

    /// From libae's own structure.
    ///
    /// # Safety
    /// `config` points to `config.size` bytes; the strings in them are NULL or valid.
    pub(crate) unsafe fn from_libae(config: *const libaeTlsConfig) -> Result<Self, String> {
        // SAFETY: every version of the structure has it.
        let size = unsafe { (*config).size };
        if size < offset_of!(libaeTlsConfig, key_file_pass) {
            return Err(format!("size: {size} is not that of a libaeTlsConfig"));
        }
        // SAFETY: all zero is a value of it.
        let mut known: libaeTlsConfig = unsafe { core::mem::zeroed() };
        let count = size.min(size_of::<libaeTlsConfig>());
        // SAFETY: there are `size` bytes, and no more than fit are copied.
        unsafe { core::ptr::copy_nonoverlapping(config.cast::<u8>(), (&raw mut known).cast(), count) };
        // SAFETY: there are `size` bytes.
        let unknown = unsafe { core::slice::from_raw_parts(config.cast::<u8>().add(count), size - count) };
        if unknown.iter().any(|byte| *byte != 0) {
            return Err("a setting that this version of libae does not know".into());
        }
        let config = known;
        for (name, value) in [
            ("session_cache_size", config.session_cache_size.into()),
            ("session_cache_timeout", config.session_cache_timeout.into()),
            ("max_handshakes", config.max_handshakes.into()),
            ("records_per_key", config.records_per_key),
        ] {
            if value < 0 {
                return Err(format!("{name}: {value} is below 0"));
            }
        }
        Ok(Self {
            // SAFETY: NULL or a string.
            server_name: unsafe { text("server_name", config.server_name) }?,
            auth_clients: auth_clients(config.auth_clients)
                .ok_or_else(|| format!("auth_clients: {} is not one of its values", config.auth_clients))?,
            any_server_name: config.any_server_name != 0,
            prefer_server_ciphers: config.prefer_server_ciphers != 0,
            no_session_cache: config.no_session_cache != 0,
            session_cache_size: positive(config.session_cache_size),
            session_cache_timeout: positive(config.session_cache_timeout)
                .map(|seconds| Duration::from_secs(seconds as u64)),
            max_handshakes: positive(config.max_handshakes),
            handshake_timeout: match config.handshake_timeout {
                0 => None,
                milliseconds => Some(u64::try_from(milliseconds).map_or(Duration::MAX, Duration::from_millis)),
            },
            records_per_key: u64::try_from(config.records_per_key).ok().filter(|records| *records > 0),
            // SAFETY: NULL or a string.
            alpn_protocols: unsafe { text("alpn_protocols", config.alpn_protocols) }?
                .map(|names| names.split(',').map(Into::into).collect())
                .unwrap_or_default(),
            // SAFETY: NULL or a string.
            key_log_file: unsafe { text("key_log_file", config.key_log_file) }?,
            client_session_cache_size: match config.client_session_cache_size {
                0 => None,
                size => Some(size.max(0) as usize),
            },
            // SAFETY: NULL or strings.
            ..unsafe { strings!(config) }
        })
    }

    /// The settings, if they are consistent.
    pub(crate) fn settings(&self) -> Result<Settings, String> {
        let identity = |names: [&'static str; 3],
                        cert_file: &Option<String>,
                        key_file: &Option<_>,
                        pass: &Option<_>| match (cert_file, key_file) {
            (Some(cert_file), Some(key_file)) => Ok(Some(CertAndKey {
                names,
                cert_file: cert_file.clone(),
                key_file: String::clone(key_file),
                key_file_pass: Option::clone(pass),
            })),
            (None, None) => Ok(None),
            (Some(_), None) => Err(format!("No {} configured!", names[1])),
            (None, Some(_)) => Err(format!("No {} configured!", names[0])),
        };
        if self.auth_clients != AuthClients::No && self.ca_cert_file.is_none() && self.ca_cert_dir.is_none() {
            let needed =
                "Either tls-ca-cert-file or tls-ca-cert-dir must be specified when tls-auth-clients is enabled!";
            return Err(needed.into());
        }
        if self.alpn_protocols.len() > LIBAE_TLS_ALPN_MAX as usize {
            return Err(format!("alpn_protocols: there are more than {LIBAE_TLS_ALPN_MAX}"));
        }
        if let Some(name) = self.alpn_protocols.iter().find(|name| !(1..=255).contains(&name.len())) {
            return Err(format!("alpn_protocols: one of them has {} bytes, and may have 1 to 255", name.len()));
        }
        let client_sessions = if self.no_session_cache { None } else { self.client_session_cache_size };
        let size = self.session_cache_size.unwrap_or(LIBAE_TLS_SESSION_CACHE_SIZE as usize);
        let timeout = Duration::from_secs(LIBAE_TLS_SESSION_CACHE_TIMEOUT as u64);
        Ok(Settings {
            server: identity(SERVER_NAMES, &self.cert_file, &self.key_file, &self.key_file_pass)?,
            client: identity(CLIENT_NAMES, &self.client_cert_file, &self.client_key_file, &self.client_key_file_pass)?,
            ca_cert_file: self.ca_cert_file.clone(),
            ca_cert_dir: self.ca_cert_dir.clone(),
            protocols: protocols(self.protocols.as_deref())?,
            ciphers: self.ciphers.clone(),
            ciphersuites: self.ciphersuites.clone(),
            prefer_server_ciphers: self.prefer_server_ciphers,
            records_per_key: self.records_per_key,
            sessions: (!self.no_session_cache).then(|| (size, self.session_cache_timeout.unwrap_or(timeout))),
            auth_clients: match self.auth_clients {
                AuthClients::No => LIBAE_TLS_AUTH_CLIENTS_NO,
                AuthClients::Yes => LIBAE_TLS_AUTH_CLIENTS_YES,
                AuthClients::Optional => LIBAE_TLS_AUTH_CLIENTS_OPTIONAL,
            },
            check_server_name: !self.any_server_name,
            check_certificate: !self.any_certificate,
            server_name: self.server_name.clone(),
            alpn_protocols: self.alpn_protocols.iter().map(|name| name.clone().into_bytes()).collect(),
            key_log_file: self.key_log_file.clone(),
            client_sessions: client_sessions.unwrap_or(0),
        })
    }

    pub(crate) fn limits(&self) -> Limits {
        let default = Duration::from_millis(LIBAE_TLS_HANDSHAKE_TIMEOUT as u64);
        Limits {
            handshakes: self.max_handshakes.unwrap_or(LIBAE_TLS_MAX_HANDSHAKES as usize),
            milliseconds: self.handshake_timeout.unwrap_or(default).as_millis().try_into().unwrap_or(-1),
        }
    }
}

fn auth_clients(value: c_int) -> Option<AuthClients> {
    match value {
        LIBAE_TLS_AUTH_CLIENTS_NO => Some(AuthClients::No),
        LIBAE_TLS_AUTH_CLIENTS_YES => Some(AuthClients::Yes),
        LIBAE_TLS_AUTH_CLIENTS_OPTIONAL => Some(AuthClients::Optional),
        _ => None,
    }
}

fn positive(value: c_int) -> Option<usize> {
    usize::try_from(value).ok().filter(|value| *value > 0)
}

/// A setting that is text. What a configuration file leaves empty is not set.
///
/// # Safety
/// `pointer` is NULL or a string.
unsafe fn text(name: &str, pointer: *const c_char) -> Result<Option<String>, String> {
    if pointer.is_null() {
        return Ok(None);
    }
    // SAFETY: not NULL, so a string.
    match unsafe { CStr::from_ptr(pointer) }.to_str() {
        Ok("") => Ok(None),
        Ok(text) => Ok(Some(text.into())),
        Err(_) => Err(format!("{name}: not UTF-8")),
    }
}

/// # Safety
/// `pointer` is NULL or a string.
unsafe fn secret(pointer: *const c_char) -> Option<Vec<u8>> {
    // SAFETY: not NULL, so a string.
    (!pointer.is_null()).then(|| unsafe { CStr::from_ptr(pointer) }.to_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Zeros, and a certificate.
    fn upstreams() -> TlsConfig {
        // SAFETY: all zero is a value of it; the string is one.
        unsafe {
            let mut config: redisTLSContextConfig = core::mem::zeroed();
            config.cert_file = c"file".as_ptr().cast_mut();
            TlsConfig::from_upstream(&config).unwrap()
        }
    }

    #[test]
    fn upstreams_zeros_mean_what_they_mean_to_openssl() {
        let config = upstreams();
        assert_eq!(config.session_cache_size, Some(usize::MAX));
        assert_eq!(config.session_cache_timeout, Some(Duration::ZERO));
        assert!(config.no_session_cache);
        assert!(config.any_server_name);
    }

    #[test]
    fn upstreams_handshakes_have_limits_of_their_own() {
        assert_eq!(upstreams().limits(), Limits { handshakes: 10_000, milliseconds: 60_000 });
        assert_eq!(TlsConfig::default().limits(), Limits { handshakes: 1000, milliseconds: 10_000 });
    }
}
