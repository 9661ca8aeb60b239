//! The connection layer from redis-7.2 on: registered types, listeners.

use super::ae::{aeEventLoop, aeFileProc};
use super::connection_common::ConnectionState;
#[cfg(abi_valkey_8_1)]
use core::ffi::c_uint;
use core::ffi::{CStr, c_char, c_int, c_longlong, c_short, c_ushort, c_void};
use core::mem::{offset_of, size_of};

/// A connection's callback.
pub type ConnectionCallbackFunc = Option<unsafe extern "C" fn(conn: *mut connection)>;

/// How many connection types can be registered.
#[cfg(not(abi_valkey_9))]
pub const CONN_TYPE_MAX: usize = 8;

/// Enough bytes for the name of a host.
#[cfg(abi_valkey_9)]
pub const NET_HOST_STR_LEN: usize = 256;
/// Enough bytes for an IP address as text.
#[cfg(abi_valkey_9)]
pub const NET_IP_STR_LEN: usize = 46;
/// Enough bytes for a host's name and a port.
#[cfg(abi_valkey_9)]
pub const NET_HOST_PORT_STR_LEN: usize = 288;

/// `connSetPostponeUpdateState`: another thread reads.
#[cfg(abi_valkey_9_1_2)]
pub const CONN_POSTPONE_READ: c_int = 1;
/// `connSetPostponeUpdateState`: another thread writes.
#[cfg(abi_valkey_9_1_2)]
pub const CONN_POSTPONE_WRITE: c_int = 2;

/// A user of the program around the library, which only the program looks into.
#[cfg(abi_valkey_9_1)]
#[repr(C)]
pub struct user {
    _opaque: [u8; 0],
}

/// How many addresses one listener can have.
pub const CONFIG_BINDADDR_MAX: usize = 16;
/// Enough bytes for any address as text: an IPv6 address with a scope, or a unix socket's name.
pub const CONN_ADDR_STR_LEN: usize = 128;

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
    /// The loop that the connection's events are registered with, NULL between two, and when it is found to be gone.
    #[cfg(abi_redis_8)]
    pub el: *mut aeEventLoop,
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
    #[cfg(not(abi_valkey))]
    pub r#priv: *mut c_void,
    /// Type specific: for the unix type NULL, or a `mode_t *` with the socket's permissions.
    #[cfg(abi_valkey_8_0)]
    pub priv1: *mut c_void,
    /// Type specific: for the unix type NULL, or the socket's group, a string.
    #[cfg(abi_valkey_8_0)]
    pub priv2: *mut c_void,
    /// Type specific: for the unix type NULL, or a `serverUnixContextConfig *`.
    #[cfg(abi_valkey_8_1)]
    pub r#priv: *mut c_void,
}

/// What a listener of the unix type finds in its `priv`.
#[cfg(abi_valkey_8_1)]
#[repr(C)]
pub struct serverUnixContextConfig {
    /// The socket's group, NULL to leave it alone.
    pub group: *mut c_char,
    /// The socket's permission bits, 0 to leave them alone.
    pub perm: c_uint,
}

/// What a connection type offers. Members that a type does not need are NULL.
#[repr(C)]
pub struct ConnectionType {
    /// The type's number, one of the `CONN_TYPE_` values.
    #[cfg(abi_valkey_9)]
    pub get_type: Option<unsafe extern "C" fn() -> c_int>,
    /// The type's name, for a connection or for NULL.
    #[cfg(not(abi_valkey_9))]
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
    /// Closes a listener's sockets.
    #[cfg(abi_valkey_8_1)]
    pub closeListener: Option<unsafe extern "C" fn(listener: *mut connListener)>,

    /// A new connection to be connected.
    #[cfg(not(abi_redis_8))]
    pub conn_create: Option<unsafe extern "C" fn() -> *mut connection>,
    /// A new connection over an accepted descriptor.
    #[cfg(not(abi_redis_8))]
    pub conn_create_accepted: Option<unsafe extern "C" fn(fd: c_int, r#priv: *mut c_void) -> *mut connection>,
    /// A new connection to be connected, of that loop.
    #[cfg(abi_redis_8)]
    pub conn_create: Option<unsafe extern "C" fn(el: *mut aeEventLoop) -> *mut connection>,
    /// A new connection over an accepted descriptor, of that loop.
    #[cfg(abi_redis_8)]
    pub conn_create_accepted:
        Option<unsafe extern "C" fn(el: *mut aeEventLoop, fd: c_int, r#priv: *mut c_void) -> *mut connection>,
    /// Shuts both directions down.
    pub shutdown: Option<unsafe extern "C" fn(conn: *mut connection)>,
    /// Closes and frees.
    pub close: Option<unsafe extern "C" fn(conn: *mut connection)>,

    /// Starts to connect; with `multipath` not 0 over MPTCP.
    #[cfg(abi_valkey_9)]
    pub connect: Option<
        unsafe extern "C" fn(
            conn: *mut connection,
            addr: *const c_char,
            port: c_int,
            source_addr: *const c_char,
            multipath: c_int,
            connect_handler: ConnectionCallbackFunc,
        ) -> c_int,
    >,
    /// Starts to connect.
    #[cfg(not(abi_valkey_9))]
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

    /// Takes leave of the connection's loop.
    #[cfg(abi_redis_8)]
    pub unbind_event_loop: Option<unsafe extern "C" fn(conn: *mut connection)>,
    /// Gives a connection that has no loop another one.
    #[cfg(abi_redis_8)]
    pub rebind_event_loop: Option<unsafe extern "C" fn(conn: *mut connection, el: *mut aeEventLoop) -> c_int>,

    /// Whether the type holds data that the kernel no longer reports.
    #[cfg(not(abi_redis_8))]
    pub has_pending_data: Option<unsafe extern "C" fn() -> c_int>,
    /// Runs the handlers of connections with such data.
    #[cfg(not(abi_redis_8))]
    pub process_pending_data: Option<unsafe extern "C" fn() -> c_int>,
    /// Whether the type holds data of that loop's connections that the kernel no longer reports.
    #[cfg(abi_redis_8)]
    pub has_pending_data: Option<unsafe extern "C" fn(el: *mut aeEventLoop) -> c_int>,
    /// Runs the handlers of that loop's connections with such data.
    #[cfg(abi_redis_8)]
    pub process_pending_data: Option<unsafe extern "C" fn(el: *mut aeEventLoop) -> c_int>,

    /// Stops (not 0) or resumes updating the loop's events when the connection's state changes.
    #[cfg(abi_valkey)]
    pub postpone_update_state: Option<unsafe extern "C" fn(conn: *mut connection, on: c_int)>,
    /// Updates them now.
    #[cfg(abi_valkey)]
    pub update_state: Option<unsafe extern "C" fn(conn: *mut connection)>,
    /// Not 0: `update_state` may call handlers.
    #[cfg(abi_valkey_9_1_2)]
    pub sync_handlers_in_update_state: c_int,

    /// The peer's certificate as an owned string.
    pub get_peer_cert: Option<unsafe extern "C" fn(conn: *mut connection) -> *mut c_char>,
    /// The user's name in the peer's certificate, as an owned string.
    #[cfg(abi_peer_username)]
    pub get_peer_username: Option<unsafe extern "C" fn(conn: *mut connection) -> *mut c_char>,
    /// The user that the peer's certificate names, and the name as an owned string.
    #[cfg(abi_valkey_9_1)]
    pub get_peer_user:
        Option<unsafe extern "C" fn(conn: *mut connection, cert_username: *mut *mut c_char) -> *mut user>,

    /// Whether the type itself checks that data arrives unchanged.
    #[cfg(abi_valkey_8_1)]
    pub connIntegrityChecked: Option<unsafe extern "C" fn() -> c_int>,
}

impl ConnectionType {
    /// A type that offers nothing.
    pub(crate) const NONE: Self = Self {
        get_type: None,
        init: None,
        cleanup: None,
        configure: None,
        ae_handler: None,
        accept_handler: core::ptr::null_mut(),
        addr: None,
        is_local: None,
        listen: None,
        #[cfg(abi_valkey_8_1)]
        closeListener: None,
        conn_create: None,
        conn_create_accepted: None,
        shutdown: None,
        close: None,
        connect: None,
        blocking_connect: None,
        accept: None,
        write: None,
        writev: None,
        read: None,
        set_write_handler: None,
        set_read_handler: None,
        get_last_error: None,
        sync_write: None,
        sync_read: None,
        sync_readline: None,
        #[cfg(abi_redis_8)]
        unbind_event_loop: None,
        #[cfg(abi_redis_8)]
        rebind_event_loop: None,
        has_pending_data: None,
        process_pending_data: None,
        #[cfg(abi_valkey)]
        postpone_update_state: None,
        #[cfg(abi_valkey)]
        update_state: None,
        #[cfg(abi_valkey_9_1_2)]
        sync_handlers_in_update_state: 0,
        get_peer_cert: None,
        #[cfg(abi_peer_username)]
        get_peer_username: None,
        #[cfg(abi_valkey_9_1)]
        get_peer_user: None,
        #[cfg(abi_valkey_8_1)]
        connIntegrityChecked: None,
    };

    /// Calls `has_pending_data`, if there is one.
    ///
    /// # Safety
    /// The function may be called with that loop.
    pub(crate) unsafe fn call_has_pending_data(&self, el: *mut aeEventLoop) -> c_int {
        // SAFETY: it may be called.
        unsafe { call_with_loop(self.has_pending_data, el) }
    }

    /// Calls `process_pending_data`, if there is one.
    ///
    /// # Safety
    /// The function may be called with that loop.
    pub(crate) unsafe fn call_process_pending_data(&self, el: *mut aeEventLoop) -> c_int {
        // SAFETY: it may be called.
        unsafe { call_with_loop(self.process_pending_data, el) }
    }
}

/// # Safety
/// The function may be called.
#[cfg(not(abi_redis_8))]
unsafe fn call_with_loop(function: Option<unsafe extern "C" fn() -> c_int>, _el: *mut aeEventLoop) -> c_int {
    // SAFETY: it may be called.
    function.map_or(0, |function| unsafe { function() })
}

/// # Safety
/// The function may be called with that loop.
#[cfg(abi_redis_8)]
unsafe fn call_with_loop(
    function: Option<unsafe extern "C" fn(*mut aeEventLoop) -> c_int>,
    el: *mut aeEventLoop,
) -> c_int {
    // SAFETY: it may be called.
    function.map_or(0, |function| unsafe { function(el) })
}

impl connection {
    /// Where there are four bytes that belong to no member, if there are.
    pub(crate) const PADDING: Option<usize> = {
        let start = (offset_of!(Self, iovcnt) + size_of::<c_ushort>()).next_multiple_of(4);
        if start + 4 <= offset_of!(Self, private_data) { Some(start) } else { None }
    };

    /// The loop that the connection knows: Some where connections do, and then it may be NULL.
    pub(crate) fn own_loop(&self) -> Option<*mut aeEventLoop> {
        #[cfg(abi_redis_8)]
        return Some(self.el);
        #[cfg(not(abi_redis_8))]
        None
    }

    /// Tells the connection its loop, where connections know theirs, and how many buffers one `writev` takes.
    pub(crate) fn prepare(&mut self, el: *mut aeEventLoop, iovcnt: c_ushort) {
        self.set_own_loop(el);
        self.iovcnt = iovcnt;
    }

    /// Stores the loop, NULL for none, where connections know theirs.
    pub(crate) fn set_own_loop(&mut self, el: *mut aeEventLoop) {
        #[cfg(abi_redis_8)]
        {
            self.el = el;
        }
        let _ = el;
    }
}

impl connListener {
    /// The permissions and the group that a listener of the unix type brings.
    ///
    /// # Safety
    /// What the listener has for its type is NULL, or what the type expects and valid for as long as the result.
    pub(crate) unsafe fn unix_options<'a>(&self) -> (Option<libc::mode_t>, Option<&'a CStr>) {
        // SAFETY: NULL, or what the type expects.
        unsafe {
            #[cfg(not(abi_valkey))]
            let (permissions, group) = (self.r#priv.cast::<libc::mode_t>().as_ref().copied(), core::ptr::null());
            #[cfg(abi_valkey_8_0)]
            let (permissions, group) = (self.priv1.cast::<libc::mode_t>().as_ref().copied(), self.priv2.cast());
            #[cfg(abi_valkey_8_1)]
            let (permissions, group) = match self.r#priv.cast::<serverUnixContextConfig>().as_ref() {
                Some(config) => (Some(config.perm as libc::mode_t), config.group.cast_const()),
                None => (None, core::ptr::null()),
            };
            let group: *const c_char = group;
            (permissions, (!group.is_null()).then(|| CStr::from_ptr(group)))
        }
    }
}
