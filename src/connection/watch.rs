//! What the event loop watches a connection's descriptor for.

use super::asked;
use super::handle::Conn;
use super::home::{self, loop_of};
use crate::abi::ae::*;
use crate::event_loop;
use crate::sys::{Errno, fd};
use core::ffi::c_int;

/// What the connection's handlers want to hear of.
pub(super) fn wanted(conn: Conn) -> c_int {
    let readable = if conn.read_handler().is_some() { AE_READABLE } else { AE_NONE };
    let writable = if conn.write_handler().is_some() { AE_WRITABLE } else { AE_NONE };
    readable | writable
}

/// Watches the connection's descriptor for more: later if it waits for one, since then its handlers are asked.
pub(super) fn watch(conn: Conn, mask: c_int) -> Result<(), Errno> {
    if asked::is_waiting(conn) {
        return Ok(());
    }
    let handler = conn.of_type(|ct| ct.ae_handler).ok_or(Errno::EINVAL)? as *mut aeFileProc;
    let el = loop_of(conn)?;
    // SAFETY: the handler is the connection's own type's, and the connection, its client data, is watched no
    // longer when its descriptor is dropped.
    unsafe { event_loop::create_file_event(el, conn.fd(), mask, handler, conn.client_data())? };
    home::registered(conn, el);
    Ok(())
}

/// Stops watching the connection's descriptor for `mask`.
pub(super) fn unwatch(conn: Conn, mask: c_int) {
    if !asked::is_waiting(conn)
        && let Ok(el) = loop_of(conn)
    {
        event_loop::delete_file_event(el, conn.fd(), mask);
        home::unregistered(conn, el);
    }
}

/// Stops watching the connection's descriptor and closes it; one that waits for a descriptor gets none.
pub(super) fn drop_fd(conn: Conn) {
    if conn.fd() == -1 {
        return asked::cancel(conn);
    }
    unwatch(conn, AE_READABLE | AE_WRITABLE);
    let fd = conn.fd();
    conn.set_fd(-1);
    // The descriptor is gone whatever it answers.
    let _ = fd::close(fd);
}
