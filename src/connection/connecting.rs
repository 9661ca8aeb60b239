//! Connections over TCP and unix sockets connected: in the background, or waiting for it.

use super::arguments::string;
use super::errors::status;
use super::handle::Conn;
use super::home;
use super::sync::Deadline;
use super::watch::{drop_fd, watch};
use crate::abi::ae::AE_WRITABLE;
use crate::abi::connect::Connector;
use crate::abi::connection::*;
use crate::abi::profile;
use crate::anet::{self, Connect, SocketOptions, Transport};
use crate::event_loop;
use crate::sys::Errno;
use core::ffi::{CStr, c_char, c_int, c_longlong};

/// Starts a connection's connect: `open` gives the socket.
fn start_connect(
    conn: Conn,
    handler: ConnectionCallbackFunc,
    open: impl FnOnce() -> Result<c_int, anet::Error>,
) -> Result<(), anet::Error> {
    let of_connection = |errno| anet::Error::new("connection", errno);
    prepare(conn).map_err(of_connection)?;
    let started = open().and_then(|fd| opened(conn, fd).and_then(|()| watch(conn, AE_WRITABLE)).map_err(of_connection));
    match started {
        Ok(()) => {
            conn.set_state(CONN_STATE_CONNECTING);
            conn.set_conn_handler(handler);
        }
        Err(error) => fail(conn, error.errno()),
    }
    started
}

/// Connects, waiting for at most `timeout` milliseconds (below 0: forever): `open` gives the socket, and may wait for
/// it until the deadline.
fn wait_connect(
    conn: Conn,
    timeout: c_longlong,
    open: impl FnOnce(&Deadline) -> Result<c_int, anet::Error>,
) -> Result<(), Errno> {
    prepare(conn)?;
    let deadline = Deadline::unless_below_0(timeout);
    let connected = open(&deadline).map_err(|error| error.errno()).and_then(|fd| {
        opened(conn, fd)?;
        wait_writable(fd, &deadline)?;
        match anet::take_error(fd) {
            0 => Ok(()),
            error => Err(Errno::from_raw(error)),
        }
    });
    match connected {
        Ok(()) => conn.set_state(CONN_STATE_CONNECTED),
        Err(Errno::ETIMEDOUT) if profile::TIMED_OUT_CONNECT_KEEPS_FD => conn.set_error(Errno::ETIMEDOUT as c_int),
        Err(errno) => fail(conn, errno),
    }
    connected
}

/// The connection takes its socket over.
pub(super) fn opened(conn: Conn, fd: c_int) -> Result<(), Errno> {
    conn.set_fd(fd);
    if home::is_safe_apis(conn) {
        anet::set_close_on_exec(fd).map_err(|error| error.errno())?;
    }
    Ok(())
}

/// A connection can connect when it is new, or again after it failed.
pub(super) fn prepare(conn: Conn) -> Result<(), Errno> {
    match conn.state() {
        CONN_STATE_CONNECTING => Err(Errno::EALREADY),
        CONN_STATE_ACCEPTING | CONN_STATE_CONNECTED => Err(Errno::EISCONN),
        _ => {
            // The handlers were registered for the descriptor that goes: kept, they would seem to be set.
            drop_fd(conn);
            conn.set_read_handler(None);
            conn.set_write_handler(None);
            Ok(())
        }
    }
}

/// There is no connect after all.
pub(super) fn fail(conn: Conn, errno: Errno) {
    drop_fd(conn);
    conn.set_error(errno as c_int);
}

fn wait_writable(fd: c_int, deadline: &Deadline) -> Result<(), Errno> {
    loop {
        // Looked at once, however little time there was.
        let left = deadline.left();
        let milliseconds = left.unwrap_or(Some(0)).unwrap_or(u64::MAX);
        match event_loop::wait(fd, AE_WRITABLE, milliseconds.try_into().unwrap_or(c_longlong::MAX)) {
            Ok(0) | Err(Errno::EINTR) => _ = left?,
            Ok(_) => return Ok(()),
            Err(errno) => return Err(errno),
        }
    }
}

/// An address that must be there.
fn required(address: Option<&CStr>) -> Result<&CStr, anet::Error> {
    address.ok_or(anet::Error::new("address", Errno::EINVAL))
}

/// Starts to connect over TCP; with `multipath` over MPTCP.
pub(super) fn connect_tcp(
    conn: Conn,
    host: Option<&CStr>,
    port: c_int,
    source: Option<&CStr>,
    multipath: bool,
    handler: ConnectionCallbackFunc,
) -> Result<(), anet::Error> {
    let how = Connect::NonBlockingBestEffortBind(if multipath { Transport::Mptcp } else { Transport::Tcp });
    start_connect(conn, handler, || anet::tcp_connect(required(host)?, port, source, how))
}

/// Starts to connect to a unix socket.
pub(super) fn connect_unix(
    conn: Conn,
    path: Option<&CStr>,
    handler: ConnectionCallbackFunc,
) -> Result<(), anet::Error> {
    start_connect(conn, handler, || anet::unix_connect(required(path)?, true))
}

/// Starts to connect over TCP as the options say.
pub(super) fn connect_tcp_with(
    conn: Conn,
    host: &CStr,
    port: c_int,
    options: &SocketOptions<'_>,
    handler: ConnectionCallbackFunc,
) -> Result<(), anet::Error> {
    start_connect(conn, handler, || anet::tcp_connect_with(host, port, options))
}

/// Starts to connect to the path of a unix socket, or to `@` and an abstract name, as the options say.
pub(super) fn connect_unix_with(
    conn: Conn,
    address: &CStr,
    options: &SocketOptions<'_>,
    handler: ConnectionCallbackFunc,
) -> Result<(), anet::Error> {
    start_connect(conn, handler, || anet::unix_connect_with(address, options))
}

/// Connects over TCP, waiting as [`wait_connect`] does.
pub(crate) fn wait_tcp(conn: Conn, host: Option<&CStr>, port: c_int, timeout: c_longlong) -> Result<(), Errno> {
    wait_connect(conn, timeout, |_| anet::tcp_connect(required(host)?, port, None, Connect::NonBlocking))
}

/// How connections over TCP connect.
pub(super) struct Tcp;

impl Connector for Tcp {
    unsafe fn connect(
        conn: *mut connection,
        host: *const c_char,
        port: c_int,
        source: *const c_char,
        multipath: bool,
        handler: ConnectionCallbackFunc,
    ) -> c_int {
        // SAFETY: a live connection; strings or NULL.
        let (conn, host, source) = unsafe { (Conn::new(conn), string(host), string(source)) };
        status(|| connect_tcp(conn, host, port, source, multipath, handler).map_err(|error| error.errno()))
    }
}

pub(super) unsafe extern "C" fn blocking_connect_tcp(
    conn: *mut connection,
    host: *const c_char,
    port: c_int,
    timeout: c_longlong,
) -> c_int {
    // SAFETY: called through a live connection's table with a string or NULL.
    let (conn, host) = unsafe { (Conn::new(conn), string(host)) };
    status(|| wait_tcp(conn, host, port, timeout))
}

/// How connections over unix sockets connect: to a path; upstream's cannot connect.
pub(super) struct Unix;

impl Connector for Unix {
    unsafe fn connect(
        conn: *mut connection,
        path: *const c_char,
        _port: c_int,
        _source: *const c_char,
        _multipath: bool,
        handler: ConnectionCallbackFunc,
    ) -> c_int {
        // SAFETY: a live connection; a string or NULL.
        let (conn, path) = unsafe { (Conn::new(conn), string(path)) };
        status(|| connect_unix(conn, path, handler).map_err(|error| error.errno()))
    }
}

pub(super) unsafe extern "C" fn blocking_connect_unix(
    conn: *mut connection,
    path: *const c_char,
    _port: c_int,
    timeout: c_longlong,
) -> c_int {
    // SAFETY: called through a live connection's table with a string or NULL.
    let (conn, path) = unsafe { (Conn::new(conn), string(path)) };
    status(|| wait_connect(conn, timeout, |deadline| anet::unix_connect_within(required(path)?, || deadline.left())))
}
