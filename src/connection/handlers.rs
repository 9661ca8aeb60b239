//! Handlers called, and connections that are closed meanwhile.
//!
//! A connection is freed by its type's `close`, but never while one of its handlers runs: then `refs` is above 0, the
//! close is noted in `flags`, and whoever called the handler frees it. As in the event loop, no reference to a
//! connection is alive while a handler runs.

use super::handle::Conn;
use crate::abi::ae::{AE_READABLE, AE_WRITABLE};
use crate::abi::connection::*;
use crate::event_loop::{LoopId, breaks_off};
use core::ffi::c_int;

/// Whether a connection that is being closed is still in use by a running handler: then the close is noted.
pub(super) fn is_held(conn: Conn) -> bool {
    let is_held = conn.refs() > 0;
    if is_held {
        conn.set_flag(CONN_FLAG_CLOSE_SCHEDULED, true);
    }
    is_held
}

/// Runs a handler. False when the connection was closed meanwhile: then it is no longer touched.
#[must_use]
pub(super) fn call_handler(conn: Conn, handler: ConnectionCallbackFunc) -> bool {
    conn.set_refs(conn.refs() + 1);
    if let Some(handler) = handler {
        // SAFETY: it is the connection's own, and no reference to that is alive. `refs` keeps the connection meanwhile.
        unsafe { handler(conn.as_ptr()) };
    }
    conn.set_refs(conn.refs() - 1);
    if !conn.has_flag(CONN_FLAG_CLOSE_SCHEDULED) {
        return true;
    }
    if conn.refs() == 0
        && let Some(close) = conn.of_type(|ct| ct.close)
    {
        // SAFETY: its own type's, which frees it: nobody touches it afterwards.
        unsafe { close(conn.as_ptr()) };
    }
    false
}

/// Lets `call` run a handler, for a caller who frees the connection if the handler has closed it. False when it has.
pub(super) fn held(conn: Conn, call: impl FnOnce(Conn) -> bool) -> bool {
    // That caller's count, besides the running handler's.
    conn.set_refs(conn.refs() + 1);
    let is_open = call(conn);
    conn.set_refs(conn.refs() - 1);
    is_open
}

/// Whether there is more to deliver after a handler, in a call inside a loop, if there is one: it is neither deleted nor
/// breaks off.
///
/// # Safety
/// The loop is this thread's.
pub(super) unsafe fn goes_on(el: Option<LoopId>) -> bool {
    // SAFETY: as promised.
    el.is_none_or(|mut el| unsafe { el.get() }.is_some_and(|el| !breaks_off(el)))
}

/// Calls the handlers for events; the second unless the first has deleted the loop, or had it break off. False when the
/// connection is gone.
///
/// # Safety
/// The loop, if there is one, is this thread's.
#[must_use]
pub(super) unsafe fn call_handlers(conn: Conn, mask: c_int, el: Option<LoopId>) -> bool {
    // Each handler is read when its turn comes, since the one before may have changed it; one that was not there when
    // the event fired did not wait for it.
    let write_first = conn.has_flag(CONN_FLAG_WRITE_BARRIER);
    let readable = mask & AE_READABLE != 0 && conn.read_handler().is_some();
    let writable = mask & AE_WRITABLE != 0 && conn.write_handler().is_some();
    let (first, second) = if write_first { (writable, readable) } else { (readable, writable) };
    let call = |writes: bool| call_handler(conn, if writes { conn.write_handler() } else { conn.read_handler() });
    if first && !call(write_first) {
        return false;
    }
    // SAFETY: as promised.
    !second || (first && unsafe { !goes_on(el) }) || call(!write_first)
}
