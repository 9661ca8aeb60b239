//! A connection's type and addresses, from redis-7.2 on.

use super::border::{dispatch, handle, member};
use crate::abi::connection::*;
#[cfg(abi_valkey_9)]
use crate::abi::type_identity::type_name;
use crate::connection::registry;
use core::ffi::{c_char, c_int};
use core::ptr;

/// The number of the connection's type, one of the `CONN_TYPE_` values; -1 (`CONN_TYPE_INVALID`) for NULL.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread.
#[cfg(abi_valkey_9)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connGetType(conn: *mut connection) -> c_int {
    // SAFETY: NULL or live; the type's function asks for no more than this one does.
    unsafe { dispatch(handle(conn), CONN_TYPE_INVALID, |t| t.get_type, |f, _| f()) }
}

/// The name of a type by its number: "tcp", "unix", "tls" or "rdma", as a static string; of another number "invalid
/// type".
#[cfg(abi_valkey_9)]
#[unsafe(no_mangle)]
pub extern "C" fn getConnectionTypeName(r#type: c_int) -> *const c_char {
    type_name(r#type).as_ptr()
}

/// The name of the connection's type: "tcp", "unix", "tls" or a registered one; NULL for NULL.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread.
#[cfg(not(abi_valkey_9))]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connGetType(conn: *mut connection) -> *const c_char {
    // SAFETY: NULL or live; the type's function asks for no more than this one does.
    unsafe { dispatch(handle(conn), ptr::null(), |t| t.get_type, |f, conn| f(conn)) }
}

/// The address of one end of the connection: the remote end when `remote` is not 0, else the own one. As
/// `anetFdToString`.
///
/// Returns `C_OK`; `C_ERR` with errno, also in `last_errno`.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread; `ip` is NULL or has room for `ip_len` bytes; `port` is NULL or
/// valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connAddr(
    conn: *mut connection,
    ip: *mut c_char,
    ip_len: usize,
    port: *mut c_int,
    remote: c_int,
) -> c_int {
    // SAFETY: NULL or live; the type's function asks for no more than this one does.
    unsafe { dispatch(handle(conn), C_ERR, |t| t.addr, |f, conn| f(conn, ip, ip_len, port, remote)) }
}

/// `connAddr` of the remote end.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread; `ip` is NULL or has room for `ip_len` bytes; `port` is NULL or
/// valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connAddrPeerName(
    conn: *mut connection,
    ip: *mut c_char,
    ip_len: usize,
    port: *mut c_int,
) -> c_int {
    // SAFETY: it asks for no more than this function does.
    unsafe { connAddr(conn, ip, ip_len, port, 1) }
}

/// `connAddr` of the own end.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread; `ip` is NULL or has room for `ip_len` bytes; `port` is NULL or
/// valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connAddrSockName(
    conn: *mut connection,
    ip: *mut c_char,
    ip_len: usize,
    port: *mut c_int,
) -> c_int {
    // SAFETY: it asks for no more than this function does.
    unsafe { connAddr(conn, ip, ip_len, port, 0) }
}

/// Writes `ip:port`, or `[ip]:port` for IPv6, to `buf`, cut to `buf_len` bytes and terminated.
///
/// Returns the length of the whole text; -1 with errno `EINVAL` for a NULL pointer.
///
/// # Safety
/// `buf` is NULL or has room for `buf_len` bytes; `ip` is NULL or a string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn formatAddr(buf: *mut c_char, buf_len: usize, ip: *const c_char, port: c_int) -> c_int {
    // SAFETY: a string and room for that many bytes, or NULL.
    unsafe { crate::ffi::anet::addresses::anetFormatAddr(buf, buf_len, ip, port) }
}

/// The address of one end of the connection as `formatAddr` writes it.
///
/// Returns the length of the whole text; -1 with errno.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread; `buf` is NULL or has room for `buf_len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connFormatAddr(
    conn: *mut connection,
    buf: *mut c_char,
    buf_len: usize,
    remote: c_int,
) -> c_int {
    let mut ip: [c_char; CONN_ADDR_STR_LEN] = [0; CONN_ADDR_STR_LEN];
    let mut port = 0;
    // SAFETY: NULL or live; the address goes into memory of our own.
    if unsafe { connAddr(conn, ip.as_mut_ptr(), ip.len(), &mut port, remote) } != C_OK {
        return -1;
    }
    // SAFETY: a string, which the type has terminated; NULL, or room for that many bytes.
    unsafe { formatAddr(buf, buf_len, ip.as_ptr(), port) }
}

/// Whether the peer is on this machine: 1 or 0, -1 when that is not known.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connIsLocal(conn: *mut connection) -> c_int {
    // SAFETY: NULL or live; the type's function asks for no more than this one does.
    unsafe { dispatch(handle(conn), C_ERR, |t| t.is_local, |f, conn| f(conn)) }
}

/// The certificate of a TLS peer as an owned string (see `libaeHost.new_string`); NULL when there is none, as
/// for TCP and unix sockets.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connGetPeerCert(conn: *mut connection) -> *mut c_char {
    // SAFETY: NULL or live; the type's function asks for no more than this one does.
    unsafe { dispatch(handle(conn), ptr::null_mut(), |t| t.get_peer_cert, |f, conn| f(conn)) }
}

/// Whether the connection is of the TLS type: 1 or 0.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connIsTLS(conn: *mut connection) -> c_int {
    let tls = registry::tls();
    // SAFETY: NULL or live.
    member(unsafe { handle(conn) }, 0, |conn| (!tls.is_null() && conn.r#type() == tls).into())
}
