//! The event loop's side: its callback, the handlers, and a connection that changes its loop.

use super::announce::deliver;
use super::conn::TlsConn;
use super::handshake::{advance, begin, come_to_loop, finish, leave_loop, stop_timer};
use super::interest::{settle, watch_for};
use crate::abi::ae::{AE_READABLE, AE_WRITABLE, aeEventLoop};
use crate::abi::connection::*;
use crate::connection::home::{loop_of, named};
use crate::connection::watch::unwatch;
use crate::event_loop::{self, LoopId};
use crate::sys::Errno;
use core::ffi::{c_int, c_void};

/// The event loop's callback.
pub(super) unsafe extern "C" fn ae_handler(el: *mut aeEventLoop, _fd: c_int, data: *mut c_void, mask: c_int) {
    // SAFETY: the loop's client data is the connection, and a closed connection is watched no longer.
    let conn = unsafe { TlsConn::new(data.cast()) };
    // SAFETY: the loop passes itself.
    let el = unsafe { named(el) };
    if let Some(el) = el {
        event_loop::note_user(el);
    }
    if !matches!(conn.state(), CONN_STATE_CONNECTING | CONN_STATE_ACCEPTING) {
        // SAFETY: the loop runs in this thread.
        let _ = unsafe { deliver(conn, mask, el.map(LoopId::of)) };
    } else if advance(conn).is_some() {
        let _ = finish(conn);
    }
}

/// Sets or removes the read handler.
pub(in crate::connection) fn set_read_handler(conn: TlsConn, handler: ConnectionCallbackFunc) -> Result<(), Errno> {
    let before = conn.read_handler();
    conn.set_read_handler(handler);
    settle(conn).inspect_err(|_| conn.set_read_handler(before))
}

/// Sets or removes the write handler; with `barrier` it runs before the read handler.
pub(in crate::connection) fn set_write_handler(
    conn: TlsConn,
    handler: ConnectionCallbackFunc,
    barrier: bool,
) -> Result<(), Errno> {
    let before = conn.write_handler();
    conn.set_write_handler(handler);
    conn.set_flag(CONN_FLAG_WRITE_BARRIER, barrier);
    settle(conn).inspect_err(|_| conn.set_write_handler(before))
}

/// With `on`, the loop is not touched until [`update_state`].
#[allow(dead_code)] // Only Valkey asks for it.
pub(in crate::connection) fn postpone(conn: TlsConn, on: bool) {
    conn.set_postponed(on);
}

/// Catches up with what another thread has done.
#[allow(dead_code)] // Only Valkey asks for it.
pub(in crate::connection) fn update_state(conn: TlsConn) {
    // An error (no memory for the event) has nobody to be reported to.
    let _ = settle(conn);
}

/// The connection leaves its loop.
#[allow(dead_code)] // Only Redis 8 asks for it.
pub(in crate::connection) fn unbind(conn: TlsConn) {
    conn.unlist();
    stop_timer(conn);
    leave_loop(conn);
    conn.move_permit(0);
    unwatch(*conn, AE_READABLE | AE_WRITABLE);
}

/// The connection has a loop again.
#[allow(dead_code)] // Only Redis 8 asks for it.
pub(in crate::connection) fn rebound(conn: TlsConn) -> Result<(), Errno> {
    if conn.has_permit() {
        conn.move_permit(LoopId::of(loop_of(*conn)?).number());
    }
    // A handshake is under way, or was to give way and has changed its loop before it was told.
    if conn.state() == CONN_STATE_CONNECTING || conn.has_permit() || conn.conn_handler().is_some() {
        begin(conn)?;
        come_to_loop(conn, loop_of(*conn)?)?;
        return watch_for(conn, AE_READABLE | AE_WRITABLE);
    }
    settle(conn)
}
