//! The event loop's side of a stream socket's connection: handlers set, and called.

use super::handle::Conn;
use super::handlers::{call_handler, call_handlers, goes_on};
use super::home::named;
use super::watch::{unwatch, watch};
use crate::abi::ae::*;
use crate::abi::connection::*;
use crate::anet;
use crate::event_loop::{self, LoopId};
use crate::sys::Errno;
use core::ffi::{c_int, c_void};

/// Sets or removes the read handler.
pub(super) fn set_read_handler(conn: Conn, handler: ConnectionCallbackFunc) -> Result<(), Errno> {
    let before = conn.read_handler();
    conn.set_read_handler(handler);
    if same(before, handler) {
        return Ok(());
    }
    if handler.is_none() {
        unwatch(conn, AE_READABLE);
        return Ok(());
    }
    watch(conn, AE_READABLE).inspect_err(|_| conn.set_read_handler(before))
}

/// Sets or removes the write handler; with `barrier` it runs before the read handler.
pub(super) fn set_write_handler(conn: Conn, handler: ConnectionCallbackFunc, barrier: bool) -> Result<(), Errno> {
    let before = conn.write_handler();
    conn.set_write_handler(handler);
    if same(before, handler) {
        return Ok(());
    }
    conn.set_flag(CONN_FLAG_WRITE_BARRIER, barrier);
    if handler.is_none() {
        // A connect that is under way ends in the same event.
        if conn.state() != CONN_STATE_CONNECTING {
            unwatch(conn, AE_WRITABLE);
        }
        return Ok(());
    }
    watch(conn, AE_WRITABLE).inspect_err(|_| conn.set_write_handler(before))
}

fn same(a: ConnectionCallbackFunc, b: ConnectionCallbackFunc) -> bool {
    a.map(|f| f as usize) == b.map(|f| f as usize)
}

/// The event loop's callback: calls the connection's handlers.
pub(super) unsafe extern "C" fn ae_handler(el: *mut aeEventLoop, _fd: c_int, data: *mut c_void, mask: c_int) {
    // SAFETY: the loop's client data is the connection, and a closed connection is watched no longer.
    let conn = unsafe { Conn::new(data.cast()) };
    // SAFETY: the loop passes itself.
    let el = unsafe { named(el) };
    if let Some(el) = el {
        event_loop::note_user(el);
    }
    let el = el.map(LoopId::of);
    if conn.state() == CONN_STATE_CONNECTING && mask & AE_WRITABLE != 0 {
        // SAFETY: the loop runs in this thread.
        if !connected(conn) || !unsafe { goes_on(el) } {
            return;
        }
    }
    // SAFETY: as above.
    let _ = unsafe { call_handlers(conn, mask, el) };
}

/// Ends a connect that was under way. False when the connection is gone.
fn connected(conn: Conn) -> bool {
    match anet::take_error(conn.fd()) {
        0 => conn.set_state(CONN_STATE_CONNECTED),
        error => conn.set_error(error),
    }
    if conn.write_handler().is_none() {
        unwatch(conn, AE_WRITABLE);
    }
    // Taken first: it may start another connect.
    let handler = conn.conn_handler();
    conn.set_conn_handler(None);
    call_handler(conn, handler)
}
