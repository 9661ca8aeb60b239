//! Connections over TLS: a socket's functions with a session in front of each.
//!
//! While the handshake is under way it alone decides what the descriptor is watched for. Afterwards the handlers do:
//! no handler, no interest. I/O threads may read and write, one at a time for each connection: `read` and `write` touch
//! no loop.

mod buffer;
mod ciphers;
mod context;
mod data;
mod events;
mod files;
mod handshake;
mod limits;
mod pending;
mod raw_session;
mod session;
pub(crate) mod settings;
mod store;
mod verify;

pub(crate) use context::{configure, forget, is_configured};
pub(super) use data::writev;
#[allow(unused_imports)] // Each of the last four is asked for by some profiles.
pub(super) use events::{has_pending, postpone, process_pending, rebound, unbind, update_state};
pub(crate) use raw_session::RawSession;

use super::socket::STREAM;
use super::{drop_fd, is_held, new_connection};
use crate::abi::ae::aeEventLoop;
use crate::abi::connection::*;
use crate::abi::host::LIBAE_LOG_WARNING;
use crate::abi::tls_upstream::redisTLSContextConfig;
use crate::event_loop;
use crate::event_loop::memory::{boxed, unbox};
use crate::host;
use crate::sys::errno::quietly;
use crate::sys::{Errno, memory};
use core::ffi::{CStr, c_char, c_int, c_longlong};
use core::ptr::{self, NonNull};
use limits::Slot;
use rustls::client::UnbufferedClientConnection;
use rustls::server::UnbufferedServerConnection;
use session::{Failure, Session};
use settings::TlsConfig;
use std::ffi::CString;

/// A connection of the TLS type.
#[repr(C)]
pub(crate) struct TlsConnection {
    base: connection,
    /// None until a connect begins, and when there were no settings to make it from.
    session: Option<Box<Session>>,
    /// The last error that is not of the system's.
    error: Option<CString>,
    /// While the handshake of an accepted connection is under way.
    slot: Option<Slot>,
    /// When the handshake must have ended: the loop and the id of a time event.
    timer: Option<(*mut aeEventLoop, c_longlong)>,
    /// The socket of a connect is connected, and the handshake has begun.
    reached: bool,
    /// Another thread is using it: nothing changes in its loop until the state is updated.
    postponed: bool,
    place: pending::Place,
    /// Under which home it waits, unless connections know their loop.
    home: usize,
}

/// The functions of the type that are the same in every profile.
pub(super) const TLS_STREAM: ConnectionType = ConnectionType {
    ae_handler: Some(events::ae_handler),
    close: Some(close),
    accept: Some(handshake::accept),
    connect: Some(handshake::connect),
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

/// Takes the host's settings, if it has some and there are none yet.
fn configure_from_host() {
    if !is_configured()
        && let Some(config) = NonNull::new(host::tls_context_config().cast::<redisTLSContextConfig>())
    {
        // SAFETY: the host vouches for its hook.
        let _ = unsafe { configure_upstream(config.as_ref()) };
    }
}

/// Puts upstream's structure in force; why it cannot be is logged.
///
/// # Safety
/// The strings in it are NULL or valid.
pub(crate) unsafe fn configure_upstream(config: &redisTLSContextConfig) -> Result<(), Errno> {
    // SAFETY: the caller vouches for the strings.
    let config = unsafe { TlsConfig::from_upstream(config) };
    config.and_then(|config| configure(&config)).map_err(|error| {
        event_loop::log(LIBAE_LOG_WARNING, format_args!("{error}"));
        Errno::EINVAL
    })
}

fn new(
    ct: &'static ConnectionType,
    el: *mut aeEventLoop,
    fd: c_int,
    state: ConnectionState,
    session: Result<Option<Box<Session>>, Failure>,
) -> Result<NonNull<connection>, Errno> {
    let conn = boxed(TlsConnection {
        base: new_connection(ct, el, fd, state),
        session: None,
        error: None,
        slot: None,
        timer: None,
        reached: false,
        postponed: false,
        place: pending::Place::default(),
        home: pending::thread(),
    })?;
    // SAFETY: fresh and nobody else's.
    unsafe {
        match session {
            Ok(session) => (*conn.as_ptr()).session = session,
            Err(failure) => _ = fail(conn.as_ptr().cast(), &failure),
        }
    }
    Ok(conn.cast())
}

/// A new connection to be connected.
pub(crate) fn create(ct: &'static ConnectionType, el: *mut aeEventLoop) -> Result<NonNull<connection>, Errno> {
    configure_from_host();
    new(ct, el, -1, CONN_STATE_NONE, Ok(None))
}

/// A new connection over an accepted descriptor; `auth` says whether the client is asked for its certificate, None
/// leaves that to the settings. Without settings the connection is there, in `CONN_STATE_ERROR`.
pub(crate) fn create_accepted(
    ct: &'static ConnectionType,
    el: *mut aeEventLoop,
    fd: c_int,
    auth: Option<c_int>,
) -> Result<NonNull<connection>, Errno> {
    configure_from_host();
    new(ct, el, fd, CONN_STATE_ACCEPTING, server_session(auth).map(Some))
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

/// How many connections a listener may accept at once: `most`, unless so many handshakes are under way that the listener
/// has to rest first.
#[allow(dead_code)] // Up to redis-7.0 the host accepts.
pub(crate) fn accepts(most: usize) -> Option<usize> {
    Some(most.min(limits::room())).filter(|most| *most > 0)
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
    match (pem, host::new_string()) {
        (None, _) => ptr::null_mut(),
        // SAFETY: the host vouches for its hook.
        (Some(pem), Some(new_string)) => unsafe { new_string(pem.as_ptr().cast(), pem.len()) },
        (Some(pem), None) => memory::string(pem.as_bytes()),
    }
}
