//! Connection types, the connections they create, and listeners.

use super::typed;
use crate::abi::ae::aeFileProc;
use crate::abi::connection::*;
use crate::connection::registry;
use crate::ffi::args::{call, non_null, string};
use core::ffi::{c_char, c_int, c_void};
use core::ptr;
use nix::errno::Errno;

/// A new connection, to be connected. The caller owns it and frees it with `connClose`.
///
/// Returns it; NULL with errno `EINVAL` (NULL, or a type that cannot) or `ENOMEM`.
///
/// # Safety
/// `ct` is NULL or a connection type.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connCreate(ct: *mut ConnectionType) -> *mut connection {
    // SAFETY: the caller vouches for the type.
    unsafe { typed(ct, ptr::null_mut(), |t| t.conn_create, |f| f()) }
}

/// A new connection over the accepted descriptor `fd`, which it owns from now on, in `CONN_STATE_ACCEPTING`.
/// `priv` is type specific, NULL for TCP and unix sockets. Errors as `connCreate`; then `fd` stays the caller's.
///
/// # Safety
/// `ct` is NULL or a connection type.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connCreateAccepted(
    ct: *mut ConnectionType,
    fd: c_int,
    r#priv: *mut c_void,
) -> *mut connection {
    // SAFETY: the caller vouches for the type.
    unsafe { typed(ct, ptr::null_mut(), |t| t.conn_create_accepted, |f| f(fd, r#priv)) }
}

/// Configures a connection type; with `reconfigure` not 0 again.
///
/// Returns `C_OK`; `C_ERR` with errno, `EINVAL` for NULL and for a type that takes no configuration, like TCP and
/// unix sockets.
///
/// # Safety
/// `ct` is NULL or a connection type; `priv` is what its configuration expects.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connTypeConfigure(ct: *mut ConnectionType, r#priv: *mut c_void, reconfigure: c_int) -> c_int {
    // SAFETY: the caller vouches for the type.
    unsafe { typed(ct, C_ERR, |t| t.configure, |f| f(r#priv, reconfigure)) }
}

/// Opens a listener's sockets: fills `fd` and `count`. For the TCP type through the host's `listen` hook.
///
/// Returns `C_OK`; `C_ERR` with errno.
///
/// # Safety
/// `listener` is NULL or a listener whose `bindaddr` holds `bindaddr_count` strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connListen(listener: *mut connListener) -> c_int {
    if listener.is_null() {
        Errno::EINVAL.set();
        return C_ERR;
    }
    // SAFETY: the caller vouches for the listener.
    unsafe { typed((*listener).ct, C_ERR, |t| t.listen, |f| f(listener)) }
}

/// The callback for a listening descriptor of this type, to be given to `aeCreateFileEvent`; NULL when there is
/// none. It accepts until nobody waits, so the descriptor has to be non-blocking: `connListen` makes it so,
/// `anetTcpServer` and its like do not.
///
/// # Safety
/// `ct` is NULL or a connection type.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connAcceptHandler(ct: *mut ConnectionType) -> *mut aeFileProc {
    if ct.is_null() {
        return ptr::null_mut();
    }
    // SAFETY: the caller vouches for the type.
    unsafe { (*ct).accept_handler }
}

/// Registers a connection type under the name that its `get_type` gives for NULL, and calls its `init`. The table
/// is not copied: it must stay.
///
/// Returns `C_OK`; `C_ERR` with errno `EINVAL` (NULL, or no name), `EEXIST` (the name is taken, whatever its case) or
/// `ENOSPC` (`CONN_TYPE_MAX` types are registered).
///
/// # Safety
/// `ct` is NULL or a connection type that is never freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connTypeRegister(ct: *mut ConnectionType) -> c_int {
    call(C_ERR, || {
        let ct = non_null(ct)?;
        // SAFETY: the caller vouches for the type.
        unsafe { registry::register(ct) }.map(|()| C_OK)
    })
}

/// Registers the built-in types, "tcp" and "unix"; calling it again is harmless.
///
/// Returns `C_OK`; `C_ERR` with errno when another type has taken a name.
#[unsafe(no_mangle)]
pub extern "C" fn connTypeInitialize() -> c_int {
    call(C_ERR, || registry::register_builtin().map(|()| C_OK))
}

/// Registers the built-in type "tcp".
///
/// Returns `C_OK`; `C_ERR` with errno `EEXIST` when the name is taken.
#[unsafe(no_mangle)]
pub extern "C" fn RedisRegisterConnectionTypeSocket() -> c_int {
    call(C_ERR, || registry::register_socket().map(|()| C_OK))
}

/// Registers the built-in type "unix".
///
/// Returns `C_OK`; `C_ERR` with errno `EEXIST` when the name is taken.
#[unsafe(no_mangle)]
pub extern "C" fn RedisRegisterConnectionTypeUnix() -> c_int {
    call(C_ERR, || registry::register_unix().map(|()| C_OK))
}

/// Registers the TLS type, when the library has one: this build has none and returns `C_ERR` with errno
/// `EOPNOTSUPP`, as upstream does when built without TLS.
#[unsafe(no_mangle)]
pub extern "C" fn RedisRegisterConnectionTypeTLS() -> c_int {
    Errno::EOPNOTSUPP.set();
    C_ERR
}

/// The registered type of that name, whatever its case.
///
/// Returns it; NULL with errno `ENOENT`, or `EINVAL` for NULL.
///
/// # Safety
/// `type_name` is NULL or a string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connectionByType(type_name: *const c_char) -> *mut ConnectionType {
    call(ptr::null_mut(), || {
        // SAFETY: the caller vouches for the string.
        registry::by_name(unsafe { string(type_name) }?).map(|(_, ct)| ct).ok_or(Errno::ENOENT)
    })
}

/// The index of the registered type of that name: 0 to `CONN_TYPE_MAX - 1`, in the order of registration.
///
/// Returns it; -1 with errno as `connectionByType`.
///
/// # Safety
/// `type_name` is NULL or a string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connectionIndexByType(type_name: *const c_char) -> c_int {
    call(-1, || {
        // SAFETY: the caller vouches for the string.
        registry::by_name(unsafe { string(type_name) }?).map(|(index, _)| index).ok_or(Errno::ENOENT)
    })
}

/// The registered type "tcp", NULL when there is none.
#[unsafe(no_mangle)]
pub extern "C" fn connectionTypeTcp() -> *mut ConnectionType {
    registry::tcp()
}

/// The registered type "tls", NULL when there is none.
#[unsafe(no_mangle)]
pub extern "C" fn connectionTypeTls() -> *mut ConnectionType {
    registry::tls()
}

/// The registered type "unix", NULL when there is none.
#[unsafe(no_mangle)]
pub extern "C" fn connectionTypeUnix() -> *mut ConnectionType {
    registry::unix()
}

/// Calls the `cleanup` of every registered type.
#[unsafe(no_mangle)]
pub extern "C" fn connTypeCleanupAll() {
    registry::cleanup_all();
}

/// Whether any type holds data that the kernel no longer reports: then the loop must not wait. 1 or 0.
#[unsafe(no_mangle)]
pub extern "C" fn connTypeHasPendingData() -> c_int {
    registry::has_pending_data().into()
}

/// Runs the handlers of connections with such data. Returns how many.
#[unsafe(no_mangle)]
pub extern "C" fn connTypeProcessPendingData() -> c_int {
    registry::process_pending_data()
}
