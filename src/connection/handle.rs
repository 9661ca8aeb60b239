//! The handle of a connection.

use crate::abi::ae::aeEventLoop;
use crate::abi::connection::*;
use core::ffi::{c_int, c_short, c_void};
use core::ptr::NonNull;

/// A live connection that is this thread's to use. Its members are read and written one by one: no reference to a
/// connection is alive while one of its handlers runs, which may change or close it.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
pub(crate) struct Conn(NonNull<connection>);

/// A getter and a setter for each member.
macro_rules! members {
    ($($member:ident, $set:ident: $kind:ty;)*) => {
        impl Conn {
            $(
                #[inline(always)]
                pub(crate) fn $member(self) -> $kind {
                    // SAFETY: live, and this thread's.
                    unsafe { (*self.as_ptr()).$member }
                }

                #[inline(always)]
                pub(crate) fn $set(self, value: $kind) {
                    // SAFETY: live, and this thread's.
                    unsafe { (*self.as_ptr()).$member = value };
                }
            )*
        }
    };
}

members! {
    state, set_state: ConnectionState;
    last_errno, set_last_errno: c_int;
    fd, set_fd: c_int;
    flags, set_flags: c_short;
    refs, set_refs: c_short;
    private_data, set_private_data: *mut c_void;
    conn_handler, set_conn_handler: ConnectionCallbackFunc;
    write_handler, set_write_handler: ConnectionCallbackFunc;
    read_handler, set_read_handler: ConnectionCallbackFunc;
}

impl Conn {
    /// # Safety
    /// `conn` is a live connection, which no other thread uses meanwhile. It stays live while the handle and its copies
    /// are used: after a handler that may have closed it, they no longer are. Its type is NULL or a table, and its
    /// handlers may be called with it.
    #[inline(always)]
    pub(crate) unsafe fn new(conn: *mut connection) -> Self {
        // SAFETY: live, so not NULL.
        Self(unsafe { NonNull::new_unchecked(conn) })
    }

    #[inline(always)]
    pub(crate) fn as_ptr(self) -> *mut connection {
        self.0.as_ptr()
    }

    /// The client data under which the connection's descriptor is registered.
    pub(crate) fn client_data(self) -> *mut c_void {
        self.as_ptr().cast()
    }

    pub(crate) fn r#type(self) -> *mut ConnectionType {
        // SAFETY: live, and this thread's.
        unsafe { (*self.as_ptr()).r#type }
    }

    /// What `pick` finds in the connection's type.
    #[inline(always)]
    pub(crate) fn of_type<F>(self, pick: impl FnOnce(&ConnectionType) -> Option<F>) -> Option<F> {
        // SAFETY: NULL or a table, and the reference ends before anybody else runs.
        unsafe { self.r#type().as_ref() }.and_then(pick)
    }

    /// The loop that the connection knows: Some where connections do, and then it may be NULL.
    pub(crate) fn own_loop(self) -> Option<*mut aeEventLoop> {
        // SAFETY: live, and this thread's.
        unsafe { (*self.as_ptr()).own_loop() }
    }

    /// Stores the loop, NULL for none, where connections know theirs.
    pub(crate) fn set_own_loop(self, el: *mut aeEventLoop) {
        // SAFETY: live, and this thread's.
        unsafe { (*self.as_ptr()).set_own_loop(el) };
    }

    pub(crate) fn has_flag(self, flag: c_short) -> bool {
        self.flags() & flag != 0
    }

    pub(crate) fn set_flag(self, flag: c_short, on: bool) {
        self.set_flags(if on { self.flags() | flag } else { self.flags() & !flag });
    }

    /// The connection is broken.
    pub(crate) fn set_error(self, errno: c_int) {
        self.set_last_errno(errno);
        self.set_state(CONN_STATE_ERROR);
    }
}
