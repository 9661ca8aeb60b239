//! `libae.h`: what a connection over TLS has negotiated, and what its peer's certificate says.

use super::args::{call, non_null};
use super::connection::border::tls_conn;
#[cfg(not(feature = "tls"))]
use super::without_tls::{Established, NameKind, established};
use crate::abi::ae::AE_ERR;
use crate::abi::connection::connection;
use crate::abi::tls_context::*;
#[cfg(feature = "tls")]
use crate::connection::tls::{Established, certificate::NameKind, established};
use crate::sys::errno::NO_DATA;
use crate::sys::text::TextRoom;
use core::ffi::{CStr, c_char, c_int, c_void};
use core::ptr;
use nix::errno::Errno;

/// Asks a connection whose handshake is over.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread.
unsafe fn ask<T>(conn: *mut connection, failure: T, question: impl FnOnce(Established<'_>) -> Result<T, Errno>) -> T {
    // SAFETY: NULL or live; nothing happens to it before the answer.
    call(failure, || question(unsafe { established(tls_conn(conn)?)? }))
}

/// Writes a text; returns its length. `EILSEQ` for one with a NUL inside.
///
/// # Safety
/// `buf` is NULL or has room for `len` bytes.
unsafe fn answer(text: &[u8], buf: *mut c_char, len: usize) -> Result<c_int, Errno> {
    if text.contains(&0) {
        return Err(Errno::EILSEQ);
    }
    // SAFETY: NULL or room for that many bytes, by this function's own contract.
    if let Some(mut room) = unsafe { TextRoom::new(buf, len) } {
        room.write_bytes(&[text]);
    }
    c_int::try_from(text.len()).map_err(|_| Errno::ERANGE)
}

/// The version of the protocol, "TLSv1.2" or "TLSv1.3", as a static string.
///
/// Returns NULL with errno `ENOTCONN` (the handshake is not over), `EOPNOTSUPP` (not a connection over TLS, or a
/// library without) or `EINVAL` (NULL).
///
/// # Safety
/// `conn` is NULL or a live connection of this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libaeTlsVersion(conn: *mut connection) -> *const c_char {
    // SAFETY: NULL or live.
    unsafe { ask(conn, ptr::null(), |established| Ok(established.version().as_ptr())) }
}

/// OpenSSL's name of the cipher suite, as a static string: "ECDHE-RSA-AES128-GCM-SHA256" or "TLS_AES_128_GCM_SHA256"
/// for example. In TLS 1.3 that is IANA's as well.
///
/// Returns NULL with errno as `libaeTlsVersion`.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libaeTlsCipher(conn: *mut connection) -> *const c_char {
    // SAFETY: NULL or live.
    unsafe { ask(conn, ptr::null(), |established| established.cipher().map(CStr::as_ptr)) }
}

/// Whether the handshake has resumed an earlier session: 1 or 0.
///
/// Returns -1 with errno as `libaeTlsVersion`.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libaeTlsResumed(conn: *mut connection) -> c_int {
    // SAFETY: NULL or live.
    unsafe { ask(conn, AE_ERR, |established| Ok(established.is_resumed().into())) }
}

/// The protocol of the application that both sides have agreed on (ALPN). It is written into `buf` (NULL: nowhere), cut
/// to `len` bytes with the NUL.
///
/// Returns the length of the whole name; -1 with errno `ENODATA` (there is none), `EILSEQ` (it has a NUL byte inside)
/// or as `libaeTlsVersion`.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread; `buf` is NULL or has room for `len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libaeTlsAlpn(conn: *mut connection, buf: *mut c_char, len: usize) -> c_int {
    // SAFETY: NULL or live; NULL or room for that many bytes.
    unsafe { ask(conn, AE_ERR, |established| answer(established.alpn_protocol()?, buf, len)) }
}

/// The name of the server that the client has asked for (SNI), on either side. It is written into `buf` (NULL:
/// nowhere), cut to `len` bytes with the NUL.
///
/// Returns the length of the whole name; -1 with errno `ENODATA` (it has asked for none, as for an address) or as
/// `libaeTlsVersion`.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread; `buf` is NULL or has room for `len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libaeTlsServerName(conn: *mut connection, buf: *mut c_char, len: usize) -> c_int {
    // SAFETY: NULL or live; NULL or room for that many bytes.
    unsafe { ask(conn, AE_ERR, |established| answer(established.server_name()?.as_bytes(), buf, len)) }
}

/// The peer's certificate as DER; `connGetPeerCert` gives it as PEM. It is written into `buf` if all of it fits into
/// `len` bytes; NULL: nowhere.
///
/// Returns the length of the certificate, which is above `len` when nothing was written; -1 with errno `ENODATA` (the
/// peer has shown none) or as `libaeTlsVersion`.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread; `buf` is NULL or has room for `len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libaeTlsPeerCertificate(conn: *mut connection, buf: *mut c_void, len: usize) -> libc::ssize_t {
    // SAFETY: NULL or live.
    unsafe {
        ask(conn, -1, |established| {
            let certificate = established.peer_certificate()?;
            if let Ok(buf) = non_null(buf)
                && certificate.len() <= len
            {
                // SAFETY: room for so many bytes, by this function's own contract.
                ptr::copy_nonoverlapping(certificate.as_ptr(), buf.cast(), certificate.len());
            }
            Ok(certificate.len() as libc::ssize_t)
        })
    }
}

/// A name in the peer's certificate: the one with number `index`, from 0 on, of a kind, one of the `LIBAE_TLS_NAME_`
/// values. It is written into `buf` (NULL: nowhere), cut to `len` bytes with the NUL. A server checks it only if its
/// configuration asks clients for certificates.
///
/// Returns the length of the whole name; -1 with errno `ENODATA` (the peer has shown no certificate, or there are not
/// so many such names), `EILSEQ` (the name has a NUL byte inside, and so belongs to nobody), `EINVAL` (NULL, or no such
/// kind) or as `libaeTlsVersion`.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread; `buf` is NULL or has room for `len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libaeTlsPeerName(
    conn: *mut connection,
    kind: c_int,
    index: c_int,
    buf: *mut c_char,
    len: usize,
) -> c_int {
    // SAFETY: NULL or live.
    unsafe {
        ask(conn, AE_ERR, |established| {
            let kind = match kind {
                LIBAE_TLS_NAME_CN => NameKind::CommonName,
                LIBAE_TLS_NAME_DNS => NameKind::Dns,
                LIBAE_TLS_NAME_IP => NameKind::Ip,
                LIBAE_TLS_NAME_EMAIL => NameKind::Email,
                LIBAE_TLS_NAME_URI => NameKind::Uri,
                _ => return Err(Errno::EINVAL),
            };
            let index = usize::try_from(index).map_err(|_| Errno::EINVAL)?;
            let names = established.peer_names(kind)?;
            // SAFETY: NULL or room for that many bytes, by this function's own contract.
            answer(names.get(index).ok_or(NO_DATA)?, buf, len)
        })
    }
}
