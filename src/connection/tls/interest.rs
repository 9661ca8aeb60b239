//! What the descriptor is watched for.

use super::announce::announce;
use super::conn::TlsConn;
use crate::abi::connection::*;
use crate::connection::home::loop_of;
use crate::connection::watch::{unwatch, wanted, watch};
use crate::event_loop;
use crate::sys::Errno;
use core::ffi::c_int;

/// Makes the loop watch for what the handlers want.
pub(super) fn settle(conn: TlsConn) -> Result<(), Errno> {
    if conn.postponed() || matches!(conn.state(), CONN_STATE_CONNECTING | CONN_STATE_ACCEPTING) {
        return Ok(());
    }
    watch_for(conn, wanted(*conn))?;
    announce(conn);
    Ok(())
}

/// Watches the descriptor for exactly these events.
pub(super) fn watch_for(conn: TlsConn, mask: c_int) -> Result<(), Errno> {
    let el = match loop_of(*conn) {
        // A connection between two loops, or without a descriptor, is not watched.
        Err(_) if mask == 0 => return Ok(()),
        el => el?,
    };
    let now = event_loop::file_event(el, conn.fd()).map_or(0, |(now, _)| now);
    if now & !mask != 0 {
        unwatch(*conn, now & !mask);
    }
    if mask & !now != 0 {
        watch(*conn, mask & !now)?;
    }
    Ok(())
}
