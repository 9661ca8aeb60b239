//! Errors: noted in a connection, and handed to C callers.

use super::handle::Conn;
use crate::abi::connection::*;
use crate::sys::Errno;
use crate::sys::errno::{call, returned};
use core::ffi::c_int;

/// Notes why an operation failed. The connection is broken, unless it was only interrupted.
pub(super) fn note_error(conn: Conn, errno: Errno) {
    conn.set_last_errno(errno as c_int);
    if errno != Errno::EINTR && conn.state() == CONN_STATE_CONNECTED {
        conn.set_state(CONN_STATE_ERROR);
    }
}

/// The result of a read or write, whose error is noted unless it only says to try again later. That is what it says, too,
/// while a connect by name has no socket yet.
#[inline]
pub(super) fn noted(conn: Conn, result: Result<usize, Errno>) -> Result<usize, Errno> {
    match result {
        Err(Errno::EBADF) if conn.fd() == -1 && conn.state() == CONN_STATE_CONNECTING => Err(Errno::EAGAIN),
        Err(errno) if errno != Errno::EAGAIN => {
            note_error(conn, errno);
            result
        }
        _ => result,
    }
}

/// For the functions of a type's table that return `C_OK`, or `C_ERR` with errno.
pub(super) fn status(body: impl FnOnce() -> Result<(), Errno>) -> c_int {
    call(C_ERR, || body().map(|()| C_OK))
}

/// For the functions of a type's table that return a count, or -1 with errno.
pub(super) fn count(body: impl FnOnce() -> Result<usize, Errno>) -> c_int {
    call(-1, || body().map(|count| count as c_int))
}

/// For a table's `accept`, which returns `C_ERR` also when the handler has closed the connection: Ok(false).
pub(super) fn accept_status(result: Result<bool, Errno>) -> c_int {
    returned(C_ERR, result.map(|is_open| if is_open { C_OK } else { C_ERR }))
}
