//! The "unix" type.

use super::listen::{accept, listen_unix};
#[cfg(not(abi_valkey_9))]
use super::shared::addr;
use super::shared::{SOCKET, creators, says};
use crate::abi::ae::{AeFileProc, aeEventLoop, aeFileProc};
use crate::abi::connect::connect_function;
use crate::abi::connection::*;
use crate::abi::host::LIBAE_ACCEPTED_UNIX;
#[cfg(abi_valkey_9)]
use crate::anet;
use crate::connection::connecting;
#[cfg(abi_valkey_9)]
use crate::connection::handle::Conn;
use crate::connection::home::named;
use crate::connection::lifecycle::{create, created};
use crate::host;
#[cfg(abi_valkey_9)]
use crate::sys::errno::quietly;
#[cfg(abi_valkey_9)]
use crate::sys::text::TextRoom;
#[cfg(abi_valkey_9)]
use core::ffi::{CStr, c_char};
use core::ffi::{c_int, c_void};

/// The "unix" type.
pub(crate) static UNIX: ConnectionType = ConnectionType {
    get_type: Some(unix_type),
    #[cfg(not(abi_valkey_9))]
    addr: Some(addr),
    #[cfg(abi_valkey_9)]
    addr: Some(unix_addr),
    accept_handler: accept_unix as AeFileProc as *mut aeFileProc,
    is_local: Some(is_unix_local),
    listen: Some(listen_unix),
    conn_create: Some(create_unix),
    conn_create_accepted: Some(create_accepted_unix),
    connect: Some(connect_function::<connecting::Unix>()),
    blocking_connect: Some(connecting::blocking_connect_unix),
    ..SOCKET
};

says!(unix_type, c"unix", CONN_TYPE_UNIX);

/// The path of the host's unix socket, or else of the connection's, and the port 0 behind a colon: it never fails.
#[cfg(abi_valkey_9)]
unsafe extern "C" fn unix_addr(
    conn: *mut connection,
    ip: *mut c_char,
    ip_len: usize,
    port: *mut c_int,
    _remote: c_int,
) -> c_int {
    // SAFETY: called through a live connection's table, or with NULL.
    let conn = (!conn.is_null()).then(|| unsafe { Conn::new(conn) });
    let of_host = host::unix_socket().map(CStr::to_owned);
    let path = of_host.or_else(|| quietly(|| anet::unix_path(conn?.fd())));
    let path = path.as_deref().unwrap_or(c"/unixsocket").to_bytes();
    // SAFETY: called with NULL, or room for that many bytes and for a port.
    let (ip, port) = unsafe { (TextRoom::new(ip, ip_len), port.as_mut()) };
    if let Some(mut ip) = ip {
        ip.write_bytes(&[path, b":0"]);
    }
    if let Some(port) = port {
        *port = 0;
    }
    C_OK
}

unsafe extern "C" fn is_unix_local(_conn: *mut connection) -> c_int {
    1
}

creators!(UNIX, create_unix, create_accepted_unix);

/// The event loop's callback for listening unix sockets.
unsafe extern "C" fn accept_unix(el: *mut aeEventLoop, fd: c_int, data: *mut c_void, _mask: c_int) {
    // SAFETY: the loop calls it with itself.
    if let Some(el) = unsafe { named(el) } {
        let create = |fd| create(&UNIX, Some(el), fd, CONN_STATE_ACCEPTING);
        accept(el, fd, data, host::accepts_per_call() as usize, LIBAE_ACCEPTED_UNIX, create);
    }
}
