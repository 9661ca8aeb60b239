//! What the built-in types have in common.

#[cfg(abi_redis_8)]
use crate::abi::ae::aeEventLoop;
use crate::abi::connection::*;
use crate::anet;
use crate::connection::errors::status;
use crate::connection::handle::Conn;
#[cfg(abi_redis_8)]
use crate::connection::home;
use crate::connection::socket::{self, STREAM};
#[cfg(abi_redis_8)]
use crate::event_loop::Loop;
#[cfg(abi_redis_8)]
use crate::sys::Errno;
use crate::sys::errno::quietly;
use crate::sys::text::TextRoom;
use core::ffi::{c_char, c_int};

/// What the types "tcp" and "unix" have in common.
pub(super) const SOCKET: ConnectionType = ConnectionType {
    shutdown: Some(shutdown),
    writev: Some(socket::writev),
    #[cfg(abi_valkey_8_1)]
    closeListener: Some(super::listen::close_listener),
    #[cfg(abi_redis_8)]
    rebind_event_loop: Some(rebind_event_loop),
    ..STREAM
};

/// What a type says it is: its name, or its number.
macro_rules! says {
    ($function:ident, $name:literal, $number:ident) => {
        #[cfg(not(abi_valkey_9))]
        unsafe extern "C" fn $function(_conn: *mut connection) -> *const core::ffi::c_char {
            $name.as_ptr()
        }

        #[cfg(abi_valkey_9)]
        unsafe extern "C" fn $function() -> c_int {
            $number
        }
    };
}
pub(super) use says;

/// The two functions that create a type's connections, which are told the loop where connections know theirs.
macro_rules! creators {
    ($ct:ident, $create:ident, $create_accepted:ident) => {
        #[cfg(not(abi_redis_8))]
        unsafe extern "C" fn $create() -> *mut connection {
            created(&$ct, None, -1, CONN_STATE_NONE)
        }

        #[cfg(not(abi_redis_8))]
        unsafe extern "C" fn $create_accepted(fd: c_int, _priv: *mut c_void) -> *mut connection {
            created(&$ct, None, fd, CONN_STATE_ACCEPTING)
        }

        #[cfg(abi_redis_8)]
        unsafe extern "C" fn $create(el: *mut aeEventLoop) -> *mut connection {
            // SAFETY: called with NULL or a live loop.
            created(&$ct, unsafe { named(el) }, -1, CONN_STATE_NONE)
        }

        #[cfg(abi_redis_8)]
        unsafe extern "C" fn $create_accepted(el: *mut aeEventLoop, fd: c_int, _priv: *mut c_void) -> *mut connection {
            // SAFETY: called with NULL or a live loop.
            created(&$ct, unsafe { named(el) }, fd, CONN_STATE_ACCEPTING)
        }
    };
}
pub(super) use creators;

pub(super) unsafe extern "C" fn shutdown(conn: *mut connection) {
    // SAFETY: called through a live connection's table.
    let fd = unsafe { Conn::new(conn) }.fd();
    // It fails for a socket that is no longer connected: there is nothing to shut down.
    let _ = quietly(|| crate::sys::socket::shutdown(fd));
}

/// # Safety
/// `conn` is a live connection of this thread; `ip` is NULL or has room for `ip_len` bytes, `port` is NULL or valid.
pub(super) unsafe extern "C" fn addr(
    conn: *mut connection,
    ip: *mut c_char,
    ip_len: usize,
    port: *mut c_int,
    remote: c_int,
) -> c_int {
    // SAFETY: live.
    let conn = unsafe { Conn::new(conn) };
    let end = anet::end_address(conn.fd(), remote != 0);
    // SAFETY: NULL, or room for that many bytes and for a port.
    let (ip, port) = unsafe { (TextRoom::new(ip, ip_len), port.as_mut()) };
    let result = anet::write_end(end, ip, port);
    status(|| result.inspect_err(|errno| conn.set_last_errno(*errno as c_int)))
}

/// Gives a connection without a loop another one; `EINVAL` for one that has a loop or handlers.
#[cfg(abi_redis_8)]
pub(super) fn rebind(conn: Conn, el: Option<Loop>) -> Result<(), Errno> {
    let has_loop = conn.own_loop().is_some_and(|el| !el.is_null());
    if has_loop || conn.read_handler().is_some() || conn.write_handler().is_some() {
        return Err(Errno::EINVAL);
    }
    home::moved(conn, el);
    Ok(())
}

#[cfg(abi_redis_8)]
unsafe extern "C" fn rebind_event_loop(conn: *mut connection, el: *mut aeEventLoop) -> c_int {
    // SAFETY: called through a live connection's table with NULL or a live loop.
    let (conn, el) = unsafe { (Conn::new(conn), home::named(el)) };
    status(|| rebind(conn, el))
}
