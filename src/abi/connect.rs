//! How a type's table spells `connect`: from valkey-9.0 on it is told whether to use MPTCP.

use super::connection::{ConnectionCallbackFunc, connection};
use core::ffi::{c_char, c_int};

/// A way to connect, for [`connect_function`].
pub(crate) trait Connector {
    /// Starts to connect; `multipath` asks for MPTCP.
    ///
    /// # Safety
    /// `conn` is a live connection of the type and thread, the strings are NULL or strings, the handler may be called
    /// with the connection.
    unsafe fn connect(
        conn: *mut connection,
        addr: *const c_char,
        port: c_int,
        source_addr: *const c_char,
        multipath: bool,
        handler: ConnectionCallbackFunc,
    ) -> c_int;
}

/// `ConnectionType.connect`.
#[cfg(not(abi_valkey_9))]
pub(crate) type ConnectFunction =
    unsafe extern "C" fn(*mut connection, *const c_char, c_int, *const c_char, ConnectionCallbackFunc) -> c_int;
/// `ConnectionType.connect`.
#[cfg(abi_valkey_9)]
pub(crate) type ConnectFunction =
    unsafe extern "C" fn(*mut connection, *const c_char, c_int, *const c_char, c_int, ConnectionCallbackFunc) -> c_int;

/// The function of a table that connects as `C` does.
pub(crate) const fn connect_function<C: Connector>() -> ConnectFunction {
    #[cfg(not(abi_valkey_9))]
    unsafe extern "C" fn connect<C: Connector>(
        conn: *mut connection,
        addr: *const c_char,
        port: c_int,
        source_addr: *const c_char,
        handler: ConnectionCallbackFunc,
    ) -> c_int {
        // SAFETY: called through a live connection's table with strings or NULL.
        unsafe { C::connect(conn, addr, port, source_addr, false, handler) }
    }
    #[cfg(abi_valkey_9)]
    unsafe extern "C" fn connect<C: Connector>(
        conn: *mut connection,
        addr: *const c_char,
        port: c_int,
        source_addr: *const c_char,
        multipath: c_int,
        handler: ConnectionCallbackFunc,
    ) -> c_int {
        // SAFETY: called through a live connection's table with strings or NULL.
        unsafe { C::connect(conn, addr, port, source_addr, multipath != 0, handler) }
    }
    connect::<C>
}
