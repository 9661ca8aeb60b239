//! Connections over TLS: a socket's functions with a session in front of each.
//!
//! While the handshake is under way it alone decides what the descriptor is watched for. Afterwards the handlers do:
//! no handler, no interest. I/O threads may read and write, one at a time for each connection: `read` and `write` touch
//! no loop.

mod ahead;
mod announce;
mod buffer;
mod certificate;
mod ciphers;
mod context;
mod data;
mod events;
mod failure;
mod files;
mod handshake;
mod limits;
mod peer;
mod pending;
mod raw_session;
pub(crate) mod reload;
mod session;
pub(crate) mod settings;
mod store;
mod suites;
mod upstream;
mod verify;

pub(super) use announce::{has_pending, process_pending};
pub(crate) use context::{configure, is_configured};
pub(super) use data::writev;
#[allow(unused_imports)] // Each of them is asked for by some profiles.
pub(super) use events::{postpone, rebound, unbind, update_state};
#[allow(unused_imports)] // Likewise.
pub(super) use peer::{peer_name, peer_user};
pub(crate) use raw_session::RawSession;
pub(crate) use upstream::{configure_upstream, forget};

use super::home::{self, Allocated};
use super::socket::STREAM;
use super::{boxed, drop_fd, is_held, new_connection};
use crate::abi::ae::aeEventLoop;
use crate::abi::connect::connect_function;
use crate::abi::connection::*;
use crate::event_loop::memory::unbox;
use crate::event_loop::{LibraryTimer, Loop, LoopHandle};
use crate::host;
use crate::sys::errno::quietly;
use crate::sys::{Errno, memory};
use core::ffi::{CStr, c_char, c_int};
use core::ptr::{self, NonNull};
use failure::Failure;
use limits::Slot;
use rustls::client::UnbufferedClientConnection;
use rustls::server::UnbufferedServerConnection;
use session::Session;
use std::ffi::CString;
use upstream::configure_from_host;

/// A connection of the TLS type.
#[repr(C)]
pub(crate) struct TlsConnection {
    base: Allocated,
    /// None until a connect begins, and when there were no settings to make it from.
    session: Option<Box<Session>>,
    /// The last error that is not of the system's.
    error: Option<CString>,
    /// While the handshake of an accepted connection is under way.
    slot: Option<Slot>,
    /// When the handshake must have ended.
    timer: Option<LibraryTimer>,
    /// The socket of a connect is connected, and the handshake has begun.
    reached: bool,
    /// Another thread is using it: nothing changes in its loop until the state is updated.
    postponed: bool,
    place: pending::Place,
    /// It is not the next call's turn but the one's after it.
    deferred: bool,
}

/// The functions of the type that are the same in every profile.
pub(super) const TLS_STREAM: ConnectionType = ConnectionType {
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
    sync_write: Some(data::sync_write),
    sync_read: Some(data::sync_read),
    sync_readline: Some(data::sync_readline),
    ..STREAM
};

fn this(conn: *mut connection) -> *mut TlsConnection {
    conn.cast()
}

/// # Safety
/// `el` is NULL or a live loop.
unsafe fn new(
    ct: &'static ConnectionType,
    el: *mut aeEventLoop,
    fd: c_int,
    state: ConnectionState,
    session: Result<Option<Box<Session>>, Failure>,
) -> Result<NonNull<connection>, Errno> {
    let conn: NonNull<connection> = boxed(TlsConnection {
        // SAFETY: the caller vouches for the loop.
        base: unsafe { new_connection(ct, el, fd, state) },
        session: None,
        error: None,
        slot: None,
        timer: None,
        reached: false,
        postponed: false,
        place: pending::Place::default(),
        deferred: false,
    })?;
    // SAFETY: fresh and nobody else's.
    unsafe {
        match session {
            Ok(session) => (*this(conn.as_ptr())).session = session,
            Err(failure) => _ = fail(conn.as_ptr(), &failure),
        }
    }
    Ok(conn)
}

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
    unsafe { new(ct, el, fd, CONN_STATE_ACCEPTING, server_session(auth).map(Some)) }
}

fn server_session(auth: Option<c_int>) -> Result<Box<Session>, Failure> {
    let context = context::current().ok_or(Failure::Other("TLS is not configured"))?;
    let config = context.server(auth).map_err(Failure::Other)?;
    Ok(Box::new(Session::server(UnbufferedServerConnection::new(config)?)))
}

fn client_session(address: &CStr) -> Result<Box<Session>, Failure> {
    let context = context::current().ok_or(Failure::Other("TLS is not configured"))?;
    let (config, name) = context.client(&address.to_string_lossy()).map_err(Failure::Other)?;
    Ok(Box::new(Session::client(UnbufferedClientConnection::new(config, name)?)))
}

/// How many connections a listener of a loop may accept at once: `most`, or as many as there is room for, or one for which
/// another handshake gives way. None: none for a while.
#[allow(dead_code)] // Up to redis-7.0 the host accepts.
pub(crate) fn accepts(el: Loop, most: usize) -> Option<usize> {
    match most.min(limits::room()) {
        0 => limits::oldest(LoopHandle::of(el).number()).map(|_| 1),
        most => Some(most),
    }
}

/// # Safety
/// `conn` is a live connection of this type that no other thread uses.
unsafe fn fail(conn: *mut connection, failure: &Failure) -> Errno {
    // SAFETY: the caller vouches for the connection.
    unsafe {
        let errno = if let Failure::System(errno) = failure { *errno } else { Errno::EPROTO };
        let text = matches!(failure, Failure::Tls(_) | Failure::Other(_)).then(|| failure.to_string());
        (*this(conn)).error = text.and_then(|text| CString::new(text).ok());
        (*conn).last_errno = errno as c_int;
        (*conn).state = CONN_STATE_ERROR;
        errno
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
pub(super) unsafe fn shutdown(conn: *mut connection) {
    // SAFETY: the caller vouches for the connection.
    unsafe {
        say_goodbye(conn);
        // A socket that is not connected any more has nothing to shut down.
        let _ = crate::sys::socket::shutdown((*conn).fd);
    }
}

/// The peer's certificate as PEM, a string for the host's caller; NULL when there is none.
///
/// # Safety
/// `conn` is a live connection of this type and thread.
pub(crate) unsafe fn peer_certificate(conn: *mut connection) -> *mut c_char {
    // SAFETY: the caller vouches for the connection.
    let session = unsafe { (*this(conn)).session.as_ref() };
    let pem = session.and_then(|session| session.peer_certificate()).and_then(files::to_pem);
    pem.map_or(ptr::null_mut(), |pem| owned_string(pem.as_bytes()))
}

/// A string for the host's caller.
fn owned_string(bytes: &[u8]) -> *mut c_char {
    match host::new_string() {
        // SAFETY: the host vouches for its hook.
        Some(new_string) => unsafe { new_string(bytes.as_ptr().cast(), bytes.len()) },
        None => memory::string(bytes),
    }
}
