//! Connections connected, accepted, read, written and closed.

use super::border::{dispatch, handle};
use crate::abi::connection::*;
use crate::ffi::args::quietly;
use core::ffi::{c_char, c_int, c_longlong, c_void};

/// Starts to connect to `addr`, a name or an address (for the unix type a path), from `src_addr` (NULL: any).
/// `connect_handler` runs once, when it is connected (`CONN_STATE_CONNECTED`) or has failed
/// (`CONN_STATE_ERROR`). A connection that has failed or was closed by the peer may connect again; it then no
/// longer has a read or a write handler.
///
/// Returns `C_OK`; `C_ERR` with the state `CONN_STATE_ERROR`, errno and `last_errno` when it failed at once, then
/// the handler does not run; `C_ERR` with errno `EALREADY` or `EISCONN` when it is connecting or connected.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread; the strings are NULL or strings; the handler may be called with
/// the connection.
#[cfg(not(abi_valkey_9))]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connConnect(
    conn: *mut connection,
    addr: *const c_char,
    port: c_int,
    src_addr: *const c_char,
    connect_handler: ConnectionCallbackFunc,
) -> c_int {
    // SAFETY: NULL or live; the type's function asks for no more than this one does.
    unsafe { dispatch(handle(conn), C_ERR, |t| t.connect, |f, conn| f(conn, addr, port, src_addr, connect_handler)) }
}

/// Starts to connect to `addr`, a name or an address (for the unix type a path), from `src_addr` (NULL: any).
/// With `multipath` not 0 a TCP or TLS connection goes over MPTCP, without falling back.
/// `connect_handler` runs once, when it is connected (`CONN_STATE_CONNECTED`) or has failed
/// (`CONN_STATE_ERROR`). A connection that has failed or was closed by the peer may connect again; it then no
/// longer has a read or a write handler.
///
/// Returns `C_OK`; `C_ERR` with the state `CONN_STATE_ERROR`, errno and `last_errno` when it failed at once, then
/// the handler does not run; `C_ERR` with errno `EALREADY` or `EISCONN` when it is connecting or connected.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread; the strings are NULL or strings; the handler may be called with
/// the connection.
#[cfg(abi_valkey_9)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connConnect(
    conn: *mut connection,
    addr: *const c_char,
    port: c_int,
    src_addr: *const c_char,
    multipath: c_int,
    connect_handler: ConnectionCallbackFunc,
) -> c_int {
    // SAFETY: NULL or live; the type's function asks for no more than this one does.
    unsafe {
        dispatch(
            handle(conn),
            C_ERR,
            |t| t.connect,
            |f, conn| f(conn, addr, port, src_addr, multipath, connect_handler),
        )
    }
}

/// Connects, waiting for at most `timeout` milliseconds (below 0: forever). Afterwards the descriptor is
/// non-blocking.
///
/// Returns `C_OK`; `C_ERR` with the state `CONN_STATE_ERROR` and `last_errno` (`ETIMEDOUT` when the time is over:
/// upstream returns `C_OK` then).
///
/// # Safety
/// `conn` is NULL or a live connection of this thread; the strings are NULL or strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connBlockingConnect(
    conn: *mut connection,
    addr: *const c_char,
    port: c_int,
    timeout: c_longlong,
) -> c_int {
    // SAFETY: NULL or live; the type's function asks for no more than this one does.
    unsafe { dispatch(handle(conn), C_ERR, |t| t.blocking_connect, |f, conn| f(conn, addr, port, timeout)) }
}

/// Ends the accept of a connection that the listener delivered: for TCP and unix sockets at once. The handler,
/// when not NULL, runs once, possibly before this returns, and may close the connection.
///
/// Returns `C_OK`; `C_ERR` when the connection is not in `CONN_STATE_ACCEPTING` (errno `EINVAL`), or when the
/// handler has closed it: then it is still there, and the caller frees it with `connClose`.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread; the handler may be called with it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connAccept(conn: *mut connection, accept_handler: ConnectionCallbackFunc) -> c_int {
    // SAFETY: NULL or live; the type's function asks for no more than this one does.
    unsafe { dispatch(handle(conn), C_ERR, |t| t.accept, |f, conn| f(conn, accept_handler)) }
}

/// Writes up to `data_len` bytes.
///
/// Returns how many were taken; -1 with errno: `EAGAIN` when the socket is full; others also go to `last_errno` and,
/// except for `EINTR`, turn a connected connection to `CONN_STATE_ERROR`.
///
/// After `EAGAIN` the next call brings the same bytes again, with or without more behind them, as OpenSSL demands: a
/// connection over TLS has already encrypted them, sends those, and then counts as many of the new call's bytes as
/// taken without looking at them. Other bytes in their place are lost. Fewer bytes than before are answered with
/// `EAGAIN`.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread; `data` is NULL or holds `data_len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connWrite(conn: *mut connection, data: *const c_void, data_len: usize) -> c_int {
    // SAFETY: NULL or live; the type's function asks for no more than this one does.
    unsafe { dispatch(handle(conn), C_ERR, |t| t.write, |f, conn| f(conn, data, data_len)) }
}

/// Like `connWrite`, from `iovcnt` buffers.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread; `iov` is NULL or holds `iovcnt` elements.
#[cfg(not(abi_redis_6_2))]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connWritev(conn: *mut connection, iov: *const libc::iovec, iovcnt: c_int) -> c_int {
    // SAFETY: NULL or live; the type's function asks for no more than this one does.
    unsafe { dispatch(handle(conn), C_ERR, |t| t.writev, |f, conn| f(conn, iov, iovcnt)) }
}

/// Reads up to `buf_len` bytes.
///
/// Returns how many were read; 0 when the peer has closed (`CONN_STATE_CLOSED`); -1 with errno as `connWrite`.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread; `buf` is NULL or has room for `buf_len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connRead(conn: *mut connection, buf: *mut c_void, buf_len: usize) -> c_int {
    // SAFETY: NULL or live; the type's function asks for no more than this one does.
    unsafe { dispatch(handle(conn), C_ERR, |t| t.read, |f, conn| f(conn, buf, buf_len)) }
}

/// Runs `func` whenever the connection is writable; NULL stops that.
///
/// Returns `C_OK`; `C_ERR` with errno as `aeCreateFileEvent`.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread; the handler may be called with it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connSetWriteHandler(conn: *mut connection, func: ConnectionCallbackFunc) -> c_int {
    // SAFETY: NULL or live; the type's function asks for no more than this one does.
    unsafe { dispatch(handle(conn), C_ERR, |t| t.set_write_handler, |f, conn| f(conn, func, 0)) }
}

/// Like `connSetWriteHandler`; with `barrier` not 0 it runs before the read handler when both are due, so that
/// what a read handler produced is never written in the same iteration.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread; the handler may be called with it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connSetWriteHandlerWithBarrier(
    conn: *mut connection,
    func: ConnectionCallbackFunc,
    barrier: c_int,
) -> c_int {
    // SAFETY: NULL or live; the type's function asks for no more than this one does.
    unsafe { dispatch(handle(conn), C_ERR, |t| t.set_write_handler, |f, conn| f(conn, func, barrier)) }
}

/// Runs `func` whenever the connection is readable or closed by the peer; NULL stops that.
///
/// Returns `C_OK`; `C_ERR` with errno as `aeCreateFileEvent`.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread; the handler may be called with it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connSetReadHandler(conn: *mut connection, func: ConnectionCallbackFunc) -> c_int {
    // SAFETY: NULL or live; the type's function asks for no more than this one does.
    unsafe { dispatch(handle(conn), C_ERR, |t| t.set_read_handler, |f, conn| f(conn, func)) }
}

/// Writes all `size` bytes, waiting for at most `timeout` milliseconds in all.
///
/// Returns `size`; -1 with errno, `ETIMEDOUT` when the time is over.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread; `ptr` is NULL or valid for `size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connSyncWrite(
    conn: *mut connection,
    ptr: *const c_char,
    size: libc::ssize_t,
    timeout: c_longlong,
) -> libc::ssize_t {
    // SAFETY: NULL or live; the type's function asks for no more than this one does, and only reads, though its type is
    // upstream's.
    unsafe { dispatch(handle(conn), -1, |t| t.sync_write, |f, conn| f(conn, ptr.cast_mut(), size, timeout)) }
}

/// Reads exactly `size` bytes, waiting for at most `timeout` milliseconds in all.
///
/// Returns `size`; -1 with errno: `ETIMEDOUT` when the time is over, `ECONNRESET` when the peer has closed.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread; `ptr` is NULL or valid for `size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connSyncRead(
    conn: *mut connection,
    ptr: *mut c_char,
    size: libc::ssize_t,
    timeout: c_longlong,
) -> libc::ssize_t {
    // SAFETY: NULL or live; the type's function asks for no more than this one does.
    unsafe { dispatch(handle(conn), -1, |t| t.sync_read, |f, conn| f(conn, ptr, size, timeout)) }
}

/// Reads up to a newline, or `size - 1` bytes, waiting for at most `timeout` milliseconds for each byte. The text
/// is terminated; the newline and a carriage return before it are left out.
///
/// Returns the length, in which a carriage return that was left out counts; -1 with errno as `connSyncRead`.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread; `ptr` is NULL or valid for `size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connSyncReadLine(
    conn: *mut connection,
    ptr: *mut c_char,
    size: libc::ssize_t,
    timeout: c_longlong,
) -> libc::ssize_t {
    // SAFETY: NULL or live; the type's function asks for no more than this one does.
    unsafe { dispatch(handle(conn), -1, |t| t.sync_readline, |f, conn| f(conn, ptr, size, timeout)) }
}

/// Closes the connection and frees it; inside one of its handlers, once that returns. NULL is ignored.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connClose(conn: *mut connection) {
    // SAFETY: NULL or live; the type's function asks for no more than this one does.
    quietly(|| unsafe { dispatch(handle(conn), (), |t| t.close, |f, conn| f(conn)) })
}
