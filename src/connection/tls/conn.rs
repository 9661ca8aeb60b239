//! A connection over TLS: what it holds beside the socket's, and how it fails.

use super::failure::Failure;
use super::pending;
use super::permits::Permit;
use super::session::Session;
use crate::abi::ae::aeEventLoop;
use crate::abi::connection::*;
use crate::connection::home::Allocated;
use crate::connection::{boxed, new_connection};
use crate::event_loop::LibraryTimer;
use crate::sys::Errno;
use core::ffi::c_int;
use core::ptr::NonNull;
use std::ffi::CString;

/// A connection of the TLS type.
#[repr(C)]
pub(crate) struct TlsConnection {
    base: Allocated,
    /// None until a connect begins, and when there were no settings to make it from.
    pub(super) session: Option<Box<Session>>,
    /// The last error that is not of the system's.
    pub(super) error: Option<CString>,
    /// While the handshake of an accepted connection is under way.
    pub(super) permit: Option<Permit>,
    /// When the handshake must have ended.
    pub(super) timer: Option<LibraryTimer>,
    /// The socket of a connect is connected, and the handshake has begun.
    pub(super) reached: bool,
    /// Another thread is using it: nothing changes in its loop until the state is updated.
    pub(super) postponed: bool,
    pub(super) place: pending::Place,
    /// It is not the next call's turn but the one's after it.
    pub(super) deferred: bool,
}

pub(super) fn this(conn: *mut connection) -> *mut TlsConnection {
    conn.cast()
}

/// # Safety
/// `el` is NULL or a live loop.
pub(super) unsafe fn new(
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
        permit: None,
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

/// # Safety
/// `conn` is a live connection of this type that no other thread uses.
pub(super) unsafe fn fail(conn: *mut connection, failure: &Failure) -> Errno {
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
