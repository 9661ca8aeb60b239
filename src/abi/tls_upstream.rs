//! Upstream's configuration of the TLS type.

use core::ffi::{c_char, c_int};
use core::mem::offset_of;
use static_assertions::const_assert_eq;

/// What upstream's TLS type takes in `connTypeConfigure` (up to redis-7.0: in `tlsConfigure`); Valkey calls it
/// `serverTLSContextConfig`. File names and texts are strings or NULL. All versions from 6.2 on have this layout.
#[repr(C)]
pub struct redisTLSContextConfig {
    /// The certificate, with the chain below the CA behind it, as PEM: the server's, and the client's if it has none of its own.
    pub cert_file: *mut c_char,
    /// Its private key, as PEM.
    pub key_file: *mut c_char,
    /// The passphrase of `key_file`.
    pub key_file_pass: *mut c_char,
    /// The certificate to show as a client.
    pub client_cert_file: *mut c_char,
    /// Its private key.
    pub client_key_file: *mut c_char,
    /// The passphrase of `client_key_file`.
    pub client_key_file_pass: *mut c_char,
    /// DH parameters: refused, there is no such key exchange here.
    pub dh_params_file: *mut c_char,
    /// The certificates of the CAs that peers' certificates are checked with.
    pub ca_cert_file: *mut c_char,
    /// A folder of such certificates, under the names that `openssl rehash` gives them.
    pub ca_cert_dir: *mut c_char,
    /// "TLSv1.2", "TLSv1.3" or both with a space between; NULL for both.
    pub protocols: *mut c_char,
    /// The cipher suites of TLS 1.2, as OpenSSL writes such a list; NULL for the default.
    pub ciphers: *mut c_char,
    /// The cipher suites of TLS 1.3, with colons between them; NULL for the default.
    pub ciphersuites: *mut c_char,
    /// Whether the server's order of cipher suites decides instead of the client's.
    pub prefer_server_ciphers: c_int,
    /// Whether sessions can be resumed.
    pub session_caching: c_int,
    /// How many sessions are kept; 0 for as many as it takes.
    pub session_cache_size: c_int,
    /// For how many seconds.
    pub session_cache_timeout: c_int,
}

const_assert_eq!(offset_of!(redisTLSContextConfig, ciphersuites), 11 * size_of::<*mut c_char>());
const_assert_eq!(offset_of!(redisTLSContextConfig, session_cache_timeout), 12 * size_of::<*mut c_char>() + 12);
const_assert_eq!(size_of::<redisTLSContextConfig>(), 12 * size_of::<*mut c_char>() + 16);
