//! The table of the only built-in type up to redis-7.0, whose accepted connections are of TCP or unix sockets. The safe
//! API tells the two apart all the same.

use super::socket::{self, STREAM};
use super::unix;
use crate::abi::connection::*;
use core::ffi::c_int;

/// The functions of plain sockets, connecting over TCP.
pub(crate) const SOCKET: ConnectionType = ConnectionType {
    get_type: Some(get_type),
    connect: Some(socket::connect),
    blocking_connect: Some(socket::blocking_connect),
    #[cfg(not(abi_redis_6_2))]
    writev: Some(socket::writev),
    ..STREAM
};

/// Over TCP.
pub(crate) static TCP: ConnectionType = SOCKET;

/// Over unix sockets.
pub(crate) static UNIX: ConnectionType =
    ConnectionType { connect: Some(unix::connect), blocking_connect: Some(unix::blocking_connect), ..SOCKET };

unsafe extern "C" fn get_type(_conn: *mut connection) -> c_int {
    CONN_TYPE_SOCKET
}

/// The function that writes several buffers to a connection of the safe API. In redis-6.2 the table has none; those
/// connections are plain sockets.
pub(crate) fn writev_function(_ct: &ConnectionType) -> Option<WritevFunction> {
    Some(socket::writev)
}
