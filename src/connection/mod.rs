//! Connections: what every type shares.
//!
//! A connection is freed by its type's `close`, but never while one of its handlers runs: then `refs` is above
//! 0, the close is noted in `flags`, and whoever called the handler frees it. As in the event loop, no
//! reference to a connection is alive while a handler runs.

mod events;
pub(crate) mod listener;
#[cfg(not(abi_v1))]
pub(crate) mod registry;
pub(crate) mod socket;
mod sync;
#[cfg(feature = "tls")]
pub(crate) mod tls;
#[cfg(abi_v1)]
#[path = "types_v1.rs"]
pub(crate) mod types;
#[cfg(not(abi_v1))]
#[path = "types_v2.rs"]
pub(crate) mod types;
mod unix;

use crate::abi::ae::{AE_READABLE, AE_WRITABLE, aeEventLoop};
use crate::abi::connection::*;
use crate::event_loop::{self, memory};
use crate::host;
use crate::sys::errno::call;
use crate::sys::{Errno, fd};
use core::ffi::{c_int, c_void};
use core::ptr::NonNull;

/// A new connection of a type, over `fd` or -1; `el` is its loop where connections know theirs.
pub(crate) fn create(
    ct: &'static ConnectionType,
    el: *mut aeEventLoop,
    fd: c_int,
    state: ConnectionState,
) -> Result<NonNull<connection>, Errno> {
    memory::boxed(new_connection(ct, el, fd, state))
}

/// The same for a type whose connections hold more behind it.
fn new_connection(ct: &'static ConnectionType, el: *mut aeEventLoop, fd: c_int, state: ConnectionState) -> connection {
    let mut conn: connection = memory::zeroed();
    conn.r#type = core::ptr::from_ref(ct).cast_mut();
    conn.fd = fd;
    conn.state = state;
    conn.prepare(el, crate::sys::socket::max_iovecs());
    conn
}

/// The loop for the events of a connection's descriptor: the connection's own where connections know theirs; else the
/// one that the host names, the one where they are registered already, this thread's newest.
///
/// # Safety
/// `conn` is a live connection of this thread.
unsafe fn loop_of(conn: *mut connection) -> Result<*mut aeEventLoop, Errno> {
    // SAFETY: the caller vouches for the connection, whose thread's loops are live.
    let el = unsafe {
        (*conn)
            .own_loop()
            .or_else(host::current_loop)
            .unwrap_or_else(|| event_loop::current_for((*conn).fd, Some(client_data(conn))))
    };
    if el.is_null() { Err(Errno::EINVAL) } else { Ok(el) }
}

/// Stops watching the connection's descriptor for `mask`.
///
/// # Safety
/// `conn` is a live connection of this thread.
unsafe fn unwatch(conn: *mut connection, mask: c_int) {
    // SAFETY: the caller vouches for the connection.
    unsafe {
        if let Ok(el) = loop_of(conn) {
            event_loop::delete_file_event(el, (*conn).fd, mask);
        }
    }
}

/// Stops watching the connection's descriptor and closes it.
///
/// # Safety
/// `conn` is a live connection of this thread.
unsafe fn drop_fd(conn: *mut connection) {
    // SAFETY: the caller vouches for the connection.
    unsafe {
        if (*conn).fd == -1 {
            return;
        }
        unwatch(conn, AE_READABLE | AE_WRITABLE);
        // The descriptor is gone whatever it answers.
        let _ = fd::close(core::mem::replace(&mut (*conn).fd, -1));
    }
}

/// Closes a connection: now, or when its last running handler returns.
///
/// # Safety
/// `conn` is a live connection of this thread that came from [`create`]; it is gone afterwards.
pub(crate) unsafe fn close(conn: *mut connection) {
    // SAFETY: the caller vouches for the connection.
    unsafe {
        drop_fd(conn);
        if !is_held(conn) {
            memory::release(NonNull::new_unchecked(conn));
        }
    }
}

/// Whether a closed connection is still in use by a running handler: then it is noted that it has been closed.
///
/// # Safety
/// `conn` is a live connection of this thread.
unsafe fn is_held(conn: *mut connection) -> bool {
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
unsafe fn call_handler(conn: *mut connection, handler: ConnectionCallbackFunc) -> bool {
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

/// Notes why an operation failed. The connection is broken, unless it was only interrupted.
///
/// # Safety
/// `conn` is a live connection of this thread.
unsafe fn note_error(conn: *mut connection, errno: Errno) {
    // SAFETY: the caller vouches for the connection.
    unsafe {
        (*conn).last_errno = errno as c_int;
        if errno != Errno::EINTR && (*conn).state == CONN_STATE_CONNECTED {
            (*conn).state = CONN_STATE_ERROR;
        }
    }
}

/// For the functions of a type's table that return `C_OK`, or `C_ERR` with errno.
fn status(body: impl FnOnce() -> Result<(), Errno>) -> c_int {
    call(C_ERR, || body().map(|()| C_OK))
}

/// For the functions that create a connection for C callers.
pub(crate) fn created(
    ct: &'static ConnectionType,
    el: *mut aeEventLoop,
    fd: c_int,
    state: ConnectionState,
) -> *mut connection {
    call(core::ptr::null_mut(), || create(ct, el, fd, state).map(NonNull::as_ptr))
}

/// The client data under which a connection's descriptor is registered.
fn client_data(conn: *mut connection) -> *mut c_void {
    conn.cast()
}
