//! Connections made and freed.

use super::handlers::is_held;
use super::home::{self, Allocated, Home};
use super::watch::drop_fd;
use crate::abi::ae::aeEventLoop;
use crate::abi::connection::*;
use crate::event_loop::memory;
use crate::sys::Errno;
use crate::sys::errno::call;
use core::ffi::c_int;
use core::ptr::NonNull;

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

/// Puts what begins with [`Allocated`] into memory of its own.
pub(super) fn boxed<T>(value: T) -> Result<NonNull<connection>, Errno> {
    let conn = memory::boxed(value)?.cast();
    // SAFETY: fresh, and an `Allocated`.
    unsafe { home::set_mark(conn.as_ptr()) };
    Ok(conn)
}

/// What [`create`] boxes, for a type whose connections hold more behind it.
///
/// # Safety
/// As for [`create`].
pub(super) unsafe fn new_connection(
    ct: &'static ConnectionType,
    el: *mut aeEventLoop,
    fd: c_int,
    state: ConnectionState,
) -> Allocated {
    home::note_type(ct);
    let mut base: connection = memory::zeroed();
    base.r#type = core::ptr::from_ref(ct).cast_mut();
    base.fd = fd;
    base.state = state;
    base.prepare(el, crate::sys::socket::max_iovecs());
    // SAFETY: the caller vouches for the loop.
    Allocated { base, home: unsafe { Home::of(el) } }
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
