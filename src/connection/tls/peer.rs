//! The peer's certificate, as PEM, and the user that a client's certificate names.
//!
//! Which field names the user is read from the host's own configuration at each call: a server changes that without
//! configuring TLS anew. A name with a NUL byte inside is nobody's: cut there as a C string, it would be another
//! user's.

#![allow(dead_code)] // Each of these is asked for by some profiles.

use super::config::certificate::{Fields, NameKind};
use super::config::{files, source};
use super::conn::TlsConn;
use crate::abi::host::{LIBAE_LOG_DEBUG, LIBAE_LOG_NOTICE, LIBAE_LOG_VERBOSE};
use crate::abi::tls_upstream::AuthUser;
use crate::host;
use crate::host::log;
use crate::sys::memory;
use core::ffi::{c_char, c_void};
use core::ptr;
use rustls::pki_types::CertificateDer;
use std::ffi::CString;

/// The certificate of a peer whose handshake has ended.
///
/// # Safety
/// The reference ends before a handler runs.
unsafe fn certificate<'a>(conn: TlsConn) -> Option<&'a CertificateDer<'static>> {
    // SAFETY: no handler runs here; a session's certificate stays as long as the session.
    let session = unsafe { conn.session() }?;
    if session.is_handshaking() { None } else { session.peer_certificate() }
}

/// The peer's certificate as PEM, a string for the host's caller; NULL when there is none.
pub(crate) fn peer_certificate(conn: TlsConn) -> *mut c_char {
    // SAFETY: no handler runs here.
    let session = unsafe { conn.session() };
    let pem = session.and_then(|session| session.peer_certificate()).and_then(files::to_pem);
    pem.map_or(ptr::null_mut(), |pem| owned_string(pem.as_bytes()))
}

/// A string for the host's caller.
fn owned_string(bytes: &[u8]) -> *mut c_char {
    match host::new_string() {
        // SAFETY: the hook takes so many bytes.
        Some(new_string) => unsafe { new_string(bytes.as_ptr().cast(), bytes.len()) },
        None => memory::string(bytes),
    }
}

/// The common name of the peer's certificate, as a string for the host's caller; NULL when there is none, and when
/// users are not named by it.
pub(crate) fn peer_name(conn: TlsConn) -> *mut c_char {
    // SAFETY: no handler runs here.
    let Some(certificate) = (unsafe { certificate(conn) }) else { return ptr::null_mut() };
    if source::auth_user() != AuthUser::CommonName {
        return ptr::null_mut();
    }
    match Fields::of(certificate).and_then(|fields| fields.common_name()) {
        Some(name) if !name.is_empty() && !name.contains(&0) => owned_string(name),
        _ => {
            log(LIBAE_LOG_NOTICE, format_args!("TLS: Failed to extract field 'CN' from certificate"));
            ptr::null_mut()
        }
    }
}

/// The host's enabled user that the peer's certificate names, NULL when there is none. The name that was looked for, or
/// the last one, goes to `name` as a string for the host's caller; without one `name` is left alone.
///
/// # Safety
/// `name` is NULL or valid.
pub(crate) unsafe fn peer_user(conn: TlsConn, name: *mut *mut c_char) -> *mut c_void {
    // SAFETY: no handler runs here.
    let fields = unsafe { certificate(conn) }.and_then(|certificate| Fields::of(certificate));
    let Some(fields) = fields else { return ptr::null_mut() };
    let (user, looked_for) = match source::auth_user() {
        AuthUser::CommonName => by_common_name(&fields),
        AuthUser::Uri => by_uri(&fields),
        AuthUser::Nothing => return ptr::null_mut(),
    };
    if let Some(looked_for) = looked_for
        && !name.is_null()
    {
        // SAFETY: not NULL, so valid.
        unsafe { name.write(owned_string(&looked_for)) };
    }
    user
}

/// The user, and the name to report, with NUL bytes spelled out.
fn by_common_name(fields: &Fields<'_>) -> (*mut c_void, Option<Vec<u8>>) {
    let Some(name) = fields.common_name().filter(|name| !name.is_empty()) else {
        log(LIBAE_LOG_DEBUG, format_args!("TLS: Failed to extract CN in certificate subject"));
        return (ptr::null_mut(), None);
    };
    let user = find(name);
    if user.is_null() {
        log(LIBAE_LOG_VERBOSE, format_args!("TLS: No matching user found for certificate CN"));
    }
    (user, Some(spelled_out(name)))
}

/// The first of the URIs that is an enabled user's, or the last one.
fn by_uri(fields: &Fields<'_>) -> (*mut c_void, Option<Vec<u8>>) {
    let mut looked_for = None;
    for uri in fields.names(NameKind::Uri) {
        if uri.is_empty() || uri.contains(&0) {
            log(LIBAE_LOG_DEBUG, format_args!("TLS: Invalid or malformed SAN URI in certificate"));
            continue;
        }
        looked_for = Some(uri.to_vec());
        let user = find(uri);
        if !user.is_null() {
            return (user, looked_for);
        }
    }
    log(LIBAE_LOG_VERBOSE, format_args!("TLS: No matching user found in certificate SAN URI fields"));
    (ptr::null_mut(), looked_for)
}

/// The host's enabled user of that name. A name with a NUL byte is nobody's.
fn find(name: &[u8]) -> *mut c_void {
    CString::new(name).map_or(ptr::null_mut(), |name| host::enabled_user(&name))
}

/// The name with its NUL bytes spelled out, so that a C string shows all of it.
fn spelled_out(name: &[u8]) -> Vec<u8> {
    let parts: Vec<_> = name.split(|byte| *byte == 0).collect();
    parts.join(&b"\\x00"[..])
}

#[cfg(test)]
mod tests {
    use super::spelled_out;

    #[test]
    fn nul_bytes_are_spelled_out() {
        assert_eq!(spelled_out(b"alice"), b"alice");
        assert_eq!(spelled_out(b"alice\0evil\0"), b"alice\\x00evil\\x00");
    }
}
