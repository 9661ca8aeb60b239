//! libae's own configuration of the TLS type.

use core::ffi::{c_char, c_int, c_longlong};

/// `libaeTlsConfig.auth_clients`: clients are not asked for a certificate.
pub const LIBAE_TLS_AUTH_CLIENTS_NO: c_int = 0;
/// `libaeTlsConfig.auth_clients`: clients must show a certificate that the CA has signed.
pub const LIBAE_TLS_AUTH_CLIENTS_YES: c_int = 1;
/// `libaeTlsConfig.auth_clients`: clients may show a certificate; the CA must have signed one that is shown.
pub const LIBAE_TLS_AUTH_CLIENTS_OPTIONAL: c_int = 2;

/// How many sessions a server keeps when the configuration does not say.
pub const LIBAE_TLS_SESSION_CACHE_SIZE: c_int = 20 * 1024;
/// How long, in seconds, a session can be resumed when the configuration does not say.
pub const LIBAE_TLS_SESSION_CACHE_TIMEOUT: c_int = 300;
/// How many sessions the clients of a configuration of `libaeTlsContextNew` keep when it does not say.
pub const LIBAE_TLS_CLIENT_SESSION_CACHE_SIZE: c_int = 256;
/// How many protocols `libaeTlsConfig.alpn_protocols` may name.
pub const LIBAE_TLS_ALPN_MAX: c_int = 64;
/// How many accepted connections may be in their handshake at the same time when the configuration does not say.
pub const LIBAE_TLS_MAX_HANDSHAKES: c_int = 1000;
/// How long, in milliseconds, a handshake may take when the configuration does not say.
pub const LIBAE_TLS_HANDSHAKE_TIMEOUT: c_int = 10_000;
/// `LIBAE_TLS_MAX_HANDSHAKES` with upstream's configuration, whose servers count these connections as clients.
pub const LIBAE_TLS_UPSTREAM_MAX_HANDSHAKES: c_int = 10_000;
/// `LIBAE_TLS_HANDSHAKE_TIMEOUT` with upstream's configuration: upstream has no limit, and some clients connect long
/// before they say anything.
pub const LIBAE_TLS_UPSTREAM_HANDSHAKE_TIMEOUT: c_int = 60_000;

/// The configuration of TLS for programs that are not forks of Redis. All zero except `size` is valid: a member that is
/// NULL or 0 has the default that is stated with it. The strings are copied.
#[repr(C)]
pub struct libaeTlsConfig {
    /// `sizeof(libaeTlsConfig)` as the program was compiled; later members keep their defaults. What a program has
    /// behind the members that the library knows must be 0.
    pub size: usize,
    /// The certificate as PEM, with the chain below the CA behind it; also the client's, if it has none of its own.
    /// Default: none, and then connections can be made but not accepted.
    pub cert_file: *const c_char,
    /// Its private key, as PEM (PKCS #8, PKCS #1 or SEC 1).
    pub key_file: *const c_char,
    /// The passphrase of `key_file` when that is encrypted (PKCS #8, `BEGIN ENCRYPTED PRIVATE KEY`).
    pub key_file_pass: *const c_char,
    /// The certificate to show as a client. Default: `cert_file`.
    pub client_cert_file: *const c_char,
    /// Its private key.
    pub client_key_file: *const c_char,
    /// The passphrase of `client_key_file`.
    pub client_key_file_pass: *const c_char,
    /// The certificates of the CAs that peers' certificates are checked with, as PEM.
    pub ca_cert_file: *const c_char,
    /// A folder of such certificates, under the names that `openssl rehash` gives them.
    pub ca_cert_dir: *const c_char,
    /// "TLSv1.2", "TLSv1.3" or both with a space between. Default: both.
    pub protocols: *const c_char,
    /// The cipher suites of TLS 1.2, as OpenSSL writes such a list. Default: all that there are.
    pub ciphers: *const c_char,
    /// The cipher suites of TLS 1.3, with colons between them. Default: all that there are.
    pub ciphersuites: *const c_char,
    /// The name to send to servers (SNI) and to look for in their certificates. Default: the address that
    /// `connConnect` was given.
    pub server_name: *const c_char,
    /// One of the `LIBAE_TLS_AUTH_CLIENTS_` values.
    pub auth_clients: c_int,
    /// Not 0: a server's certificate is checked, but not whether it has been made out for the server's name.
    pub any_server_name: c_int,
    /// Not 0: the server's order of cipher suites decides instead of the client's.
    pub prefer_server_ciphers: c_int,
    /// Not 0: no session can be resumed.
    pub no_session_cache: c_int,
    /// How many sessions a server keeps. Default: `LIBAE_TLS_SESSION_CACHE_SIZE`.
    pub session_cache_size: c_int,
    /// For how many seconds. Default: `LIBAE_TLS_SESSION_CACHE_TIMEOUT`.
    pub session_cache_timeout: c_int,
    /// How many accepted connections may be in their handshake at the same time; for one more the oldest fails.
    /// Default:
    /// `LIBAE_TLS_MAX_HANDSHAKES`.
    pub max_handshakes: c_int,
    /// How many milliseconds a handshake may take. Default: `LIBAE_TLS_HANDSHAKE_TIMEOUT`; below 0: no limit.
    pub handshake_timeout: c_int,
    /// How many records are sent with one key. With TLS 1.3 the keys are changed then; with TLS 1.2, where they cannot
    /// be, the connection ends with close_notify, a few records earlier when they are written together. Default: 16 777
    /// 216 (2^24) with TLS 1.3 and AES-GCM, else unlimited, as with OpenSSL.
    pub records_per_key: c_longlong,
    /// The protocols to agree on (ALPN), with commas between them, the most wanted first: `LIBAE_TLS_ALPN_MAX` at most,
    /// of 1 to 255 bytes each. A server's order decides, and a client that offers others only is refused; one that
    /// offers none is not. Default: clients offer none, and servers ignore what is offered.
    pub alpn_protocols: *const c_char,
    /// A file to which the keys of all sessions are appended, as Wireshark reads them (`SSLKEYLOGFILE`): whoever has it
    /// can read everything. It is made if need be, for its owner alone. Default: none, whatever the environment says.
    pub key_log_file: *const c_char,
    /// How many sessions clients keep so as to resume them: up to 8 for each server, by the name or address that is
    /// looked for in its certificate. When there is no room, the server that was met first is forgotten. Below 0: none.
    /// Default: `LIBAE_TLS_CLIENT_SESSION_CACHE_SIZE` with `libaeTlsContextNew`, none with `libaeTlsConfigure`.
    pub client_session_cache_size: c_int,
}

/// A client's session of TLS over a descriptor of the program's: `libaeTlsSessionNew`.
pub struct libaeTlsSession {
    _opaque: [u8; 0],
}
