//! A connection's type and addresses, from redis-7.2 on.

use super::{dispatch, field};
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
    // SAFETY: the caller vouches for the arguments.
    unsafe { dispatch(conn, CONN_TYPE_INVALID, |t| t.get_type, |f| f()) }
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
    // SAFETY: the caller vouches for the arguments.
    unsafe { dispatch(conn, ptr::null(), |t| t.get_type, |f| f(conn)) }
}

/// The address of one end of the connection: the remote end when `remote` is not 0, else the own one. As
/// `anetFdToString`.
///
/// Returns `C_OK`; `C_ERR` with errno, also in `last_errno`.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread; `ip` is NULL or has room for `ip_len` bytes; `port` is NULL or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connAddr(
    conn: *mut connection,
    ip: *mut c_char,
    ip_len: usize,
    port: *mut c_int,
    remote: c_int,
) -> c_int {
    // SAFETY: the caller vouches for the arguments.
    unsafe { dispatch(conn, C_ERR, |t| t.addr, |f| f(conn, ip, ip_len, port, remote)) }
}

/// `connAddr` of the remote end.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread; `ip` is NULL or has room for `ip_len` bytes; `port` is NULL or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connAddrPeerName(
    conn: *mut connection,
    ip: *mut c_char,
    ip_len: usize,
    port: *mut c_int,
) -> c_int {
    // SAFETY: the caller vouches for the arguments.
    unsafe { connAddr(conn, ip, ip_len, port, 1) }
}

/// `connAddr` of the own end.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread; `ip` is NULL or has room for `ip_len` bytes; `port` is NULL or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connAddrSockName(
    conn: *mut connection,
    ip: *mut c_char,
    ip_len: usize,
    port: *mut c_int,
) -> c_int {
    // SAFETY: the caller vouches for the arguments.
    unsafe { connAddr(conn, ip, ip_len, port, 0) }
}

/// Writes `ip:port`, or `[ip]:port` for IPv6, to `buf`, cut to `buf_len` bytes and terminated.
///
/// Returns the length of the whole text; -1 with errno `EINVAL` for a NULL pointer.
///
/// # Safety
/// `buf` is NULL or has room for `buf_len` bytes; `ip` is NULL or a string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn formatAddr(buf: *mut c_char, buf_len: usize, ip: *mut c_char, port: c_int) -> c_int {
    // SAFETY: the caller vouches for the string and the buffer.
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
    // SAFETY: the caller vouches for the arguments, and the address buffer is our own.
    unsafe {
        if connAddr(conn, ip.as_mut_ptr(), ip.len(), &mut port, remote) != C_OK {
            return -1;
        }
        formatAddr(buf, buf_len, ip.as_mut_ptr(), port)
    }
}

/// Whether the peer is on this machine: 1 or 0, -1 when that is not known.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connIsLocal(conn: *mut connection) -> c_int {
    // SAFETY: the caller vouches for the arguments.
    unsafe { dispatch(conn, C_ERR, |t| t.is_local, |f| f(conn)) }
}

/// The certificate of a TLS peer as an owned string (see `libaeHost.new_string`); NULL when there is none, as
/// for TCP and unix sockets.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connGetPeerCert(conn: *mut connection) -> *mut c_char {
    // SAFETY: the caller vouches for the arguments.
    unsafe { dispatch(conn, ptr::null_mut(), |t| t.get_peer_cert, |f| f(conn)) }
}

/// Whether the connection is of the TLS type: 1 or 0.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connIsTLS(conn: *mut connection) -> c_int {
    let tls = registry::tls();
    // SAFETY: the caller vouches for the connection.
    unsafe { field(conn, 0, |c| (!tls.is_null() && ptr::eq((*c).r#type, tls)).into()) }
}
