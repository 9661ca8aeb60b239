//! What connections over unix sockets do in their own way. They connect to a path; upstream's cannot connect.

use super::errors::status;
use super::socket::{required, start_connect, wait_connect};
use crate::abi::connect::Connector;
use crate::abi::connection::*;
use crate::anet;
use core::ffi::{c_char, c_int, c_longlong};

/// How they connect.
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

pub(super) unsafe extern "C" fn blocking_connect(
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
