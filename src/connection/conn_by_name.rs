//! Connections connected to a host by its name, without a moment in which the loop waits.
//!
//! Until one of the host's addresses has accepted, the connection has no descriptor: what it is to be watched for is
//! looked up when it gets one.

use super::asked;
use super::by_name::{Connected, connect_by_name};
use super::connecting::{fail, opened, prepare};
use super::handle::Conn;
use super::handlers::call_handler;
use super::home::{self, loop_of};
use super::watch::{drop_fd, wanted, watch};
use crate::abi::connection::*;
use crate::anet::{Error, KeptOptions, SocketOptions};
use crate::event_loop::{Asker, Loop};
use crate::sys::Errno;
use core::ffi::{CStr, c_int};
use core::ptr;

/// A port of a host, and how to connect to it.
#[derive(Clone, Copy)]
pub(crate) struct Host<'a> {
    pub(crate) name: &'a CStr,
    pub(crate) port: c_int,
    pub(crate) options: &'a SocketOptions<'a>,
}

/// Starts to connect over TCP.
pub(super) fn connect_tcp_by_name(conn: Conn, host: &Host<'_>, handler: ConnectionCallbackFunc) -> Result<(), Error> {
    start(conn, host, handler, connected)
}

/// Starts to connect; `connected` is called with the connection as its data, and hands it to [`take_over`].
pub(super) fn start(
    conn: Conn,
    host: &Host<'_>,
    handler: ConnectionCallbackFunc,
    connected: Connected,
) -> Result<(), Error> {
    prepare(conn).map_err(|errno| Error::new("connection", errno))?;
    ask(conn, host, connected).inspect_err(|error| fail(conn, error.errno()))?;
    conn.set_state(CONN_STATE_CONNECTING);
    conn.set_conn_handler(handler);
    Ok(())
}

fn ask(conn: Conn, host: &Host<'_>, connected: Connected) -> Result<(), Error> {
    let options = KeptOptions::new(host.options)?;
    let port = u16::try_from(host.port).map_err(|_| Error::new("port", Errno::EINVAL))?;
    let el = loop_of(conn).map_err(|errno| Error::new("loop of a connection", errno))?;
    let asker = Asker { proc: ptr::null_mut(), data: conn.client_data() };
    // SAFETY: a connection that is closed cancels the request; until then it is there.
    let asked = unsafe { connect_by_name(el, host.name.into(), port, options, connected, forget, asker) };
    asked::note(conn, el, asked.map_err(|errno| Error::new("looking up a name", errno))?);
    home::registered(conn, el);
    Ok(())
}

/// Whoever has cancelled it knows.
unsafe fn forget(_el: Loop, _asker: Asker) {}

/// The connection has the socket that it has asked `el` for, watched for what `mask` then says; or there is none.
pub(super) fn take_over(
    conn: Conn,
    el: Loop,
    result: Result<c_int, Error>,
    mask: impl FnOnce(Conn) -> c_int,
) -> Result<(), Errno> {
    asked::forget(conn);
    let taken = result.map_err(|error| error.errno()).and_then(|fd| {
        opened(conn, fd)?;
        match mask(conn) {
            0 => Ok(()),
            mask => watch(conn, mask),
        }
    });
    if taken.is_err() {
        drop_fd(conn);
    }
    home::unregistered(conn, el);
    taken
}

unsafe fn connected(el: Loop, asker: Asker, result: Result<c_int, Error>) {
    // SAFETY: it is called with a connection that `ask` was told, which is there: closed, it would have cancelled this.
    let conn = unsafe { Conn::new(asker.data.cast()) };
    match take_over(conn, el, result, wanted) {
        Ok(()) => conn.set_state(CONN_STATE_CONNECTED),
        Err(errno) => conn.set_error(errno as c_int),
    }
    // Taken first: it may start another connect.
    let handler = conn.conn_handler();
    conn.set_conn_handler(None);
    let _ = call_handler(conn, handler);
}

/// Ends the connect of a connection that leaves the loop in which it waits for a socket; its handler is not called.
#[allow(dead_code)] // Only Redis 8 asks for it.
pub(crate) fn leave(conn: Conn) {
    if asked::is_waiting(conn) {
        asked::cancel(conn);
        conn.set_conn_handler(None);
        conn.set_error(Errno::ECANCELED as c_int);
    }
}
