//! The type's table, and how its connections are created and closed.

use super::config::contexts::OwnContext;
use super::config::upstream::configure_from_host;
use super::conn::TlsConn;
use super::session::Session;
use super::{data, events, handshake, permits};
use crate::abi::connect::{Connector, connect_function};
use crate::abi::connection::*;
use crate::connection::arguments::string;
use crate::connection::connecting::connect_tcp;
use crate::connection::errors::{accept_status, count, status};
use crate::connection::handlers::is_held;
use crate::connection::socket::{STREAM, text_of};
use crate::connection::watch::drop_fd;
use crate::connection::{home, sync};
use crate::event_loop::{Loop, LoopId};
use crate::host::memory::unbox;
use crate::sys::Errno;
use crate::sys::errno::quietly;
use core::ffi::{c_char, c_int, c_longlong, c_void};
use std::sync::Arc;

/// The functions of the type's table that are the same in every profile.
pub(crate) const TLS_STREAM: ConnectionType = ConnectionType {
    ae_handler: Some(events::ae_handler),
    close: Some(close_tls),
    accept: Some(accept),
    connect: Some(connect_function::<Tls>()),
    blocking_connect: Some(blocking_connect),
    write: Some(write),
    read: Some(read),
    set_write_handler: Some(set_write_handler),
    set_read_handler: Some(set_read_handler),
    get_last_error: Some(get_last_error),
    sync_write: Some(sync::write::<TlsConn>),
    sync_read: Some(sync::read::<TlsConn>),
    sync_readline: Some(sync::readline::<TlsConn>),
    ..STREAM
};

/// A new connection to be connected, of the loop `el`, if that is known.
pub(crate) fn create(ct: &'static ConnectionType, el: Option<Loop>) -> Result<TlsConn, Errno> {
    configure_from_host();
    TlsConn::create(ct, el, -1, CONN_STATE_NONE, Ok(None))
}

/// A new connection over an accepted descriptor; `auth` says whether the client is asked for its certificate, None
/// leaves that to the settings. Without settings the connection is there, in `CONN_STATE_ERROR`.
pub(crate) fn create_accepted(
    ct: &'static ConnectionType,
    el: Option<Loop>,
    fd: c_int,
    auth: Option<c_int>,
) -> Result<TlsConn, Errno> {
    configure_from_host();
    TlsConn::create(ct, el, fd, CONN_STATE_ACCEPTING, Session::server(auth).map(Some))
}

/// A new connection over an accepted descriptor, with settings of its own.
#[allow(dead_code)] // Up to redis-7.0 the host accepts.
pub(crate) fn create_accepted_with(
    ct: &'static ConnectionType,
    el: Option<Loop>,
    fd: c_int,
    context: Arc<OwnContext>,
) -> Result<TlsConn, Errno> {
    let conn = TlsConn::create(ct, el, fd, CONN_STATE_ACCEPTING, Session::server_of(&context).map(Some))?;
    conn.set_context(Some(context));
    Ok(conn)
}

/// How many connections a listener of a loop may accept now: `most`, or as many as there are permits for, or one if
/// another handshake can give way to it. None: the listener rests.
#[allow(dead_code)] // Up to redis-7.0 the host accepts.
pub(crate) fn accepts(el: Loop, most: usize) -> Option<usize> {
    match most.min(permits::room()) {
        0 => permits::oldest(LoopId::of(el).number()).map(|_| 1),
        most => Some(most),
    }
}

unsafe extern "C" fn get_last_error(conn: *mut connection) -> *const c_char {
    // SAFETY: called through a live connection's table.
    let conn = unsafe { TlsConn::new(conn) };
    conn.error().unwrap_or_else(|| text_of(conn.last_errno()))
}

unsafe extern "C" fn close_tls(conn: *mut connection) {
    // SAFETY: called through a live connection's table, by the one who frees it.
    quietly(|| unsafe { close(TlsConn::new(conn)) });
}

/// Closes a connection: now, or when its last running handler returns.
///
/// # Safety
/// Nobody touches it afterwards, except a handler of its own that is running.
pub(in crate::connection) unsafe fn close(conn: TlsConn) {
    handshake::end(conn);
    conn.unlist();
    say_goodbye(conn);
    drop_fd(*conn);
    if !is_held(*conn) {
        home::forget(*conn);
        // SAFETY: it came from `create`, and nobody touches it afterwards.
        unsafe { unbox(conn.whole()) };
    }
}

unsafe extern "C" fn accept(conn: *mut connection, handler: ConnectionCallbackFunc) -> c_int {
    // SAFETY: called through a live connection's table.
    let conn = unsafe { TlsConn::new(conn) };
    accept_status(handshake::accept(conn, handler))
}

/// How connections over TLS connect.
struct Tls;

impl Connector for Tls {
    unsafe fn connect(
        conn: *mut connection,
        host: *const c_char,
        port: c_int,
        source: *const c_char,
        multipath: bool,
        handler: ConnectionCallbackFunc,
    ) -> c_int {
        // SAFETY: a live connection; strings or NULL.
        let (conn, host, source) = unsafe { (TlsConn::new(conn), string(host), string(source)) };
        let start = |conn| connect_tcp(conn, host, port, source, multipath, handler);
        status(|| handshake::connect(conn, host, start).map_err(|error| error.errno()))
    }
}

unsafe extern "C" fn blocking_connect(
    conn: *mut connection,
    host: *const c_char,
    port: c_int,
    timeout: c_longlong,
) -> c_int {
    // SAFETY: called through a live connection's table with a string or NULL.
    let (conn, host) = unsafe { (TlsConn::new(conn), string(host)) };
    status(|| handshake::wait_connect(conn, host, port, timeout))
}

unsafe extern "C" fn read(conn: *mut connection, buf: *mut c_void, len: usize) -> c_int {
    // SAFETY: called through a live connection's table with that much room.
    count(|| unsafe { data::read(TlsConn::new(conn), buf, len) })
}

unsafe extern "C" fn write(conn: *mut connection, data: *const c_void, len: usize) -> c_int {
    // SAFETY: called through a live connection's table with that much data.
    count(|| unsafe { data::write(TlsConn::new(conn), data, len) })
}

/// The table's `writev`.
#[allow(dead_code)] // The tables of redis-6.2 have none.
pub(in crate::connection) unsafe extern "C" fn writev_tls(
    conn: *mut connection,
    iov: *const libc::iovec,
    parts: c_int,
) -> c_int {
    // SAFETY: called through a live connection's table with that many buffers.
    count(|| unsafe { data::writev(TlsConn::new(conn), iov, parts) })
}

unsafe extern "C" fn set_read_handler(conn: *mut connection, handler: ConnectionCallbackFunc) -> c_int {
    // SAFETY: called through a live connection's table.
    let conn = unsafe { TlsConn::new(conn) };
    status(|| events::set_read_handler(conn, handler))
}

unsafe extern "C" fn set_write_handler(
    conn: *mut connection,
    handler: ConnectionCallbackFunc,
    barrier: c_int,
) -> c_int {
    // SAFETY: called through a live connection's table.
    let conn = unsafe { TlsConn::new(conn) };
    status(|| events::set_write_handler(conn, handler, barrier != 0))
}

fn say_goodbye(conn: TlsConn) {
    // SAFETY: no handler runs here.
    if let Some(session) = unsafe { conn.session() }
        && conn.fd() != -1
    {
        session.close(conn.fd());
    }
}

/// Tells the peer that nothing more comes, and shuts the socket down.
#[allow(dead_code)] // Nobody asks for it up to redis-7.0.
pub(crate) fn shutdown(conn: TlsConn) {
    say_goodbye(conn);
    // It fails for a socket that is no longer connected: there is nothing to shut down.
    let _ = crate::sys::socket::shutdown(conn.fd());
}
