//! Connections: what every type shares.
//!
//! A connection is freed by its type's `close`, but never while one of its handlers runs: then `refs` is above
//! 0, the close is noted in `flags`, and whoever called the handler frees it. As in the event loop, no
//! reference to a connection is alive while a handler runs.

mod events;
mod home;
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

pub(crate) use home::make_safe_apis;

use crate::abi::ae::{AE_READABLE, AE_WRITABLE, aeEventLoop};
use crate::abi::connection::*;
use crate::event_loop::{self, memory};
use crate::sys::errno::call;
use crate::sys::{Errno, fd};
use core::ffi::{c_int, c_void};
use core::ptr::NonNull;
use home::{Allocated, Home, loop_of};

/// A new connection of a type, over `fd` or -1, which is of the loop `el`, or NULL for not known.
///
/// # Safety
/// `el` is NULL or a live loop.
pub(crate) unsafe fn create(
    ct: &'static ConnectionType,
    el: *mut aeEventLoop,
    fd: c_int,
    state: ConnectionState,
) -> Result<NonNull<connection>, Errno> {
    // SAFETY: the caller vouches for the loop.
    boxed(unsafe { new_connection(ct, el, fd, state) })
}

/// Puts what begins with [`Allocated`] into memory of its own.
fn boxed<T>(value: T) -> Result<NonNull<connection>, Errno> {
    let conn = memory::boxed(value)?.cast();
    // SAFETY: fresh, and an `Allocated`.
    unsafe { home::set_mark(conn.as_ptr()) };
    Ok(conn)
}

/// What [`create`] boxes, for a type whose connections hold more behind it.
///
/// # Safety
/// As for [`create`].
unsafe fn new_connection(
    ct: &'static ConnectionType,
    el: *mut aeEventLoop,
    fd: c_int,
    state: ConnectionState,
) -> Allocated {
    let mut base: connection = memory::zeroed();
    base.r#type = core::ptr::from_ref(ct).cast_mut();
    base.fd = fd;
    base.state = state;
    base.prepare(el, crate::sys::socket::max_iovecs());
    // SAFETY: the caller vouches for the loop.
    Allocated { base, home: Home::of(unsafe { home::named(el) }) }
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
            home::unregistered(conn, el);
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
            home::forget(conn);
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
///
/// # Safety
/// As for [`create`].
pub(crate) unsafe fn created(
    ct: &'static ConnectionType,
    el: *mut aeEventLoop,
    fd: c_int,
    state: ConnectionState,
) -> *mut connection {
    // SAFETY: the caller vouches for the loop.
    call(core::ptr::null_mut(), || unsafe { create(ct, el, fd, state) }.map(NonNull::as_ptr))
}

/// The client data under which a connection's descriptor is registered.
fn client_data(conn: *mut connection) -> *mut c_void {
    conn.cast()
}
