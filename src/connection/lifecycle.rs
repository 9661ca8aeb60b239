//! Connections made, accepted and freed.

use super::handle::Conn;
use super::handlers::{call_handler, held, is_held};
use super::home::{self, Allocated, Home};
use super::watch::drop_fd;
use crate::abi::connection::*;
use crate::event_loop::Loop;
use crate::host::memory;
use crate::sys::Errno;
use crate::sys::errno::call;
use core::ffi::c_int;
use core::ptr::{self, NonNull};

/// A new connection of a type, over `fd` or -1, which is of the loop `el`, if that is known.
pub(crate) fn create(
    ct: &'static ConnectionType,
    el: Option<Loop>,
    fd: c_int,
    state: ConnectionState,
) -> Result<Conn, Errno> {
    // SAFETY: an `Allocated` itself.
    unsafe { boxed(new_connection(ct, el, fd, state)) }
}

/// [`create`] for C callers.
pub(crate) fn created(
    ct: &'static ConnectionType,
    el: Option<Loop>,
    fd: c_int,
    state: ConnectionState,
) -> *mut connection {
    call(ptr::null_mut(), || create(ct, el, fd, state).map(Conn::as_ptr))
}

/// Puts a new connection into memory of its own.
///
/// # Safety
/// `value` begins with an [`Allocated`].
pub(super) unsafe fn boxed<T>(value: T) -> Result<Conn, Errno> {
    let conn = memory::boxed(value)?.cast();
    // SAFETY: fresh.
    let conn = unsafe { Conn::new(conn.as_ptr()) };
    // SAFETY: an `Allocated`.
    unsafe { home::set_mark(conn) };
    Ok(conn)
}

/// What [`create`] boxes, for a type whose connections hold more behind it.
pub(super) fn new_connection(
    ct: &'static ConnectionType,
    el: Option<Loop>,
    fd: c_int,
    state: ConnectionState,
) -> Allocated {
    home::note_type(ct);
    let mut base: connection = memory::zeroed();
    base.r#type = ptr::from_ref(ct).cast_mut();
    base.fd = fd;
    base.state = state;
    base.prepare(el.map_or(ptr::null_mut(), Loop::as_ptr), crate::sys::socket::max_iovecs());
    Allocated { base, home: Home::of(el), accept_data: ptr::null_mut() }
}

/// Ends the accept of a connection over a socket, and runs its handler. Ok(false) when that has closed the connection:
/// then the caller frees it.
pub(super) fn accept(conn: Conn, handler: ConnectionCallbackFunc) -> Result<bool, Errno> {
    if conn.state() != CONN_STATE_ACCEPTING {
        return Err(Errno::EINVAL);
    }
    conn.set_state(CONN_STATE_CONNECTED);
    Ok(held(conn, |conn| call_handler(conn, handler)))
}

/// Closes a connection: now, or when its last running handler returns.
///
/// # Safety
/// Nobody touches it afterwards, except a handler of its own that is running. If no such handler is, it came from
/// [`create`], or from the program's allocator for its own type.
pub(super) unsafe fn close(conn: Conn) {
    drop_fd(conn);
    if !is_held(conn) {
        home::forget(conn);
        // SAFETY: nobody touches it afterwards.
        unsafe { memory::release(NonNull::new_unchecked(conn.as_ptr())) };
    }
}
