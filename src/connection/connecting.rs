//! Connections over TCP and unix sockets connected: in the background, or waiting for it.

use super::errors::status;
use super::home;
use super::sync::Deadline;
use super::watch::{drop_fd, watch};
use crate::abi::ae::AE_WRITABLE;
use crate::abi::connect::Connector;
use crate::abi::connection::*;
use crate::abi::profile;
use crate::anet::{self, Connect, Transport};
use crate::event_loop;
use crate::sys::Errno;
use core::ffi::{CStr, c_char, c_int, c_longlong};

/// Starts a connection's connect: `open` gives the socket.
///
/// # Safety
/// `conn` is a live connection of this thread, the handler may be called with it.
unsafe fn start_connect(
    conn: *mut connection,
    handler: ConnectionCallbackFunc,
    open: impl FnOnce() -> Result<c_int, anet::Error>,
) -> Result<(), Errno> {
    // SAFETY: the caller vouches for both.
    unsafe {
        prepare_connect(conn)?;
        let started = open().map_err(|error| error.errno()).and_then(|fd| {
            opened(conn, fd)?;
            watch(conn, AE_WRITABLE)
        });
        match started {
            Ok(()) => {
                (*conn).state = CONN_STATE_CONNECTING;
                (*conn).conn_handler = handler;
            }
            Err(errno) => fail_connect(conn, errno),
        }
        started
    }
}

/// Connects, waiting for at most `timeout` milliseconds (below 0: without end): `open` gives the socket, and may wait
/// for it until the deadline.
///
/// # Safety
/// `conn` is a live connection of this thread.
unsafe fn wait_connect(
    conn: *mut connection,
    timeout: c_longlong,
    open: impl FnOnce(&Deadline) -> Result<c_int, anet::Error>,
) -> Result<(), Errno> {
    // SAFETY: the caller vouches for the connection.
    unsafe {
        prepare_connect(conn)?;
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
            Ok(()) => (*conn).state = CONN_STATE_CONNECTED,
            Err(Errno::ETIMEDOUT) if profile::TIMED_OUT_CONNECT_KEEPS_FD => {
                (*conn).state = CONN_STATE_ERROR;
                (*conn).last_errno = Errno::ETIMEDOUT as c_int;
            }
            Err(errno) => fail_connect(conn, errno),
        }
        connected
    }
}

/// The connection takes its socket over.
///
/// # Safety
/// `conn` is a live connection of this thread.
unsafe fn opened(conn: *mut connection, fd: c_int) -> Result<(), Errno> {
    // SAFETY: the caller vouches for the connection.
    unsafe {
        (*conn).fd = fd;
        if home::is_safe_apis(conn) {
            anet::set_close_on_exec(fd).map_err(|error| error.errno())?;
        }
        Ok(())
    }
}

/// A connection can connect when it is new, or again after it failed.
///
/// # Safety
/// `conn` is a live connection of this thread.
unsafe fn prepare_connect(conn: *mut connection) -> Result<(), Errno> {
    // SAFETY: the caller vouches for the connection.
    unsafe {
        match (*conn).state {
            CONN_STATE_CONNECTING => Err(Errno::EALREADY),
            CONN_STATE_ACCEPTING | CONN_STATE_CONNECTED => Err(Errno::EISCONN),
            _ => {
                // The handlers were registered for the descriptor that goes: kept, they would seem to be set.
                drop_fd(conn);
                ((*conn).read_handler, (*conn).write_handler) = (None, None);
                Ok(())
            }
        }
    }
}

/// # Safety
/// `conn` is a live connection of this thread.
unsafe fn fail_connect(conn: *mut connection, errno: Errno) {
    // SAFETY: the caller vouches for the connection.
    unsafe {
        drop_fd(conn);
        (*conn).state = CONN_STATE_ERROR;
        (*conn).last_errno = errno as c_int;
    }
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

/// A string argument that must be there.
///
/// # Safety
/// `text` is NULL or a string that outlives the call.
unsafe fn required<'a>(text: *const c_char) -> Result<&'a CStr, anet::Error> {
    // SAFETY: the caller vouches for the string.
    unsafe { optional(text) }.ok_or(anet::Error::new("address", Errno::EINVAL))
}

/// # Safety
/// `text` is NULL or a string that outlives the call.
unsafe fn optional<'a>(text: *const c_char) -> Option<&'a CStr> {
    // SAFETY: the caller vouches for the string.
    (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) })
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
        // SAFETY: called through a live connection's table with strings or NULL.
        status(|| unsafe { start_tcp_connect(conn, host, port, source, multipath, handler) })
    }
}

/// Starts to connect over TCP.
///
/// # Safety
/// As for [`Connector::connect`].
pub(super) unsafe fn start_tcp_connect(
    conn: *mut connection,
    host: *const c_char,
    port: c_int,
    source: *const c_char,
    multipath: bool,
    handler: ConnectionCallbackFunc,
) -> Result<(), Errno> {
    let how = Connect::NonBlockingBestEffortBind(if multipath { Transport::Mptcp } else { Transport::Tcp });
    // SAFETY: a live connection of this thread, strings or NULL, by this function's own contract.
    unsafe { start_connect(conn, handler, || anet::tcp_connect(required(host)?, port, optional(source), how)) }
}

pub(super) unsafe extern "C" fn blocking_connect_tcp(
    conn: *mut connection,
    host: *const c_char,
    port: c_int,
    timeout: c_longlong,
) -> c_int {
    // SAFETY: called through a live connection's table with a string or NULL.
    status(|| unsafe { wait_tcp_connect(conn, host, port, timeout) })
}

/// Connects over TCP, waiting for at most `timeout` milliseconds (below 0: forever).
///
/// # Safety
/// `conn` is a live connection of this thread, `host` NULL or a string.
pub(super) unsafe fn wait_tcp_connect(
    conn: *mut connection,
    host: *const c_char,
    port: c_int,
    timeout: c_longlong,
) -> Result<(), Errno> {
    // SAFETY: a live connection, a string or NULL, by this function's own contract.
    unsafe { wait_connect(conn, timeout, |_| anet::tcp_connect(required(host)?, port, None, Connect::NonBlocking)) }
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
        // SAFETY: called through a live connection's table with a string or NULL.
        status(|| unsafe { start_connect(conn, handler, || anet::unix_connect(required(path)?, true)) })
    }
}

pub(super) unsafe extern "C" fn blocking_connect_unix(
    conn: *mut connection,
    path: *const c_char,
    _port: c_int,
    timeout: c_longlong,
) -> c_int {
    // SAFETY: called through a live connection's table with a string or NULL.
    status(|| unsafe {
        wait_connect(conn, timeout, |deadline| anet::unix_connect_within(required(path)?, || deadline.left()))
    })
}
