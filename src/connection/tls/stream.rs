//! The functions of the type, and how its connections come and go.

use super::config::upstream::configure_from_host;
use super::conn::{new, this};
use super::data::{self, OverTls};
use super::session::Session;
use super::{events, handshake, permits};
use crate::abi::ae::aeEventLoop;
use crate::abi::connect::connect_function;
use crate::abi::connection::*;
use crate::connection::socket::STREAM;
use crate::connection::{drop_fd, home, is_held, sync};
use crate::event_loop::LoopHandle;
use crate::event_loop::memory::unbox;
use crate::sys::Errno;
use crate::sys::errno::quietly;
use core::ffi::{c_char, c_int};
use core::ptr::{self, NonNull};

/// The functions of the type that are the same in every profile.
pub(crate) const TLS_STREAM: ConnectionType = ConnectionType {
    ae_handler: Some(events::ae_handler),
    close: Some(close),
    accept: Some(handshake::accept),
    connect: Some(connect_function::<handshake::Tls>()),
    blocking_connect: Some(handshake::blocking_connect),
    write: Some(data::write),
    read: Some(data::read),
    set_write_handler: Some(events::set_write_handler),
    set_read_handler: Some(events::set_read_handler),
    get_last_error: Some(get_last_error),
    sync_write: Some(sync::write::<OverTls>),
    sync_read: Some(sync::read::<OverTls>),
    sync_readline: Some(sync::readline::<OverTls>),
    ..STREAM
};

/// A new connection to be connected, of the loop `el`, or NULL for not known.
///
/// # Safety
/// `el` is NULL or a live loop.
pub(crate) unsafe fn create(ct: &'static ConnectionType, el: *mut aeEventLoop) -> Result<NonNull<connection>, Errno> {
    configure_from_host();
    // SAFETY: the caller vouches for the loop.
    unsafe { new(ct, el, -1, CONN_STATE_NONE, Ok(None)) }
}

/// A new connection over an accepted descriptor; `auth` says whether the client is asked for its certificate, None
/// leaves that to the settings. Without settings the connection is there, in `CONN_STATE_ERROR`.
///
/// # Safety
/// As for [`create`].
pub(crate) unsafe fn create_accepted(
    ct: &'static ConnectionType,
    el: *mut aeEventLoop,
    fd: c_int,
    auth: Option<c_int>,
) -> Result<NonNull<connection>, Errno> {
    configure_from_host();
    // SAFETY: the caller vouches for the loop.
    unsafe { new(ct, el, fd, CONN_STATE_ACCEPTING, Session::server(auth).map(Some)) }
}

/// How many connections a listener of a loop may accept at once: `most`, or as many as there is room for, or one for which
/// another handshake gives way. None: none for a while.
///
/// # Safety
/// `el` is a live loop.
#[allow(dead_code)] // Up to redis-7.0 the host accepts.
pub(crate) unsafe fn accepts(el: *mut aeEventLoop, most: usize) -> Option<usize> {
    match most.min(permits::room()) {
        // SAFETY: the caller vouches for the loop.
        0 => permits::oldest(unsafe { LoopHandle::of(el) }.number()).map(|_| 1),
        most => Some(most),
    }
}

unsafe extern "C" fn get_last_error(conn: *mut connection) -> *const c_char {
    // SAFETY: called through a live connection's table.
    unsafe {
        match &(*this(conn)).error {
            Some(text) => text.as_ptr(),
            None => STREAM.get_last_error.map_or(ptr::null(), |get| get(conn)),
        }
    }
}

unsafe extern "C" fn close(conn: *mut connection) {
    // SAFETY: called through a live connection's table; it came from `new`.
    quietly(|| unsafe {
        handshake::end(conn);
        (*this(conn)).place.leave();
        say_goodbye(conn);
        drop_fd(conn);
        if !is_held(conn) {
            home::forget(conn);
            unbox(NonNull::new_unchecked(this(conn)));
        }
    });
}

/// # Safety
/// `conn` is a live connection of this type and thread.
unsafe fn say_goodbye(conn: *mut connection) {
    // SAFETY: the caller vouches for the connection; no handler runs here.
    unsafe {
        let fd = (*conn).fd;
        if fd != -1
            && let Some(session) = &mut (*this(conn)).session
        {
            session.close(fd);
        }
    }
}

/// Tells the peer that nothing more comes, and shuts the socket down.
///
/// # Safety
/// `conn` is a live connection of this type and thread.
#[allow(dead_code)] // Nobody asks for it up to redis-7.0.
pub(crate) unsafe fn shutdown(conn: *mut connection) {
    // SAFETY: the caller vouches for the connection.
    unsafe {
        say_goodbye(conn);
        // A socket that is not connected any more has nothing to shut down.
        let _ = crate::sys::socket::shutdown((*conn).fd);
    }
}
