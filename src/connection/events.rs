//! The event loop's side of a connection over one descriptor: handlers set, and called.

use super::home::{self, loop_of};
use super::{call_handler, client_data, unwatch};
use crate::abi::ae::*;
use crate::abi::connection::*;
use crate::anet;
use crate::event_loop;
use crate::sys::Errno;
use core::ffi::{c_int, c_void};

/// Watches the connection's descriptor for more.
///
/// # Safety
/// `conn` is a live connection of this thread.
pub(super) unsafe fn watch(conn: *mut connection, mask: c_int) -> Result<(), Errno> {
    // SAFETY: the caller vouches for the connection, which is the client data until its descriptor is dropped;
    // the type's handler is a function of that kind.
    unsafe {
        let handler = (*(*conn).r#type).ae_handler.ok_or(Errno::EINVAL)? as *mut aeFileProc;
        let el = loop_of(conn)?;
        event_loop::create_file_event(el, (*conn).fd, mask, handler, client_data(conn))?;
        home::registered(conn, el);
        Ok(())
    }
}

/// Sets or removes the read handler.
///
/// # Safety
/// `conn` is a live connection of this thread, the handler may be called with it.
pub(super) unsafe fn set_read_handler(conn: *mut connection, handler: ConnectionCallbackFunc) -> Result<(), Errno> {
    // SAFETY: the caller vouches for both.
    unsafe {
        let before = core::mem::replace(&mut (*conn).read_handler, handler);
        if same(before, handler) {
            return Ok(());
        }
        if handler.is_none() {
            unwatch(conn, AE_READABLE);
            return Ok(());
        }
        watch(conn, AE_READABLE).inspect_err(|_| (*conn).read_handler = before)
    }
}

/// Sets or removes the write handler; with `barrier` it runs before the read handler.
///
/// # Safety
/// `conn` is a live connection of this thread, the handler may be called with it.
pub(super) unsafe fn set_write_handler(
    conn: *mut connection,
    handler: ConnectionCallbackFunc,
    barrier: bool,
) -> Result<(), Errno> {
    // SAFETY: the caller vouches for both.
    unsafe {
        let before = core::mem::replace(&mut (*conn).write_handler, handler);
        if same(before, handler) {
            return Ok(());
        }
        if barrier {
            (*conn).flags |= CONN_FLAG_WRITE_BARRIER;
        } else {
            (*conn).flags &= !CONN_FLAG_WRITE_BARRIER;
        }
        if handler.is_none() {
            // A connect that is under way ends in the same event.
            if (*conn).state != CONN_STATE_CONNECTING {
                unwatch(conn, AE_WRITABLE);
            }
            return Ok(());
        }
        watch(conn, AE_WRITABLE).inspect_err(|_| (*conn).write_handler = before)
    }
}

fn same(a: ConnectionCallbackFunc, b: ConnectionCallbackFunc) -> bool {
    a.map(|f| f as usize) == b.map(|f| f as usize)
}

/// The event loop's callback: calls the connection's handlers.
///
/// # Safety
/// `data` is a live connection of this thread.
pub(super) unsafe extern "C" fn ae_handler(el: *mut aeEventLoop, _fd: c_int, data: *mut c_void, mask: c_int) {
    let conn = data.cast::<connection>();
    // SAFETY: the loop passes itself and what `watch` gave it, and a closed connection is watched no longer.
    unsafe {
        if let Some(el) = home::named(el) {
            event_loop::note_user(el);
        }
        if (*conn).state != CONN_STATE_CONNECTING || mask & AE_WRITABLE == 0 || connected(conn) {
            call_handlers(conn, mask);
        }
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

/// Ends a connect that was under way. False when the connection is gone.
///
/// # Safety
/// `conn` is a live connection of this thread.
unsafe fn connected(conn: *mut connection) -> bool {
    // SAFETY: the caller vouches for the connection.
    unsafe {
        match anet::take_error((*conn).fd) {
            0 => (*conn).state = CONN_STATE_CONNECTED,
            error => {
                (*conn).last_errno = error;
                (*conn).state = CONN_STATE_ERROR;
            }
        }
        if (*conn).write_handler.is_none() {
            unwatch(conn, AE_WRITABLE);
        }
        // Taken first: it may start another connect.
        let handler = (*conn).conn_handler.take();
        call_handler(conn, handler)
    }
}
