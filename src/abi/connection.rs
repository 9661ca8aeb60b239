//! Types and constants of `connection.h`.

use super::ae::{aeEventLoop, aeFileProc};
use core::ffi::{c_char, c_int, c_longlong, c_short, c_ushort, c_void};

/// Success.
pub const C_OK: c_int = 0;
/// Failure.
pub const C_ERR: c_int = -1;

/// The state of a connection, one of the `CONN_STATE_` values.
///
/// A plain integer in Rust: C code may store any value.
pub type ConnectionState = c_int;
/// Created, not connected yet.
pub const CONN_STATE_NONE: ConnectionState = 0;
/// A connect is under way.
pub const CONN_STATE_CONNECTING: ConnectionState = 1;
/// Accepted by the listener, `connAccept` not called yet.
pub const CONN_STATE_ACCEPTING: ConnectionState = 2;
/// Ready for reading and writing.
pub const CONN_STATE_CONNECTED: ConnectionState = 3;
/// The peer closed it.
pub const CONN_STATE_CLOSED: ConnectionState = 4;
/// Failed; `last_errno` says why.
pub const CONN_STATE_ERROR: ConnectionState = 5;

/// `connection.flags`: closed inside a handler, freed once the handler returns.
pub const CONN_FLAG_CLOSE_SCHEDULED: c_short = 1;
/// `connection.flags`: the write handler runs before the read handler.
pub const CONN_FLAG_WRITE_BARRIER: c_short = 2;

/// How many connection types can be registered.
pub const CONN_TYPE_MAX: usize = 8;
/// How many addresses one listener can have.
pub const CONFIG_BINDADDR_MAX: usize = 16;
/// Enough bytes for what `connGetInfo` writes.
pub const CONN_INFO_LEN: usize = 32;
/// Enough bytes for any address as text: an IPv6 address with a scope, or a unix socket's name.
pub const CONN_ADDR_STR_LEN: usize = 128;

/// A connection's callback.
pub type ConnectionCallbackFunc = Option<unsafe extern "C" fn(conn: *mut connection)>;

/// A connection of any type. Embedded as the first member by types that need more.
#[repr(C)]
pub struct connection {
    /// The type's function table.
    pub r#type: *mut ConnectionType,
    /// One of the `CONN_STATE_` values.
    pub state: ConnectionState,
    /// The `errno` of the last failed operation.
    pub last_errno: c_int,
    /// The descriptor, -1 when there is none.
    pub fd: c_int,
    /// Any of the `CONN_FLAG_` bits.
    pub flags: c_short,
    /// How many handlers of this connection are running.
    pub refs: c_short,
    /// How many buffers one `writev` takes.
    pub iovcnt: c_ushort,
    /// The owner's data.
    pub private_data: *mut c_void,
    /// Runs once, when a connect or an accept has ended.
    pub conn_handler: ConnectionCallbackFunc,
    /// Runs when writable.
    pub write_handler: ConnectionCallbackFunc,
    /// Runs when readable.
    pub read_handler: ConnectionCallbackFunc,
}

/// The sockets that listen for one connection type.
#[repr(C)]
pub struct connListener {
    /// The listening descriptors, `count` of them.
    pub fd: [c_int; CONFIG_BINDADDR_MAX],
    /// How many descriptors listen.
    pub count: c_int,
    /// The addresses to bind: `bindaddr_count` strings, owned by the caller.
    pub bindaddr: *mut *mut c_char,
    /// How many addresses there are.
    pub bindaddr_count: c_int,
    /// The TCP port.
    pub port: c_int,
    /// The connection type.
    pub ct: *mut ConnectionType,
    /// Type specific: for the unix type NULL, or a `mode_t *` with the socket's permissions.
    pub r#priv: *mut c_void,
}

/// What a connection type offers. Members that a type does not need are NULL.
#[repr(C)]
pub struct ConnectionType {
    /// The type's name, for a connection or for NULL.
    pub get_type: Option<unsafe extern "C" fn(conn: *mut connection) -> *const c_char>,

    /// Called once when the type is registered.
    pub init: Option<unsafe extern "C" fn()>,
    /// Called by `connTypeCleanupAll`.
    pub cleanup: Option<unsafe extern "C" fn()>,
    /// Takes a type specific configuration.
    pub configure: Option<unsafe extern "C" fn(r#priv: *mut c_void, reconfigure: c_int) -> c_int>,

    /// The event loop's callback for a connection's descriptor.
    pub ae_handler: Option<unsafe extern "C" fn(el: *mut aeEventLoop, fd: c_int, clientData: *mut c_void, mask: c_int)>,
    /// The event loop's callback for a listening descriptor.
    pub accept_handler: *mut aeFileProc,
    /// A connection's own or remote address.
    pub addr: Option<
        unsafe extern "C" fn(
            conn: *mut connection,
            ip: *mut c_char,
            ip_len: usize,
            port: *mut c_int,
            remote: c_int,
        ) -> c_int,
    >,
    /// Whether the peer is on this machine.
    pub is_local: Option<unsafe extern "C" fn(conn: *mut connection) -> c_int>,
    /// Opens a listener's sockets.
    pub listen: Option<unsafe extern "C" fn(listener: *mut connListener) -> c_int>,

    /// A new connection to be connected.
    pub conn_create: Option<unsafe extern "C" fn() -> *mut connection>,
    /// A new connection over an accepted descriptor.
    pub conn_create_accepted: Option<unsafe extern "C" fn(fd: c_int, r#priv: *mut c_void) -> *mut connection>,
    /// Shuts both directions down.
    pub shutdown: Option<unsafe extern "C" fn(conn: *mut connection)>,
    /// Closes and frees.
    pub close: Option<unsafe extern "C" fn(conn: *mut connection)>,

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
    /// Connects, waiting up to `timeout` milliseconds.
    pub blocking_connect: Option<
        unsafe extern "C" fn(conn: *mut connection, addr: *const c_char, port: c_int, timeout: c_longlong) -> c_int,
    >,
    /// Ends an accept.
    pub accept: Option<unsafe extern "C" fn(conn: *mut connection, accept_handler: ConnectionCallbackFunc) -> c_int>,

    /// Writes.
    pub write: Option<unsafe extern "C" fn(conn: *mut connection, data: *const c_void, data_len: usize) -> c_int>,
    /// Writes several buffers.
    pub writev: Option<unsafe extern "C" fn(conn: *mut connection, iov: *const libc::iovec, iovcnt: c_int) -> c_int>,
    /// Reads.
    pub read: Option<unsafe extern "C" fn(conn: *mut connection, buf: *mut c_void, buf_len: usize) -> c_int>,
    /// Sets or removes the write handler.
    pub set_write_handler:
        Option<unsafe extern "C" fn(conn: *mut connection, handler: ConnectionCallbackFunc, barrier: c_int) -> c_int>,
    /// Sets or removes the read handler.
    pub set_read_handler: Option<unsafe extern "C" fn(conn: *mut connection, handler: ConnectionCallbackFunc) -> c_int>,
    /// The last error as text.
    pub get_last_error: Option<unsafe extern "C" fn(conn: *mut connection) -> *const c_char>,
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

    /// Whether the type holds data that the kernel no longer reports.
    pub has_pending_data: Option<unsafe extern "C" fn() -> c_int>,
    /// Runs the handlers of connections with such data.
    pub process_pending_data: Option<unsafe extern "C" fn() -> c_int>,

    /// The peer's certificate as an owned string.
    pub get_peer_cert: Option<unsafe extern "C" fn(conn: *mut connection) -> *mut c_char>,
}

// SAFETY: a table holds function pointers alone and is never written after it was built.
unsafe impl Sync for ConnectionType {}
