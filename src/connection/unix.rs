//! The "unix" type.

use super::socket::{STREAM, addr, required, start_connect, wait_connect};
use super::{created, status};
use crate::abi::ae::{AeFileProc, aeFileProc};
use crate::abi::connection::*;
use crate::anet;
use core::ffi::{c_char, c_int, c_longlong, c_void};

/// The "unix" type. It connects to a path; upstream's cannot connect.
pub(crate) static UNIX: ConnectionType = ConnectionType {
    get_type: Some(get_type),
    accept_handler: super::listener::accept_unix as AeFileProc as *mut aeFileProc,
    addr: Some(addr),
    is_local: Some(is_local),
    listen: Some(super::listener::listen_unix),
    conn_create: Some(conn_create),
    conn_create_accepted: Some(conn_create_accepted),
    connect: Some(connect),
    blocking_connect: Some(blocking_connect),
    ..STREAM
};

unsafe extern "C" fn get_type(_conn: *mut connection) -> *const c_char {
    c"unix".as_ptr()
}

unsafe extern "C" fn conn_create() -> *mut connection {
    created(&UNIX, -1, CONN_STATE_NONE)
}

unsafe extern "C" fn conn_create_accepted(fd: c_int, _priv: *mut c_void) -> *mut connection {
    created(&UNIX, fd, CONN_STATE_ACCEPTING)
}

unsafe extern "C" fn is_local(_conn: *mut connection) -> c_int {
    1
}

unsafe extern "C" fn connect(
    conn: *mut connection,
    path: *const c_char,
    _port: c_int,
    _source: *const c_char,
    handler: ConnectionCallbackFunc,
) -> c_int {
    // SAFETY: called through a live connection's table with a string or NULL.
    status(|| unsafe { start_connect(conn, handler, || anet::unix_connect(required(path)?, true)) })
}

unsafe extern "C" fn blocking_connect(
    conn: *mut connection,
    path: *const c_char,
    _port: c_int,
    timeout: c_longlong,
) -> c_int {
    // SAFETY: called through a live connection's table with a string or NULL.
    status(|| unsafe { wait_connect(conn, timeout, || anet::unix_connect(required(path)?, true)) })
}
