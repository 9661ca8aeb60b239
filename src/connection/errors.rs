//! Errors: noted in a connection, and handed to C callers.

use super::handle::Conn;
use crate::abi::connection::*;
use crate::sys::Errno;
use crate::sys::errno::call;
use core::ffi::c_int;

/// Notes why an operation failed. The connection is broken, unless it was only interrupted.
pub(super) fn note_error(conn: Conn, errno: Errno) {
    conn.set_last_errno(errno as c_int);
    if errno != Errno::EINTR && conn.state() == CONN_STATE_CONNECTED {
        conn.set_state(CONN_STATE_ERROR);
    }
}

/// For the functions of a type's table that return `C_OK`, or `C_ERR` with errno.
pub(super) fn status(body: impl FnOnce() -> Result<(), Errno>) -> c_int {
    call(C_ERR, || body().map(|()| C_OK))
}
