//! Connections that have asked a loop for a socket connected to a host's name, and what they have asked for.
//!
//! Such a connection is in `CONN_STATE_CONNECTING` and has no descriptor yet, as no other is. What it has asked for
//! stands in a table, since not every platform has room to tell that a connection is in the library's memory.

use super::handle::Conn;
use crate::abi::connection::CONN_STATE_CONNECTING;
use crate::event_loop::{self, Loop, LoopId};
use crate::sys::shared::Shared;
use std::collections::BTreeMap;

/// By a connection's address, the loop and the number of the request there.
static ASKED: Shared<BTreeMap<usize, Asked>> = Shared::new(BTreeMap::new());

struct Asked(LoopId, i64);

// SAFETY: it goes with its connection; the loop is followed by the thread that uses both.
unsafe impl Send for Asked {}

fn key(conn: Conn) -> usize {
    conn.as_ptr().addr()
}

/// Whether the connection waits for a socket.
pub(super) fn is_waiting(conn: Conn) -> bool {
    conn.fd() == -1 && conn.state() == CONN_STATE_CONNECTING
}

/// Notes what the connection has asked a loop for.
pub(super) fn note(conn: Conn, el: Loop, id: i64) {
    ASKED.with(|asked| _ = asked.insert(key(conn), Asked(LoopId::of(el), id)));
}

/// Forgets it: the request has ended.
pub(super) fn forget(conn: Conn) {
    take(conn);
}

fn take(conn: Conn) -> Option<Asked> {
    ASKED.with(|asked| asked.remove(&key(conn)))
}

/// Lets go of the request of a connection that waits for a socket: it gets none.
pub(super) fn cancel(conn: Conn) {
    if is_waiting(conn)
        && let Some(Asked(mut el, id)) = take(conn)
        // SAFETY: a connection is used by the thread of its loop.
        && let Some(el) = unsafe { el.get() }
    {
        // It is there: one that ends is forgotten here.
        let _ = event_loop::cancel(el, id);
    }
}
