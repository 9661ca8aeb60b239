//! `connection.h`: connections of any type, through the type's function table.
//!
//! What upstream has as static inlines are plain functions here, so that every language can call them. A NULL
//! connection, or a type that lacks the function, is `EINVAL`.

use super::args::{call, non_null, string};
use crate::abi::ae::aeFileProc;
use crate::abi::connection::*;
use crate::anet;
use crate::connection::registry;
use crate::sys::text::write_text;
use core::ffi::{c_char, c_int, c_longlong, c_void};
use core::ptr;
use nix::errno::Errno;

/// Calls the function that `pick` finds in the connection's type.
///
/// # Safety
/// `conn` is NULL or a live connection.
unsafe fn dispatch<F, T>(
    conn: *mut connection,
    failure: T,
    pick: impl FnOnce(&ConnectionType) -> Option<F>,
    run: impl FnOnce(F) -> T,
) -> T {
    if conn.is_null() {
        Errno::EINVAL.set();
        return failure;
    }
    // SAFETY: not NULL, and the caller vouches for the rest.
    unsafe { typed((*conn).r#type, failure, pick, run) }
}

/// Calls the function that `pick` finds in a type.
///
/// # Safety
/// `ct` is NULL or a connection type.
unsafe fn typed<F, T>(
    ct: *mut ConnectionType,
    failure: T,
    pick: impl FnOnce(&ConnectionType) -> Option<F>,
    run: impl FnOnce(F) -> T,
) -> T {
    // SAFETY: the caller vouches for the type; the reference ends before the function runs.
    match unsafe { ct.as_ref() }.and_then(pick) {
        Some(function) => run(function),
        None => {
            Errno::EINVAL.set();
            failure
        }
    }
}

/// Reads or writes a field.
///
/// # Safety
/// `conn` is NULL or a live connection.
unsafe fn field<T>(conn: *mut connection, failure: T, access: impl FnOnce(*mut connection) -> T) -> T {
    if conn.is_null() {
        Errno::EINVAL.set();
        return failure;
    }
    access(conn)
}

/// Sets an option of the connection's descriptor.
///
/// # Safety
/// `conn` is NULL or a live connection.
unsafe fn with_fd(conn: *mut connection, set: impl FnOnce(c_int) -> Result<(), anet::Error>) -> c_int {
    call(C_ERR, || {
        let conn = non_null(conn)?;
        // SAFETY: not NULL, and the caller vouches for the rest.
        let fd = unsafe { (*conn).fd };
        set(fd).map(|()| C_OK).map_err(|error| error.errno())
    })
}

/// Starts to connect to `addr`, a name or an address (for the unix type a path), from `src_addr` (NULL: any).
/// `connect_handler` runs once, when it is connected (`CONN_STATE_CONNECTED`) or has failed
/// (`CONN_STATE_ERROR`).
///
/// Returns `C_OK`; `C_ERR` with the state `CONN_STATE_ERROR`, errno and `last_errno` when it failed at once, then
/// the handler does not run.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread; the strings are NULL or strings; the handler may be called with the
/// connection.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connConnect(
    conn: *mut connection,
    addr: *const c_char,
    port: c_int,
    src_addr: *const c_char,
    connect_handler: ConnectionCallbackFunc,
) -> c_int {
    // SAFETY: the caller vouches for the arguments.
    unsafe { dispatch(conn, C_ERR, |t| t.connect, |f| f(conn, addr, port, src_addr, connect_handler)) }
}

/// Connects, waiting for at most `timeout` milliseconds. Afterwards the descriptor is non-blocking.
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
    // SAFETY: the caller vouches for the arguments.
    unsafe { dispatch(conn, C_ERR, |t| t.blocking_connect, |f| f(conn, addr, port, timeout)) }
}

/// Ends the accept of a connection that the listener delivered: for TCP and unix sockets at once. The handler,
/// when not NULL, runs once, possibly before this returns, and may close the connection.
///
/// Returns `C_OK`; `C_ERR` when the connection is not in `CONN_STATE_ACCEPTING` or was closed by the handler: then
/// it is gone.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread; the handler may be called with it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connAccept(conn: *mut connection, accept_handler: ConnectionCallbackFunc) -> c_int {
    // SAFETY: the caller vouches for the arguments.
    unsafe { dispatch(conn, C_ERR, |t| t.accept, |f| f(conn, accept_handler)) }
}

/// Writes up to `data_len` bytes.
///
/// Returns how many were taken; -1 with errno: `EAGAIN` when the socket is full; others also go to `last_errno` and,
/// but for `EINTR`, turn a connected connection to `CONN_STATE_ERROR`.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread; `data` is NULL or holds `data_len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connWrite(conn: *mut connection, data: *const c_void, data_len: usize) -> c_int {
    // SAFETY: the caller vouches for the arguments.
    unsafe { dispatch(conn, C_ERR, |t| t.write, |f| f(conn, data, data_len)) }
}

/// Like `connWrite`, from `iovcnt` buffers.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread; `iov` is NULL or holds `iovcnt` elements.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connWritev(conn: *mut connection, iov: *const libc::iovec, iovcnt: c_int) -> c_int {
    // SAFETY: the caller vouches for the arguments.
    unsafe { dispatch(conn, C_ERR, |t| t.writev, |f| f(conn, iov, iovcnt)) }
}

/// Reads up to `buf_len` bytes.
///
/// Returns how many were read; 0 when the peer has closed (`CONN_STATE_CLOSED`); -1 with errno as `connWrite`.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread; `buf` is NULL or has room for `buf_len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connRead(conn: *mut connection, buf: *mut c_void, buf_len: usize) -> c_int {
    // SAFETY: the caller vouches for the arguments.
    unsafe { dispatch(conn, C_ERR, |t| t.read, |f| f(conn, buf, buf_len)) }
}

/// Runs `func` whenever the connection is writable; NULL stops that.
///
/// Returns `C_OK`; `C_ERR` with errno as `aeCreateFileEvent`.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread; the handler may be called with it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connSetWriteHandler(conn: *mut connection, func: ConnectionCallbackFunc) -> c_int {
    // SAFETY: the caller vouches for the arguments.
    unsafe { dispatch(conn, C_ERR, |t| t.set_write_handler, |f| f(conn, func, 0)) }
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
    // SAFETY: the caller vouches for the arguments.
    unsafe { dispatch(conn, C_ERR, |t| t.set_write_handler, |f| f(conn, func, barrier)) }
}

/// Runs `func` whenever the connection is readable or closed by the peer; NULL stops that.
///
/// Returns `C_OK`; `C_ERR` with errno as `aeCreateFileEvent`.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread; the handler may be called with it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connSetReadHandler(conn: *mut connection, func: ConnectionCallbackFunc) -> c_int {
    // SAFETY: the caller vouches for the arguments.
    unsafe { dispatch(conn, C_ERR, |t| t.set_read_handler, |f| f(conn, func)) }
}

/// The text of the last error, valid until the next call in this thread.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connGetLastError(conn: *mut connection) -> *const c_char {
    // SAFETY: the caller vouches for the arguments.
    unsafe { dispatch(conn, ptr::null(), |t| t.get_last_error, |f| f(conn)) }
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
    ptr: *mut c_char,
    size: isize,
    timeout: c_longlong,
) -> isize {
    // SAFETY: the caller vouches for the arguments.
    unsafe { dispatch(conn, -1, |t| t.sync_write, |f| f(conn, ptr, size, timeout)) }
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
    size: isize,
    timeout: c_longlong,
) -> isize {
    // SAFETY: the caller vouches for the arguments.
    unsafe { dispatch(conn, -1, |t| t.sync_read, |f| f(conn, ptr, size, timeout)) }
}

/// Reads up to a newline, or `size - 1` bytes, waiting for at most `timeout` milliseconds for each byte. The text
/// is terminated; the newline and a carriage return before it are left out.
///
/// Returns the length; -1 with errno as `connSyncRead`.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread; `ptr` is NULL or valid for `size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connSyncReadLine(
    conn: *mut connection,
    ptr: *mut c_char,
    size: isize,
    timeout: c_longlong,
) -> isize {
    // SAFETY: the caller vouches for the arguments.
    unsafe { dispatch(conn, -1, |t| t.sync_readline, |f| f(conn, ptr, size, timeout)) }
}

/// Shuts both directions of the socket down; the peer sees the end of the input. The connection stays to be
/// closed.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connShutdown(conn: *mut connection) {
    // SAFETY: the caller vouches for the connection.
    unsafe { dispatch(conn, (), |t| t.shutdown, |f| f(conn)) }
}

/// Closes the connection and frees it; inside one of its handlers, once that returns. NULL is ignored.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connClose(conn: *mut connection) {
    // SAFETY: the caller vouches for the connection.
    unsafe { dispatch(conn, (), |t| t.close, |f| f(conn)) }
}

/// The name of the connection's type: "tcp", "unix", "tls" or a registered one; NULL for NULL.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connGetType(conn: *mut connection) -> *const c_char {
    // SAFETY: the caller vouches for the arguments.
    unsafe { dispatch(conn, ptr::null(), |t| t.get_type, |f| f(conn)) }
}

/// Whether the last error was an interruption (`EINTR`), so that the call can be repeated: 1 or 0.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connLastErrorRetryable(conn: *mut connection) -> c_int {
    // SAFETY: the caller vouches for the connection.
    unsafe { field(conn, 0, |c| c_int::from((*c).last_errno == libc::EINTR)) }
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

/// Writes "ip:port", or "[ip]:port" for IPv6, to `buf`, cut to `buf_len` bytes and terminated.
///
/// Returns the length of the whole text; -1 with errno `EINVAL` for a NULL pointer.
///
/// # Safety
/// `buf` is NULL or has room for `buf_len` bytes; `ip` is NULL or a string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn formatAddr(buf: *mut c_char, buf_len: usize, ip: *mut c_char, port: c_int) -> c_int {
    // SAFETY: the caller vouches for the string and the buffer.
    unsafe { super::anet::anetFormatAddr(buf, buf_len, ip, port) }
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

/// The connection's state, one of the `CONN_STATE_` values; -1 with errno `EINVAL` for NULL.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connGetState(conn: *mut connection) -> c_int {
    // SAFETY: the caller vouches for the connection.
    unsafe { field(conn, -1, |c| (*c).state) }
}

/// Whether a write handler is set: 1 or 0.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connHasWriteHandler(conn: *mut connection) -> c_int {
    // SAFETY: the caller vouches for the connection.
    unsafe { field(conn, 0, |c| (*c).write_handler.is_some().into()) }
}

/// Whether a read handler is set: 1 or 0.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connHasReadHandler(conn: *mut connection) -> c_int {
    // SAFETY: the caller vouches for the connection.
    unsafe { field(conn, 0, |c| (*c).read_handler.is_some().into()) }
}

/// Stores the owner's data; the library does not look at it.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connSetPrivateData(conn: *mut connection, data: *mut c_void) {
    // SAFETY: the caller vouches for the connection.
    unsafe { field(conn, (), |c| (*c).private_data = data) }
}

/// The owner's data.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connGetPrivateData(conn: *mut connection) -> *mut c_void {
    // SAFETY: the caller vouches for the connection.
    unsafe { field(conn, ptr::null_mut(), |c| (*c).private_data) }
}

/// Writes a short description for a log, like "fd=8", to `buf`, cut to `buf_len` bytes and terminated; of NULL
/// "fd=-1". Returns `buf`.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread; `buf` is NULL or has room for `buf_len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connGetInfo(conn: *mut connection, buf: *mut c_char, buf_len: usize) -> *const c_char {
    if !buf.is_null() {
        // SAFETY: the caller vouches for the connection and the buffer.
        unsafe {
            let fd = if conn.is_null() { -1 } else { (*conn).fd };
            write_text(buf, buf_len, &format!("fd={fd}"));
        }
    }
    buf
}

/// A new connection, to be connected. The caller owns it and frees it with `connClose`.
///
/// Returns it; NULL with errno `EINVAL` (NULL, or a type that cannot) or `ENOMEM`.
///
/// # Safety
/// `ct` is NULL or a connection type.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connCreate(ct: *mut ConnectionType) -> *mut connection {
    // SAFETY: the caller vouches for the type.
    unsafe { typed(ct, ptr::null_mut(), |t| t.conn_create, |f| f()) }
}

/// A new connection over the accepted descriptor `fd`, which it owns from now on, in `CONN_STATE_ACCEPTING`.
/// `priv` is type specific, NULL for TCP and unix sockets. Errors as `connCreate`; then `fd` stays the caller's.
///
/// # Safety
/// `ct` is NULL or a connection type.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connCreateAccepted(
    ct: *mut ConnectionType,
    fd: c_int,
    r#priv: *mut c_void,
) -> *mut connection {
    // SAFETY: the caller vouches for the type.
    unsafe { typed(ct, ptr::null_mut(), |t| t.conn_create_accepted, |f| f(fd, r#priv)) }
}

/// Configures a connection type; with `reconfigure` not 0 again.
///
/// Returns `C_OK`; `C_ERR` with errno, `EINVAL` for NULL and for a type that takes no configuration, like TCP and
/// unix sockets.
///
/// # Safety
/// `ct` is NULL or a connection type; `priv` is what its configuration expects.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connTypeConfigure(ct: *mut ConnectionType, r#priv: *mut c_void, reconfigure: c_int) -> c_int {
    // SAFETY: the caller vouches for the type.
    unsafe { typed(ct, C_ERR, |t| t.configure, |f| f(r#priv, reconfigure)) }
}

/// Opens a listener's sockets: fills `fd` and `count`. For the TCP type through the host's `listen` hook.
///
/// Returns `C_OK`; `C_ERR` with errno.
///
/// # Safety
/// `listener` is NULL or a listener whose `bindaddr` holds `bindaddr_count` strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connListen(listener: *mut connListener) -> c_int {
    if listener.is_null() {
        Errno::EINVAL.set();
        return C_ERR;
    }
    // SAFETY: the caller vouches for the listener.
    unsafe { typed((*listener).ct, C_ERR, |t| t.listen, |f| f(listener)) }
}

/// The callback for a listening descriptor of this type, to be given to `aeCreateFileEvent`; NULL when there is
/// none.
///
/// # Safety
/// `ct` is NULL or a connection type.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connAcceptHandler(ct: *mut ConnectionType) -> *mut aeFileProc {
    if ct.is_null() {
        return ptr::null_mut();
    }
    // SAFETY: the caller vouches for the type.
    unsafe { (*ct).accept_handler }
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

/// Makes the connection's descriptor blocking.
///
/// Returns `C_OK`; `C_ERR` with errno, `EBADF` for a connection without descriptor.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connBlock(conn: *mut connection) -> c_int {
    // SAFETY: the caller vouches for the connection.
    unsafe { with_fd(conn, |fd| anet::set_blocking(fd, true)) }
}

/// Makes the connection's descriptor non-blocking.
///
/// Returns `C_OK`; `C_ERR` with errno, `EBADF` for a connection without descriptor.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connNonBlock(conn: *mut connection) -> c_int {
    // SAFETY: the caller vouches for the connection.
    unsafe { with_fd(conn, |fd| anet::set_blocking(fd, false)) }
}

/// Sends small segments at once (`TCP_NODELAY`).
///
/// Returns `C_OK`; `C_ERR` with errno, `EBADF` for a connection without descriptor.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connEnableTcpNoDelay(conn: *mut connection) -> c_int {
    // SAFETY: the caller vouches for the connection.
    unsafe { with_fd(conn, |fd| anet::set_tcp_no_delay(fd, true)) }
}

/// Gathers small segments (no `TCP_NODELAY`).
///
/// Returns `C_OK`; `C_ERR` with errno, `EBADF` for a connection without descriptor.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connDisableTcpNoDelay(conn: *mut connection) -> c_int {
    // SAFETY: the caller vouches for the connection.
    unsafe { with_fd(conn, |fd| anet::set_tcp_no_delay(fd, false)) }
}

/// As `anetKeepAlive`, `interval` in seconds.
///
/// Returns `C_OK`; `C_ERR` with errno, `EBADF` for a connection without descriptor.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connKeepAlive(conn: *mut connection, interval: c_int) -> c_int {
    // SAFETY: the caller vouches for the connection.
    unsafe { with_fd(conn, |fd| anet::set_keep_alive(fd, interval)) }
}

/// As `anetSendTimeout`, `ms` in milliseconds.
///
/// Returns `C_OK`; `C_ERR` with errno, `EBADF` for a connection without descriptor.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connSendTimeout(conn: *mut connection, ms: c_longlong) -> c_int {
    // SAFETY: the caller vouches for the connection.
    unsafe { with_fd(conn, |fd| anet::set_send_timeout(fd, ms)) }
}

/// As `anetRecvTimeout`, `ms` in milliseconds.
///
/// Returns `C_OK`; `C_ERR` with errno, `EBADF` for a connection without descriptor.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connRecvTimeout(conn: *mut connection, ms: c_longlong) -> c_int {
    // SAFETY: the caller vouches for the connection.
    unsafe { with_fd(conn, |fd| anet::set_receive_timeout(fd, ms)) }
}

/// Registers a connection type under the name that its `get_type` gives for NULL, and calls its `init`. The table
/// is not copied: it must stay.
///
/// Returns `C_OK`; `C_ERR` with errno `EINVAL` (NULL, or no name), `EEXIST` (the name is taken, whatever its case) or
/// `ENOSPC` (`CONN_TYPE_MAX` types are registered).
///
/// # Safety
/// `ct` is NULL or a connection type that is never freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connTypeRegister(ct: *mut ConnectionType) -> c_int {
    call(C_ERR, || {
        let ct = non_null(ct)?;
        // SAFETY: the caller vouches for the type.
        unsafe { registry::register(ct) }.map(|()| C_OK)
    })
}

/// Registers the built-in types, "tcp" and "unix"; calling it again is harmless.
///
/// Returns `C_OK`; `C_ERR` with errno when another type has taken a name.
#[unsafe(no_mangle)]
pub extern "C" fn connTypeInitialize() -> c_int {
    call(C_ERR, || registry::register_builtin().map(|()| C_OK))
}

/// Registers the built-in type "tcp".
///
/// Returns `C_OK`; `C_ERR` with errno `EEXIST` when the name is taken.
#[unsafe(no_mangle)]
pub extern "C" fn RedisRegisterConnectionTypeSocket() -> c_int {
    call(C_ERR, || registry::register_socket().map(|()| C_OK))
}

/// Registers the built-in type "unix".
///
/// Returns `C_OK`; `C_ERR` with errno `EEXIST` when the name is taken.
#[unsafe(no_mangle)]
pub extern "C" fn RedisRegisterConnectionTypeUnix() -> c_int {
    call(C_ERR, || registry::register_unix().map(|()| C_OK))
}

/// Registers the TLS type, when the library has one: this build has none and returns `C_ERR` with errno
/// `EOPNOTSUPP`, as upstream does when built without TLS.
#[unsafe(no_mangle)]
pub extern "C" fn RedisRegisterConnectionTypeTLS() -> c_int {
    Errno::EOPNOTSUPP.set();
    C_ERR
}

/// The registered type of that name, whatever its case.
///
/// Returns it; NULL with errno `ENOENT`, or `EINVAL` for NULL.
///
/// # Safety
/// `typename` is NULL or a string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connectionByType(typename: *const c_char) -> *mut ConnectionType {
    call(ptr::null_mut(), || {
        // SAFETY: the caller vouches for the string.
        registry::by_name(unsafe { string(typename) }?).map(|(_, ct)| ct).ok_or(Errno::ENOENT)
    })
}

/// The index of the registered type of that name: 0 to `CONN_TYPE_MAX - 1`, in the order of registration.
///
/// Returns it; -1 with errno as `connectionByType`.
///
/// # Safety
/// `typename` is NULL or a string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connectionIndexByType(typename: *const c_char) -> c_int {
    call(-1, || {
        // SAFETY: the caller vouches for the string.
        registry::by_name(unsafe { string(typename) }?).map(|(index, _)| index).ok_or(Errno::ENOENT)
    })
}

/// The registered type "tcp", NULL when there is none.
#[unsafe(no_mangle)]
pub extern "C" fn connectionTypeTcp() -> *mut ConnectionType {
    registry::tcp()
}

/// The registered type "tls", NULL when there is none.
#[unsafe(no_mangle)]
pub extern "C" fn connectionTypeTls() -> *mut ConnectionType {
    registry::tls()
}

/// The registered type "unix", NULL when there is none.
#[unsafe(no_mangle)]
pub extern "C" fn connectionTypeUnix() -> *mut ConnectionType {
    registry::unix()
}

/// Calls the `cleanup` of every registered type.
#[unsafe(no_mangle)]
pub extern "C" fn connTypeCleanupAll() {
    registry::cleanup_all();
}

/// Whether any type holds data that the kernel no longer reports: then the loop must not wait. 1 or 0.
#[unsafe(no_mangle)]
pub extern "C" fn connTypeHasPendingData() -> c_int {
    registry::has_pending_data().into()
}

/// Runs the handlers of connections with such data. Returns how many.
#[unsafe(no_mangle)]
pub extern "C" fn connTypeProcessPendingData() -> c_int {
    registry::process_pending_data()
}
