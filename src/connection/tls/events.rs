//! The event loop's side: handlers called, and what the descriptor is watched for.

use super::announce::{announce, deliver};
use super::handshake::{advance, begin, finish};
use super::this;
use crate::abi::ae::{AE_READABLE, AE_WRITABLE, aeEventLoop};
use crate::abi::connection::*;
use crate::connection::home::{loop_of, named};
use crate::connection::{events, status, unwatch};
use crate::event_loop::{self, LoopHandle};
use crate::sys::Errno;
use core::ffi::{c_int, c_void};

/// The event loop's callback.
pub(super) unsafe extern "C" fn ae_handler(el: *mut aeEventLoop, _fd: c_int, data: *mut c_void, mask: c_int) {
    let conn = data.cast::<connection>();
    // SAFETY: the loop passes itself and what it was given, and a closed connection is watched no longer.
    unsafe {
        if let Some(el) = named(el) {
            event_loop::note_user(el);
        }
        if !matches!((*conn).state, CONN_STATE_CONNECTING | CONN_STATE_ACCEPTING) {
            let _ = deliver(conn, mask);
        } else if advance(conn).is_some() {
            finish(conn);
        }
    }
}

/// Brings what the loop watches for in line with the handlers.
///
/// # Safety
/// `conn` is a live connection of this type and thread.
pub(super) unsafe fn settle(conn: *mut connection) -> Result<(), Errno> {
    // SAFETY: the caller vouches for the connection.
    unsafe {
        if (*this(conn)).postponed || matches!((*conn).state, CONN_STATE_CONNECTING | CONN_STATE_ACCEPTING) {
            return Ok(());
        }
        let mut mask = 0;
        if (*conn).read_handler.is_some() {
            mask |= AE_READABLE;
        }
        if (*conn).write_handler.is_some() {
            mask |= AE_WRITABLE;
        }
        watch_for(conn, mask)?;
        announce(conn);
        Ok(())
    }
}

/// Watches the descriptor for these events and no other.
///
/// # Safety
/// `conn` is a live connection of this type and thread.
pub(super) unsafe fn watch_for(conn: *mut connection, mask: c_int) -> Result<(), Errno> {
    // SAFETY: the caller vouches for the connection.
    unsafe {
        let el = match loop_of(conn) {
            // Between two loops, and without a descriptor, there is nothing to watch for.
            Err(_) if mask == 0 => return Ok(()),
            el => el?,
        };
        let now = event_loop::file_event(el, (*conn).fd).map_or(0, |(now, _)| now);
        if now & !mask != 0 {
            unwatch(conn, now & !mask);
        }
        if mask & !now != 0 {
            events::watch(conn, mask & !now)?;
        }
        Ok(())
    }
}

pub(super) unsafe extern "C" fn set_read_handler(conn: *mut connection, handler: ConnectionCallbackFunc) -> c_int {
    // SAFETY: called through a live connection's table.
    status(|| unsafe {
        let before = core::mem::replace(&mut (*conn).read_handler, handler);
        settle(conn).inspect_err(|_| (*conn).read_handler = before)
    })
}

pub(super) unsafe extern "C" fn set_write_handler(
    conn: *mut connection,
    handler: ConnectionCallbackFunc,
    barrier: c_int,
) -> c_int {
    // SAFETY: called through a live connection's table.
    status(|| unsafe {
        let before = core::mem::replace(&mut (*conn).write_handler, handler);
        if barrier != 0 {
            (*conn).flags |= CONN_FLAG_WRITE_BARRIER;
        } else {
            (*conn).flags &= !CONN_FLAG_WRITE_BARRIER;
        }
        settle(conn).inspect_err(|_| (*conn).write_handler = before)
    })
}

/// With `on` the loop is left alone until [`update_state`].
///
/// # Safety
/// `conn` is a live connection of this type.
#[allow(dead_code)] // Only Valkey asks for it.
pub(in crate::connection) unsafe fn postpone(conn: *mut connection, on: bool) {
    // SAFETY: the caller vouches for the connection.
    unsafe { (*this(conn)).postponed = on };
}

/// Catches up with what another thread has done.
///
/// # Safety
/// `conn` is a live connection of this type and thread.
#[allow(dead_code)] // Only Valkey asks for it.
pub(in crate::connection) unsafe fn update_state(conn: *mut connection) {
    // SAFETY: the caller vouches for the connection. Without memory for the event there is nobody to tell.
    let _ = unsafe { settle(conn) };
}

/// The connection leaves its loop.
///
/// # Safety
/// `conn` is a live connection of this type and thread.
#[allow(dead_code)] // Only Redis 8 asks for it.
pub(in crate::connection) unsafe fn unbind(conn: *mut connection) {
    // SAFETY: the caller vouches for the connection.
    unsafe {
        (*this(conn)).place.leave();
        if let Some(timer) = (*this(conn)).timer.take() {
            timer.cancel();
        }
        if let Some(slot) = &(*this(conn)).slot {
            slot.moved(0);
        }
        unwatch(conn, AE_READABLE | AE_WRITABLE);
    }
}

/// The connection has a loop again.
///
/// # Safety
/// `conn` is a live connection of this type and thread.
#[allow(dead_code)] // Only Redis 8 asks for it.
pub(in crate::connection) unsafe fn rebound(conn: *mut connection) -> Result<(), Errno> {
    // SAFETY: the caller vouches for the connection.
    unsafe {
        if let Some(slot) = &(*this(conn)).slot {
            slot.moved(LoopHandle::of(loop_of(conn)?).number());
        }
        // In the middle of a handshake that has begun; one that was to give way has got another loop before it was told.
        if (*conn).state == CONN_STATE_CONNECTING || (*this(conn)).slot.is_some() || (*conn).conn_handler.is_some() {
            begin(conn)?;
            return watch_for(conn, AE_READABLE | AE_WRITABLE);
        }
        settle(conn)
    }
}
