//! `libae.h`: connections and listeners with options for their sockets.

use super::border::handle;
#[cfg(not(abi_v1))]
use super::border::member;
use crate::abi::connection::*;
use crate::abi::sockets::libaeSocketOptions;
use crate::anet::{Error, SocketOptions};
use crate::connection::{AnyConn, Conn, Host};
#[cfg(not(abi_v1))]
use crate::connection::{accept_data, types};
use crate::ffi::anet::args::{ErrorText, required};
use crate::ffi::args::optional_string;
use crate::ffi::sockets::given;
#[cfg(not(abi_v1))]
use crate::ffi::sockets::with_backlog;
#[cfg(not(abi_v1))]
use core::ffi::c_void;
use core::ffi::{CStr, c_char, c_int};
#[cfg(not(abi_v1))]
use core::ptr;
use nix::errno::Errno;

/// Like `connConnect`, with `options` (NULL: none) for the socket, which is non-blocking whatever they say, and with
/// the reason of a failure in `err`. A TCP or TLS connection connects to a name or an address; one of the unix type to
/// a path, or to `@` and a name in the abstract namespace; up to redis-7.0, where one type does for both, `address` is
/// as for `libaeConnect`. Unlike with `connConnect`, a `source` that cannot be bound is an error.
///
/// Returns `C_OK`; `C_ERR` with errno as `connConnect` and `libaeConnect`, and `EOPNOTSUPP` for a program's own type.
///
/// # Safety
/// `err` is NULL or has room for `ANET_ERR_LEN` bytes; `conn` is NULL or a live connection of this thread, and
/// `handler` may be called with it; `address` is NULL or a string; `options` is NULL or has as many bytes as its member
/// `size` says, in which strings are NULL or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libaeConnConnect(
    err: *mut c_char,
    conn: *mut connection,
    address: *const c_char,
    port: c_int,
    options: *const libaeSocketOptions,
    handler: Option<unsafe extern "C" fn(conn: *mut connection)>,
) -> c_int {
    let connect =
        |conn: AnyConn, address: &CStr, options: &SocketOptions<'_>| conn.connect_with(address, port, options, handler);
    // SAFETY: by this function's own contract.
    unsafe { start_to_connect(err, conn, "address", address, options, connect) }
}

/// Like `libaeConnConnect` to a port of a host whose name, or address, is looked up without stopping the loop, as
/// `libaeConnectName` does: its addresses are tried one after the other, each in its time, until one accepts. The
/// handler is called once, in the loop and never before this returns, as for `connConnect`: when the connection is
/// connected, over TLS after the handshake; or with `CONN_STATE_ERROR`, and in `last_errno` why the name has no address
/// (`EADDRNOTAVAIL`: there is none, `EAGAIN`) or the last address did not accept. Over TLS the name is what
/// `connConnect` takes the host for: sent to the server, and looked for in its certificate, as the configuration says.
///
/// Until an address has accepted, the connection is in `CONN_STATE_CONNECTING` without a descriptor (`fd` is -1). Its
/// handlers can be set already; reads and writes fail with `EAGAIN`. There is no limit in time but the system's, and
/// for TLS that of a handshake from then on: a time event that calls `connClose` sets one. `connClose` ends it at any
/// time, without the handler. If the loop is deleted first, the handler is called with `ECANCELED` in `last_errno` by
/// the thread that deletes it; it must not use the loop's functions then.
///
/// Of `options`, a `source` has to be an address: nothing waits for its name.
///
/// Returns `C_OK`; `C_ERR` with errno as `libaeConnConnect` and `libaeConnectName` and the reason in `err`, and
/// `EOPNOTSUPP` for a connection of the unix type (up to redis-7.0, for `name` with a slash in it or `@` in front) and
/// for a program's own type.
///
/// # Safety
/// As for `libaeConnConnect`, with `name` for `address`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libaeConnConnectName(
    err: *mut c_char,
    conn: *mut connection,
    name: *const c_char,
    port: c_int,
    options: *const libaeSocketOptions,
    handler: Option<unsafe extern "C" fn(conn: *mut connection)>,
) -> c_int {
    let connect = |conn: AnyConn, name: &CStr, options: &SocketOptions<'_>| {
        conn.connect_by_name(&Host { name, port, options }, handler)
    };
    // SAFETY: by this function's own contract.
    unsafe { start_to_connect(err, conn, "name", name, options, connect) }
}

/// What connects of connections have in common. `end` is what an error calls the text.
///
/// # Safety
/// `err` is NULL or has room for a text, `conn` is NULL or live, `text` NULL or a string, `options` as for `given`.
unsafe fn start_to_connect(
    err: *mut c_char,
    conn: *mut connection,
    end: &'static str,
    text: *const c_char,
    options: *const libaeSocketOptions,
    connect: impl FnOnce(AnyConn, &CStr, &SocketOptions<'_>) -> Result<(), Error>,
) -> c_int {
    // SAFETY: NULL or room for a text, NULL or live, NULL or a string.
    let (err, conn, text) = unsafe { (ErrorText::new(err), handle(conn), optional_string(text)) };
    err.status(|| {
        let conn = conn.ok_or(Error::new("connection", Errno::EINVAL))?;
        let text = required(text, end)?;
        // SAFETY: NULL, or as large as it says.
        let mut options = unsafe { given(options) }?;
        options.blocking = false;
        let conn = built_in(conn, text).ok_or(Error::new("type of a connection", Errno::EOPNOTSUPP))?;
        connect(conn, text, &options)
    })
}

#[cfg(not(abi_v1))]
fn built_in(conn: Conn, _address: &CStr) -> Option<AnyConn> {
    AnyConn::of(conn)
}

/// One type does for TCP and unix sockets: the address tells.
#[cfg(abi_v1)]
fn built_in(conn: Conn, address: &CStr) -> Option<AnyConn> {
    if !core::ptr::eq(conn.r#type(), &super::v1::CT_Socket) {
        return AnyConn::of(conn);
    }
    Some(if crate::anet::is_unix(address) { AnyConn::Unix(conn) } else { AnyConn::Tcp(conn) })
}

/// Like `connListen`, with `options` (NULL: none) for the sockets, which are non-blocking whatever they say, and with
/// the reason of a failure in `err`. The host's hooks `listen`, `unix_permissions` and `unix_group` and the listener's
/// `priv` are not asked; a listener of the unix type may have `@` and a name in the abstract namespace as an address.
///
/// Returns `C_OK`; `C_ERR`, with the listener as it was, and errno as `connListen` and `libaeListen`, and `EOPNOTSUPP`
/// for a program's own type.
///
/// # Safety
/// `err` is NULL or has room for `ANET_ERR_LEN` bytes; `listener` is NULL or a listener whose `bindaddr` holds
/// `bindaddr_count` strings; `options` is NULL or has as many bytes as its member `size` says, in which strings are
/// NULL or valid.
#[cfg(not(abi_v1))]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libaeConnListen(
    err: *mut c_char,
    listener: *mut connListener,
    options: *const libaeSocketOptions,
) -> c_int {
    // SAFETY: NULL or room for a text, by this function's own contract.
    let err = unsafe { ErrorText::new(err) };
    err.status(|| {
        if listener.is_null() {
            return Err(Error::new("listener", Errno::EINVAL));
        }
        // SAFETY: NULL, or as large as it says.
        let mut options = with_backlog(unsafe { given(options) }?);
        options.blocking = false;
        // SAFETY: not NULL, so a listener with that many addresses.
        unsafe { types::listen_with(listener, &options) }
    })
}

/// Which listener a connection came from: the `clientData` that the accept handler (`connAcceptHandler`) which took it
/// had been given to `aeCreateFileEvent` with, from the host's hook `accepted` on for as long as the connection lives.
/// It is the program's pointer, at which the library does not look: it stays the same when the listener is closed, and
/// what it leads to has to live as long as the program follows it.
///
/// NULL for a connection that no accept handler of the library's has taken, and with errno `EINVAL` for NULL.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread.
#[cfg(not(abi_v1))]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libaeConnAcceptData(conn: *mut connection) -> *mut c_void {
    // SAFETY: NULL or live.
    member(unsafe { handle(conn) }, ptr::null_mut(), accept_data)
}
