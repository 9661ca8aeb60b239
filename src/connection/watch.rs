//! What the event loop watches a connection's descriptor for.

use super::home::{self, client_data, loop_of};
use crate::abi::ae::*;
use crate::abi::connection::*;
use crate::event_loop;
use crate::sys::{Errno, fd};
use core::ffi::c_int;

/// Watches the connection's descriptor for more.
///
/// # Safety
/// `conn` is a live connection of this thread.
pub(super) unsafe fn watch(conn: *mut connection, mask: c_int) -> Result<(), Errno> {
    // SAFETY: the caller vouches for the connection, which is the client data until its descriptor is dropped;
    // the type's handler is a function of that kind.
    unsafe {
        let handler = (*(*conn).r#type).ae_handler.ok_or(Errno::EINVAL)? as *mut aeFileProc;
        let el = loop_of(conn)?;
        event_loop::create_file_event(el, (*conn).fd, mask, handler, client_data(conn))?;
        home::registered(conn, el);
        Ok(())
    }
}
/// Stops watching the connection's descriptor for `mask`.
///
/// # Safety
/// `conn` is a live connection of this thread.
pub(super) unsafe fn unwatch(conn: *mut connection, mask: c_int) {
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
pub(super) unsafe fn drop_fd(conn: *mut connection) {
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
