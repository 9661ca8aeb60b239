//! Connections that are given settings of their own.

use super::config::contexts::OwnContext;
use super::conn::TlsConn;
use super::session::Session;
use crate::abi::connection::*;
use crate::connection::asked::is_waiting;
use crate::sys::Errno;
use std::sync::Arc;

/// Gives a connection its settings: one that has not begun to connect, or whose accept has not begun. `EALREADY` later,
/// `EINVAL` for settings with which it cannot accept; then it stays as it is.
pub(crate) fn choose(conn: TlsConn, context: Arc<OwnContext>) -> Result<(), Errno> {
    if is_waiting(*conn) {
        return Err(Errno::EALREADY);
    }
    if conn.fd() != -1 {
        give_accepted(conn, &context)?;
    }
    conn.set_context(Some(context));
    Ok(())
}

fn give_accepted(conn: TlsConn, context: &Arc<OwnContext>) -> Result<(), Errno> {
    // SAFETY: no handler runs here.
    let has_session = unsafe { conn.session() }.is_some();
    let has_begun = match conn.state() {
        CONN_STATE_ACCEPTING => conn.has_permit() || conn.has_timer(),
        // The process had no settings with which to accept it.
        CONN_STATE_ERROR => has_session,
        _ => true,
    };
    if has_begun {
        return Err(Errno::EALREADY);
    }
    conn.set_session(Some(Session::server_of(context).map_err(|_| Errno::EINVAL)?));
    conn.clear_error();
    conn.set_last_errno(0);
    conn.set_state(CONN_STATE_ACCEPTING);
    Ok(())
}
