//! Upstream's configuration of the TLS type.

use core::ffi::{c_char, c_int};
use core::mem::size_of;

/// `redisTLSContextConfig.client_auth_user`: a client's certificate does not say which user it is.
#[cfg(abi_auth_user)]
pub const TLS_CLIENT_FIELD_OFF: c_int = 0;
/// `redisTLSContextConfig.client_auth_user`: the user is the common name of the certificate's subject.
#[cfg(abi_auth_user)]
pub const TLS_CLIENT_FIELD_CN: c_int = 1;
/// `redisTLSContextConfig.client_auth_user`: the user is in one of the URIs of the certificate's alternative names.
#[cfg(abi_valkey_9_1)]
pub const TLS_CLIENT_FIELD_URI: c_int = 2;

/// What upstream's TLS type takes in `connTypeConfigure` (up to redis-7.0: in `tlsConfigure`); Valkey calls it
/// `serverTLSContextConfig`. File names and texts are strings or NULL. Redis 6.2.0 and 6.2.1 lack the passphrases: see
/// `libaeHost.tls_config_size`.
#[repr(C)]
pub struct redisTLSContextConfig {
    /// The certificate as PEM, with the chain below the CA behind it; also the client's, if it has none of its own.
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
    /// Which part of a client's certificate names its user. Read whenever a connection is asked for its user.
    #[cfg(abi_auth_user)]
    pub client_auth_user: c_int,
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
    /// After how many seconds to look for changed files; 0 for never. Read by `tlsReconfigureIfNeeded`.
    #[cfg(abi_valkey_9_1)]
    pub auto_reload_interval: c_int,
}

/// Which part of a client's certificate names its user.
#[derive(Clone, Copy, PartialEq, Eq)]
#[allow(dead_code)] // Not every profile has them all.
pub(crate) enum AuthUser {
    Nothing,
    CommonName,
    Uri,
}

#[allow(dead_code)] // Not every profile asks for all of it.
impl redisTLSContextConfig {
    /// Which part of a client's certificate names its user.
    ///
    /// # Safety
    /// `config` points to such a structure.
    pub(crate) unsafe fn auth_user(config: *const Self) -> AuthUser {
        #[cfg(abi_auth_user)]
        // SAFETY: points to such a structure; no reference is made, since it may change.
        match unsafe { (&raw const (*config).client_auth_user).read_volatile() } {
            TLS_CLIENT_FIELD_CN => return AuthUser::CommonName,
            #[cfg(abi_valkey_9_1)]
            TLS_CLIENT_FIELD_URI => return AuthUser::Uri,
            _ => {}
        }
        let _ = config;
        AuthUser::Nothing
    }

    /// After how many seconds to look for changed files, 0 for never.
    ///
    /// # Safety
    /// `config` points to such a structure.
    pub(crate) unsafe fn reload_interval(config: *const Self) -> u64 {
        #[cfg(abi_valkey_9_1)]
        // SAFETY: points to such a structure; no reference is made, since it may change.
        let seconds = unsafe { (&raw const (*config).auto_reload_interval).read_volatile() };
        #[cfg(not(abi_valkey_9_1))]
        let seconds = 0;
        let _ = config;
        u64::try_from(seconds).unwrap_or(0)
    }

    /// A copy of a server's structure of `size` bytes. None if that is not a size of this profile.
    ///
    /// # Safety
    /// `config` points to `size` bytes of such a structure.
    pub(crate) unsafe fn copy(config: *const Self, size: usize) -> Option<Self> {
        if size >= size_of::<Self>() {
            // SAFETY: points to that many bytes of such a structure.
            return Some(unsafe { config.read() });
        }
        #[cfg(abi_redis_6_2)]
        if size == size_of::<WithoutPassphrases>() {
            // SAFETY: points to that many bytes of such a structure.
            return Some(unsafe { config.cast::<WithoutPassphrases>().read() }.into());
        }
        None
    }
}

/// The structure of Redis 6.2.0 and 6.2.1.
#[cfg(abi_redis_6_2)]
#[repr(C)]
pub(super) struct WithoutPassphrases {
    pub(super) cert_file: *mut c_char,
    pub(super) key_file: *mut c_char,
    pub(super) client_cert_file: *mut c_char,
    pub(super) client_key_file: *mut c_char,
    pub(super) dh_params_file: *mut c_char,
    pub(super) ca_cert_file: *mut c_char,
    pub(super) ca_cert_dir: *mut c_char,
    pub(super) protocols: *mut c_char,
    pub(super) ciphers: *mut c_char,
    pub(super) ciphersuites: *mut c_char,
    pub(super) prefer_server_ciphers: c_int,
    pub(super) session_caching: c_int,
    pub(super) session_cache_size: c_int,
    pub(super) session_cache_timeout: c_int,
}

#[cfg(abi_redis_6_2)]
impl From<WithoutPassphrases> for redisTLSContextConfig {
    fn from(old: WithoutPassphrases) -> Self {
        Self {
            cert_file: old.cert_file,
            key_file: old.key_file,
            key_file_pass: core::ptr::null_mut(),
            client_cert_file: old.client_cert_file,
            client_key_file: old.client_key_file,
            client_key_file_pass: core::ptr::null_mut(),
            dh_params_file: old.dh_params_file,
            ca_cert_file: old.ca_cert_file,
            ca_cert_dir: old.ca_cert_dir,
            protocols: old.protocols,
            ciphers: old.ciphers,
            ciphersuites: old.ciphersuites,
            prefer_server_ciphers: old.prefer_server_ciphers,
            session_caching: old.session_caching,
            session_cache_size: old.session_cache_size,
            session_cache_timeout: old.session_cache_timeout,
        }
    }
}
