//! The "tcp" type.

use super::listen::{accept, listen_tcp};
use super::shared::{SOCKET, addr, creators, says};
use crate::abi::ae::{AeFileProc, aeEventLoop, aeFileProc};
use crate::abi::connect::connect_function;
use crate::abi::connection::*;
use crate::anet;
use crate::connection::connecting;
use crate::connection::handle::Conn;
use crate::connection::home::named;
use crate::connection::lifecycle::{create, created};
use crate::host;
use crate::sys::errno::call;
use core::ffi::{c_int, c_void};

/// The "tcp" type.
pub(crate) static TCP: ConnectionType = ConnectionType {
    get_type: Some(tcp_type),
    addr: Some(addr),
    accept_handler: accept_tcp as AeFileProc as *mut aeFileProc,
    is_local: Some(is_tcp_local),
    listen: Some(listen_tcp),
    conn_create: Some(create_tcp),
    conn_create_accepted: Some(create_accepted_tcp),
    connect: Some(connect_function::<connecting::Tcp>()),
    blocking_connect: Some(connecting::blocking_connect_tcp),
    ..SOCKET
};

says!(tcp_type, c"tcp", CONN_TYPE_SOCKET);

pub(super) unsafe extern "C" fn is_tcp_local(conn: *mut connection) -> c_int {
    // SAFETY: called through a live connection's table.
    let fd = unsafe { Conn::new(conn) }.fd();
    call(-1, || anet::end_address(fd, true).map(|end| end.is_loopback().into()))
}

creators!(TCP, create_tcp, create_accepted_tcp);

/// The event loop's callback for listening TCP sockets.
unsafe extern "C" fn accept_tcp(el: *mut aeEventLoop, fd: c_int, data: *mut c_void, _mask: c_int) {
    // SAFETY: the loop calls it with itself.
    if let Some(el) = unsafe { named(el) } {
        let create = |fd| create(&TCP, Some(el), fd, CONN_STATE_ACCEPTING);
        accept(el, fd, data, host::accepts_per_call() as usize, 0, create);
    }
}
