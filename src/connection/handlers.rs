//! Handlers called, and connections that are closed meanwhile.
//!
//! A connection is freed by its type's `close`, but never while one of its handlers runs: then `refs` is above
//! 0, the close is noted in `flags`, and whoever called the handler frees it. As in the event loop, no
//! reference to a connection is alive while a handler runs.

use crate::abi::ae::{AE_READABLE, AE_WRITABLE};
use crate::abi::connection::*;
use core::ffi::c_int;

/// Whether a closed connection is still in use by a running handler: then it is noted that it has been closed.
///
/// # Safety
/// `conn` is a live connection of this thread.
pub(super) unsafe fn is_held(conn: *mut connection) -> bool {
    // SAFETY: the caller vouches for the connection.
    unsafe {
        if (*conn).refs > 0 {
            (*conn).flags |= CONN_FLAG_CLOSE_SCHEDULED;
        }
        (*conn).refs > 0
    }
}

/// Runs a handler. False when the connection was closed meanwhile: then it must not be touched any more.
///
/// # Safety
/// `conn` is a live connection of this thread, the handler may be called with it.
pub(super) unsafe fn call_handler(conn: *mut connection, handler: ConnectionCallbackFunc) -> bool {
    // SAFETY: the caller vouches for both; `refs` keeps the connection while the handler runs.
    unsafe {
        (*conn).refs += 1;
        if let Some(handler) = handler {
            handler(conn);
        }
        (*conn).refs -= 1;
        if (*conn).flags & CONN_FLAG_CLOSE_SCHEDULED == 0 {
            return true;
        }
        if (*conn).refs == 0
            && let Some(close) = (*(*conn).r#type).close
        {
            close(conn);
        }
        false
    }
}

/// Calls the handlers for events. False when the connection is gone.
///
/// # Safety
/// `conn` is a live connection of this thread.
pub(super) unsafe fn call_handlers(conn: *mut connection, mask: c_int) -> bool {
    // SAFETY: the caller vouches for the connection. Each handler is read when its turn comes, since the one before
    // may have changed it; one that was not there when the event fired did not wait for it.
    unsafe {
        let write_first = (*conn).flags & CONN_FLAG_WRITE_BARRIER != 0;
        let readable = mask & AE_READABLE != 0 && (*conn).read_handler.is_some();
        let writable = mask & AE_WRITABLE != 0 && (*conn).write_handler.is_some();
        if write_first && writable && !call_handler(conn, (*conn).write_handler) {
            return false;
        }
        if readable && !call_handler(conn, (*conn).read_handler) {
            return false;
        }
        write_first || !writable || call_handler(conn, (*conn).write_handler)
    }
}
