//! The table of the only built-in type up to redis-7.0, whose accepted connections are of TCP or unix sockets. The safe
//! API tells the two apart anyway.

use crate::abi::connect::connect_function;
use crate::abi::connection::*;
use crate::connection::connecting;
use crate::connection::socket::STREAM;
#[cfg(not(abi_redis_6_2))]
use crate::connection::socket::writev;
#[cfg(feature = "tls")]
use crate::connection::tls;
use core::ffi::c_int;

/// The functions of plain sockets, connecting over TCP.
pub(crate) const SOCKET: ConnectionType = ConnectionType {
    get_type: Some(get_type),
    connect: Some(connect_function::<connecting::Tcp>()),
    blocking_connect: Some(connecting::blocking_connect_tcp),
    #[cfg(not(abi_redis_6_2))]
    writev: Some(writev),
    ..STREAM
};

/// Over TCP.
pub(crate) static TCP: ConnectionType = SOCKET;

/// Over unix sockets.
pub(crate) static UNIX: ConnectionType = ConnectionType {
    connect: Some(connect_function::<connecting::Unix>()),
    blocking_connect: Some(connecting::blocking_connect_unix),
    ..SOCKET
};

/// Over TLS.
#[cfg(feature = "tls")]
pub(crate) static TLS: ConnectionType = ConnectionType {
    get_type: Some(tls_type),
    #[cfg(not(abi_redis_6_2))]
    writev: Some(tls::writev_tls),
    ..tls::TLS_STREAM
};

#[cfg(feature = "tls")]
unsafe extern "C" fn tls_type(_conn: *mut connection) -> c_int {
    CONN_TYPE_TLS
}

/// Whether TLS connections of this thread hold data that no poll will announce.
#[cfg(feature = "tls")]
pub(crate) fn has_pending_tls() -> bool {
    tls::has_pending(None)
}

/// Runs the read handlers of these connections; returns how many.
#[cfg(feature = "tls")]
pub(crate) fn process_pending_tls() -> c_int {
    tls::process_pending(None)
}

unsafe extern "C" fn get_type(_conn: *mut connection) -> c_int {
    CONN_TYPE_SOCKET
}
