//! What is known of a connection, and its descriptor's options: in every profile.

use super::border::{dispatch, handle, member, with_fd};
use crate::abi::connection::*;
use crate::anet;
use crate::connection::Conn;
use crate::ffi::args::quietly;
use crate::sys::text::TextRoom;
use core::ffi::{c_char, c_int, c_longlong, c_void};
use core::ptr;

/// The text of the last error, valid until the next call in this thread.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connGetLastError(conn: *mut connection) -> *const c_char {
    // SAFETY: NULL or live; the type's function asks for no more than this one does.
    unsafe { dispatch(handle(conn), ptr::null(), |t| t.get_last_error, |f, conn| f(conn)) }
}

/// Whether the last error was an interruption (`EINTR`), so that the call can be repeated: 1 or 0.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connLastErrorRetryable(conn: *mut connection) -> c_int {
    // SAFETY: NULL or live.
    member(unsafe { handle(conn) }, 0, |conn| c_int::from(conn.last_errno() == libc::EINTR))
}

/// The connection's state, one of the `CONN_STATE_` values; -1 with errno `EINVAL` for NULL.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connGetState(conn: *mut connection) -> c_int {
    // SAFETY: NULL or live.
    member(unsafe { handle(conn) }, -1, Conn::state)
}

/// Whether a write handler is set: 1 or 0.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connHasWriteHandler(conn: *mut connection) -> c_int {
    // SAFETY: NULL or live.
    member(unsafe { handle(conn) }, 0, |conn| conn.write_handler().is_some().into())
}

/// Whether a read handler is set: 1 or 0.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connHasReadHandler(conn: *mut connection) -> c_int {
    // SAFETY: NULL or live.
    member(unsafe { handle(conn) }, 0, |conn| conn.read_handler().is_some().into())
}

/// Stores the owner's data; the library does not look at it.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connSetPrivateData(conn: *mut connection, data: *mut c_void) {
    // SAFETY: NULL or live.
    let conn = unsafe { handle(conn) };
    quietly(|| member(conn, (), |conn| conn.set_private_data(data)))
}

/// The owner's data.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connGetPrivateData(conn: *mut connection) -> *mut c_void {
    // SAFETY: NULL or live.
    member(unsafe { handle(conn) }, ptr::null_mut(), Conn::private_data)
}

/// Writes a short description for a log, like "fd=8", to `buf`, cut to `buf_len` bytes and terminated; of NULL
/// "fd=-1". Returns `buf`.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread; `buf` is NULL or has room for `buf_len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connGetInfo(conn: *mut connection, buf: *mut c_char, buf_len: usize) -> *const c_char {
    // SAFETY: NULL or live.
    let fd = unsafe { handle(conn) }.map_or(-1, Conn::fd);
    // SAFETY: NULL, or room for that many bytes.
    if let Some(mut room) = unsafe { TextRoom::new(buf, buf_len) } {
        room.write(format_args!("fd={fd}"));
    }
    buf
}

/// Makes the connection's descriptor blocking.
///
/// Returns `C_OK`; `C_ERR` with errno, `EBADF` for a connection without descriptor.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connBlock(conn: *mut connection) -> c_int {
    // SAFETY: NULL or live.
    with_fd(unsafe { handle(conn) }, |fd| anet::set_blocking(fd, true))
}

/// Makes the connection's descriptor non-blocking.
///
/// Returns `C_OK`; `C_ERR` with errno, `EBADF` for a connection without descriptor.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connNonBlock(conn: *mut connection) -> c_int {
    // SAFETY: NULL or live.
    with_fd(unsafe { handle(conn) }, |fd| anet::set_blocking(fd, false))
}

/// Sends small segments at once (`TCP_NODELAY`).
///
/// Returns `C_OK`; `C_ERR` with errno, `EBADF` for a connection without descriptor.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connEnableTcpNoDelay(conn: *mut connection) -> c_int {
    // SAFETY: NULL or live.
    with_fd(unsafe { handle(conn) }, |fd| anet::set_tcp_no_delay(fd, true))
}

/// Gathers small segments (no `TCP_NODELAY`).
///
/// Returns `C_OK`; `C_ERR` with errno, `EBADF` for a connection without descriptor.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connDisableTcpNoDelay(conn: *mut connection) -> c_int {
    // SAFETY: NULL or live.
    with_fd(unsafe { handle(conn) }, |fd| anet::set_tcp_no_delay(fd, false))
}

/// As `anetKeepAlive`, `interval` in seconds.
///
/// Returns `C_OK`; `C_ERR` with errno, `EBADF` for a connection without descriptor.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connKeepAlive(conn: *mut connection, interval: c_int) -> c_int {
    // SAFETY: NULL or live.
    with_fd(unsafe { handle(conn) }, |fd| anet::set_keep_alive(fd, interval))
}

/// As `anetSendTimeout`, `ms` in milliseconds.
///
/// Returns `C_OK`; `C_ERR` with errno, `EBADF` for a connection without descriptor.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connSendTimeout(conn: *mut connection, ms: c_longlong) -> c_int {
    // SAFETY: NULL or live.
    with_fd(unsafe { handle(conn) }, |fd| anet::set_send_timeout(fd, ms))
}

/// As `anetRecvTimeout`, `ms` in milliseconds.
///
/// Returns `C_OK`; `C_ERR` with errno, `EBADF` for a connection without descriptor.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connRecvTimeout(conn: *mut connection, ms: c_longlong) -> c_int {
    // SAFETY: NULL or live.
    with_fd(unsafe { handle(conn) }, |fd| anet::set_receive_timeout(fd, ms))
}
