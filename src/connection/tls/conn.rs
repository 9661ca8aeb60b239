//! A connection over TLS: what it holds in addition to a plain connection, its handle, and how it fails.

use super::config::contexts::OwnContext;
use super::failure::Failure;
use super::pending;
use super::permits::Permit;
use super::session::Session;
use crate::abi::connection::*;
use crate::connection::handle::Conn;
use crate::connection::home::Allocated;
use crate::connection::lifecycle::{boxed, new_connection};
use crate::event_loop::{LibraryTimer, Loop, LoopId};
use crate::sys::Errno;
use core::ffi::{c_char, c_int};
use core::ops::Deref;
use core::ptr::NonNull;
use std::ffi::CString;
use std::sync::Arc;

/// A connection of the TLS type.
#[repr(C)]
pub(crate) struct TlsConnection {
    base: Allocated,
    /// None until a connect begins, and if TLS was not configured then.
    session: Option<Box<Session>>,
    /// The settings that it has been given; None: the process's.
    context: Option<Arc<OwnContext>>,
    /// The text of the last error that is not the system's.
    error: Option<CString>,
    /// Held while the handshake of an accepted connection is under way.
    permit: Option<Permit>,
    /// Ends a handshake that takes too long.
    timer: Option<LibraryTimer>,
    /// Held while the handshake of a connection that was connected by name is under way: a loop, which tells of its end,
    /// and the number of the request there.
    request: Option<(LoopId, i64)>,
    /// The socket is connected, and the handshake has begun.
    reached: bool,
    /// Another thread is using the connection: its loop is not touched until the state is updated.
    postponed: bool,
    place: pending::Listing,
    /// The next call that serves waiting connections skips it, once.
    deferred: bool,
}

/// The handle of a connection of the TLS type; see [`Conn`].
#[derive(Clone, Copy)]
pub(crate) struct TlsConn(Conn);

impl Deref for TlsConn {
    type Target = Conn;

    fn deref(&self) -> &Conn {
        &self.0
    }
}

/// A getter and a setter for each flag.
macro_rules! flags {
    ($($flag:ident, $set:ident;)*) => {
        impl TlsConn {
            $(
                pub(super) fn $flag(self) -> bool {
                    // SAFETY: live, and this thread's.
                    unsafe { (*self.own()).$flag }
                }

                pub(super) fn $set(self, on: bool) {
                    // SAFETY: live, and this thread's.
                    unsafe { (*self.own()).$flag = on };
                }
            )*
        }
    };
}

flags! {
    reached, set_reached;
    postponed, set_postponed;
    deferred, set_deferred;
}

impl TlsConn {
    /// # Safety
    /// As for [`Conn::new`]; the connection is of the TLS type.
    pub(crate) unsafe fn new(conn: *mut connection) -> Self {
        // SAFETY: live and this thread's.
        Self(unsafe { Conn::new(conn) })
    }

    /// A new connection of the loop `el`, if that is known. Without a session it is in `CONN_STATE_ERROR`.
    pub(super) fn create(
        ct: &'static ConnectionType,
        el: Option<Loop>,
        fd: c_int,
        state: ConnectionState,
        session: Result<Option<Box<Session>>, Failure>,
    ) -> Result<Self, Errno> {
        // SAFETY: it begins with an `Allocated`.
        let base = unsafe {
            boxed(TlsConnection {
                base: new_connection(ct, el, fd, state),
                session: None,
                context: None,
                error: None,
                permit: None,
                timer: None,
                request: None,
                reached: false,
                postponed: false,
                place: pending::Listing::default(),
                deferred: false,
            })?
        };
        let conn = Self(base);
        match session {
            Ok(session) => conn.set_session(session),
            Err(failure) => _ = conn.fail(&failure),
        }
        Ok(conn)
    }

    fn own(self) -> *mut TlsConnection {
        self.as_ptr().cast()
    }

    /// The connection with what it holds, to be freed.
    pub(super) fn whole(self) -> NonNull<TlsConnection> {
        // SAFETY: a handle is never NULL.
        unsafe { NonNull::new_unchecked(self.own()) }
    }

    /// # Safety
    /// The reference ends before a handler runs, and before the session is replaced or asked for again.
    pub(super) unsafe fn session<'a>(self) -> Option<&'a mut Session> {
        // SAFETY: live, and this thread's.
        unsafe { (*self.own()).session.as_deref_mut() }
    }

    pub(super) fn set_session(self, session: Option<Box<Session>>) {
        // SAFETY: live, and this thread's.
        unsafe { (*self.own()).session = session };
    }

    /// The settings that it has been given.
    pub(super) fn context(self) -> Option<Arc<OwnContext>> {
        // SAFETY: live, and this thread's.
        unsafe { (*self.own()).context.clone() }
    }

    pub(super) fn set_context(self, context: Option<Arc<OwnContext>>) {
        // SAFETY: live, and this thread's.
        unsafe { (*self.own()).context = context };
    }

    /// The text of the last error, unless it is the system's.
    pub(super) fn error(self) -> Option<*const c_char> {
        // SAFETY: live, and this thread's.
        unsafe { (*self.own()).error.as_ref().map(|text| text.as_ptr()) }
    }

    /// A copy of that text.
    pub(in crate::connection) fn error_text(self) -> Option<String> {
        // SAFETY: live, and this thread's; the reference ends here.
        unsafe { (*self.own()).error.as_ref().map(|text| text.to_string_lossy().into_owned()) }
    }

    pub(super) fn clear_error(self) {
        // SAFETY: live, and this thread's.
        unsafe { (*self.own()).error = None };
    }

    pub(super) fn has_permit(self) -> bool {
        // SAFETY: live, and this thread's.
        unsafe { (*self.own()).permit.is_some() }
    }

    pub(super) fn set_permit(self, permit: Option<Permit>) {
        // SAFETY: live, and this thread's.
        unsafe { (*self.own()).permit = permit };
    }

    /// Its handshake goes on in another loop, or for 0 in none.
    #[allow(dead_code)] // Only Redis 8 asks for it.
    pub(super) fn move_permit(self, el: u64) {
        // SAFETY: live, and this thread's.
        if let Some(permit) = unsafe { &(*self.own()).permit } {
            permit.moved(el);
        }
    }

    pub(super) fn has_timer(self) -> bool {
        // SAFETY: live, and this thread's.
        unsafe { (*self.own()).timer.is_some() }
    }

    pub(super) fn replace_timer(self, timer: Option<LibraryTimer>) -> Option<LibraryTimer> {
        // SAFETY: live, and this thread's.
        unsafe { core::mem::replace(&mut (*self.own()).timer, timer) }
    }

    pub(super) fn replace_request(self, request: Option<(LoopId, i64)>) -> Option<(LoopId, i64)> {
        // SAFETY: live, and this thread's.
        unsafe { core::mem::replace(&mut (*self.own()).request, request) }
    }

    /// Whether it is listed among those that hold data no poll will announce.
    pub(super) fn is_listed(self) -> bool {
        // SAFETY: live, and this thread's.
        unsafe { (*self.own()).place.is_taken() }
    }

    /// Lists it under its loop.
    pub(super) fn list(self, el: u64) {
        // SAFETY: live, and this thread's.
        unsafe { (*self.own()).place.enter(el, self.as_ptr()) };
    }

    pub(super) fn unlist(self) {
        // SAFETY: live, and this thread's.
        unsafe { (*self.own()).place.leave() };
    }

    /// The connection is broken. Returns what to tell a C caller.
    pub(super) fn fail(self, failure: &Failure) -> Errno {
        let errno = if let Failure::System(errno) = failure { *errno } else { Errno::EPROTO };
        let text = matches!(failure, Failure::Tls(_) | Failure::Other(_)).then(|| failure.to_string());
        // SAFETY: live, and this thread's.
        unsafe { (*self.own()).error = text.and_then(|text| CString::new(text).ok()) };
        self.set_error(errno as c_int);
        errno
    }
}
