//! The connection layer up to redis-7.0: no registry, no listeners, types as numbers.

use super::ae::aeEventLoop;
use super::connection_common::ConnectionState;
use core::ffi::{c_char, c_int, c_longlong, c_short, c_ushort, c_void};
use core::mem::{offset_of, size_of};

/// A connection's callback.
pub type ConnectionCallbackFunc = Option<unsafe extern "C" fn(conn: *mut connection)>;

/// The type of plain sockets.
pub const CONN_TYPE_SOCKET: c_int = 1;
/// The type of TLS connections.
pub const CONN_TYPE_TLS: c_int = 2;

/// A connection of any type. Embedded as the first member by types that need more.
#[repr(C)]
pub struct connection {
    /// The type's function table.
    pub r#type: *mut ConnectionType,
    /// One of the `CONN_STATE_` values.
    pub state: ConnectionState,
    /// Any of the `CONN_FLAG_` bits.
    pub flags: c_short,
    /// How many handlers of this connection are running.
    pub refs: c_short,
    /// The `errno` of the last failed operation.
    pub last_errno: c_int,
    /// The owner's data.
    pub private_data: *mut c_void,
    /// Runs once, when a connect or an accept has ended.
    pub conn_handler: ConnectionCallbackFunc,
    /// Runs when writable.
    pub write_handler: ConnectionCallbackFunc,
    /// Runs when readable.
    pub read_handler: ConnectionCallbackFunc,
    /// The descriptor, -1 when there is none.
    pub fd: c_int,
}

/// Only later profiles have listeners; the host's table names them anyway.
#[repr(C)]
pub struct connListener {
    _opaque: [u8; 0],
}

/// What a connection type offers.
#[repr(C)]
pub struct ConnectionType {
    /// The event loop's callback for a connection's descriptor.
    pub ae_handler: Option<unsafe extern "C" fn(el: *mut aeEventLoop, fd: c_int, clientData: *mut c_void, mask: c_int)>,
    /// Starts to connect.
    pub connect: Option<
        unsafe extern "C" fn(
            conn: *mut connection,
            addr: *const c_char,
            port: c_int,
            source_addr: *const c_char,
            connect_handler: ConnectionCallbackFunc,
        ) -> c_int,
    >,
    /// Writes.
    pub write: Option<unsafe extern "C" fn(conn: *mut connection, data: *const c_void, data_len: usize) -> c_int>,
    /// Writes several buffers.
    #[cfg(not(abi_redis_6_2))]
    pub writev: Option<unsafe extern "C" fn(conn: *mut connection, iov: *const libc::iovec, iovcnt: c_int) -> c_int>,
    /// Reads.
    pub read: Option<unsafe extern "C" fn(conn: *mut connection, buf: *mut c_void, buf_len: usize) -> c_int>,
    /// Closes and frees.
    pub close: Option<unsafe extern "C" fn(conn: *mut connection)>,
    /// Ends an accept.
    pub accept: Option<unsafe extern "C" fn(conn: *mut connection, accept_handler: ConnectionCallbackFunc) -> c_int>,
    /// Sets or removes the write handler.
    pub set_write_handler:
        Option<unsafe extern "C" fn(conn: *mut connection, handler: ConnectionCallbackFunc, barrier: c_int) -> c_int>,
    /// Sets or removes the read handler.
    pub set_read_handler: Option<unsafe extern "C" fn(conn: *mut connection, handler: ConnectionCallbackFunc) -> c_int>,
    /// The last error as text.
    pub get_last_error: Option<unsafe extern "C" fn(conn: *mut connection) -> *const c_char>,
    /// Connects, waiting up to `timeout` milliseconds.
    pub blocking_connect: Option<
        unsafe extern "C" fn(conn: *mut connection, addr: *const c_char, port: c_int, timeout: c_longlong) -> c_int,
    >,
    /// Writes all, waiting up to `timeout` milliseconds.
    pub sync_write: Option<
        unsafe extern "C" fn(
            conn: *mut connection,
            ptr: *mut c_char,
            size: libc::ssize_t,
            timeout: c_longlong,
        ) -> libc::ssize_t,
    >,
    /// Reads all, waiting up to `timeout` milliseconds.
    pub sync_read: Option<
        unsafe extern "C" fn(
            conn: *mut connection,
            ptr: *mut c_char,
            size: libc::ssize_t,
            timeout: c_longlong,
        ) -> libc::ssize_t,
    >,
    /// Reads a line, waiting up to `timeout` milliseconds.
    pub sync_readline: Option<
        unsafe extern "C" fn(
            conn: *mut connection,
            ptr: *mut c_char,
            size: libc::ssize_t,
            timeout: c_longlong,
        ) -> libc::ssize_t,
    >,
    /// The type's number, one of the `CONN_TYPE_` values.
    pub get_type: Option<unsafe extern "C" fn(conn: *mut connection) -> c_int>,
}

impl ConnectionType {
    /// A type that offers nothing.
    pub(crate) const NONE: Self = Self {
        ae_handler: None,
        connect: None,
        write: None,
        #[cfg(not(abi_redis_6_2))]
        writev: None,
        read: None,
        close: None,
        accept: None,
        set_write_handler: None,
        set_read_handler: None,
        get_last_error: None,
        blocking_connect: None,
        sync_write: None,
        sync_read: None,
        sync_readline: None,
        get_type: None,
    };
}

impl connection {
    /// Where there are four bytes that belong to no member, if there are.
    pub(crate) const PADDING: Option<usize> = {
        let start = (offset_of!(Self, last_errno) + size_of::<c_int>()).next_multiple_of(4);
        if start + 4 <= offset_of!(Self, private_data) { Some(start) } else { None }
    };

    /// Some where connections know their loop: in later profiles.
    pub(crate) fn own_loop(&self) -> Option<*mut aeEventLoop> {
        None
    }

    /// Stores what connections of later profiles know.
    pub(crate) fn prepare(&mut self, _el: *mut aeEventLoop, _iovcnt: c_ushort) {}

    /// Stores the loop where connections know theirs.
    pub(crate) fn set_own_loop(&mut self, _el: *mut aeEventLoop) {}
}
