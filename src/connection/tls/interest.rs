//! What the descriptor is watched for.

use super::announce::announce;
use super::conn::this;
use crate::abi::ae::{AE_READABLE, AE_WRITABLE};
use crate::abi::connection::*;
use crate::connection::home::loop_of;
use crate::connection::{events, unwatch};
use crate::event_loop;
use crate::sys::Errno;
use core::ffi::c_int;

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
