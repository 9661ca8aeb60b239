//! Configurations of TLS beside the process's own, and what can be asked of a connection.

use core::ffi::c_int;

/// A configuration beside the process's own, for the connections that are given it: `libaeTlsContextNew`.
pub struct libaeTlsContext {
    _opaque: [u8; 0],
}

/// `libaeTlsPeerName`: the common names in the subject.
pub const LIBAE_TLS_NAME_CN: c_int = 0;
/// `libaeTlsPeerName`: the names of hosts among the alternative names.
pub const LIBAE_TLS_NAME_DNS: c_int = 1;
/// `libaeTlsPeerName`: the addresses of hosts among the alternative names, as text.
pub const LIBAE_TLS_NAME_IP: c_int = 2;
/// `libaeTlsPeerName`: the addresses of e-mail among the alternative names.
pub const LIBAE_TLS_NAME_EMAIL: c_int = 3;
/// `libaeTlsPeerName`: the URIs among the alternative names.
pub const LIBAE_TLS_NAME_URI: c_int = 4;
