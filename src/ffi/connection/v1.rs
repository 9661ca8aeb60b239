//! What connections are up to redis-7.0: created by type, no registry.

use super::border::{dispatch, handle, member};
use crate::abi::anet::FD_TO_PEER_NAME;
use crate::abi::connection::*;
use crate::anet;
use crate::connection::lifecycle::created;
use crate::connection::{Conn, types};
use crate::ffi::anet::addresses::anetFormatFdAddr;
use crate::ffi::args::{call, quietly};
use crate::sys::text::TextRoom;
use core::ffi::{c_char, c_int};
use nix::errno::Errno;

/// The function table of plain sockets, for types that build on it (upstream's TLS does).
#[unsafe(no_mangle)]
pub static CT_Socket: ConnectionType = types::SOCKET;

/// A new connection over a socket, to be connected. The caller owns it and frees it with `connClose`.
///
/// Returns it; NULL with errno `ENOMEM`.
#[unsafe(no_mangle)]
pub extern "C" fn connCreateSocket() -> *mut connection {
    created(&CT_Socket, None, -1, CONN_STATE_NONE)
}

/// A new connection over the accepted descriptor `fd`, which it owns from now on, in `CONN_STATE_ACCEPTING`.
///
/// Returns it; NULL with errno `ENOMEM`; then `fd` stays the caller's.
#[unsafe(no_mangle)]
pub extern "C" fn connCreateAcceptedSocket(fd: c_int) -> *mut connection {
    created(&CT_Socket, None, fd, CONN_STATE_ACCEPTING)
}

/// The type of the connection, `CONN_TYPE_SOCKET`, `CONN_TYPE_TLS` or a program's own; 0 with errno `EINVAL` for NULL.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connGetType(conn: *mut connection) -> c_int {
    // SAFETY: NULL or live; the type's function asks for no more than this one does.
    unsafe { dispatch(handle(conn), 0, |t| t.get_type, |f, conn| f(conn)) }
}

/// The error that is pending on the connection's socket, which it clears: 0 when there is none, else an errno.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connGetSocketError(conn: *mut connection) -> c_int {
    // SAFETY: NULL or live.
    member(unsafe { handle(conn) }, Errno::EINVAL as c_int, |conn| quietly(|| anet::take_error(conn.fd())))
}

/// The remote end's address, as `anetFdToString`.
///
/// Returns `C_OK`; `C_ERR` with errno, also in `last_errno`.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread; `ip` is NULL or has room for `ip_len` bytes; `port` is NULL or
/// valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connPeerToString(
    conn: *mut connection,
    ip: *mut c_char,
    ip_len: usize,
    port: *mut c_int,
) -> c_int {
    // SAFETY: NULL or live; NULL, or room for that many bytes and for a port.
    unsafe { end_of(handle(conn), ip, ip_len, port, true) }
}

/// The own end's address, as `anetFdToString`.
///
/// Returns `C_OK`; `C_ERR` with errno, also in `last_errno`.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread; `ip` is NULL or has room for `ip_len` bytes; `port` is NULL or
/// valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connSockName(
    conn: *mut connection,
    ip: *mut c_char,
    ip_len: usize,
    port: *mut c_int,
) -> c_int {
    // SAFETY: NULL or live; NULL, or room for that many bytes and for a port.
    unsafe { end_of(handle(conn), ip, ip_len, port, false) }
}

/// Of NULL the address is "?", as of a descriptor that is not open.
///
/// # Safety
/// As for [`connPeerToString`].
unsafe fn end_of(conn: Option<Conn>, ip: *mut c_char, ip_len: usize, port: *mut c_int, remote: bool) -> c_int {
    let end = anet::end_address(conn.map_or(-1, Conn::fd), remote);
    // SAFETY: NULL, or room for that many bytes and for a port.
    let (ip, port) = unsafe { (TextRoom::new(ip, ip_len), port.as_mut()) };
    let result = anet::write_end(end, ip, port);
    call(C_ERR, || match (result, conn) {
        (Err(errno), Some(conn)) => {
            conn.set_last_errno(errno as c_int);
            Err(errno)
        }
        (result, _) => result.map(|()| C_OK),
    })
}

/// The remote end's address as `anetFormatPeer` writes it, of NULL "?:0" (upstream before 6.2).
///
/// Returns the length of the whole text; -1 with errno `EINVAL` for a NULL buffer.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread; `buf` is NULL or has room for `buf_len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connFormatPeer(conn: *mut connection, buf: *mut c_char, buf_len: usize) -> c_int {
    // SAFETY: it asks for no more than this function does.
    unsafe { connFormatFdAddr(conn, buf, buf_len, FD_TO_PEER_NAME) }
}

/// One end's address as `anetFormatFdAddr` writes it, of NULL "?:0".
///
/// Returns the length of the whole text; -1 with errno `EINVAL` for a NULL buffer.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread; `buf` is NULL or has room for `buf_len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connFormatFdAddr(
    conn: *mut connection,
    buf: *mut c_char,
    buf_len: usize,
    fd_to_str_type: c_int,
) -> c_int {
    // SAFETY: NULL or live; NULL, or room for that many bytes.
    unsafe { anetFormatFdAddr(handle(conn).map_or(-1, Conn::fd), buf, buf_len, fd_to_str_type) }
}
