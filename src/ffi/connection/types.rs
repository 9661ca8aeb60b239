//! Connection types, the connections they create, and listeners.

#[cfg(any(abi_redis_8, abi_valkey_8_1))]
use super::border::member;
use super::border::{dispatch, handle, invalid};
#[cfg(abi_redis_8)]
use crate::abi::ae::aeEventLoop;
use crate::abi::ae::aeFileProc;
use crate::abi::connection::*;
#[cfg(any(not(feature = "tls"), abi_valkey_8_1))]
use crate::abi::host::LIBAE_LOG_VERBOSE;
#[cfg(abi_valkey_9)]
use crate::abi::host::LIBAE_LOG_WARNING;
#[cfg(abi_valkey_9)]
use crate::abi::type_identity::type_name;
use crate::connection::registry;
#[cfg(abi_redis_8)]
use crate::connection::{Conn, leave};
#[cfg(abi_redis_8)]
use crate::ffi::args::event_loop;
#[cfg(not(abi_valkey_9))]
use crate::ffi::args::string;
use crate::ffi::args::{call, non_null, quietly};
#[cfg(any(not(feature = "tls"), abi_valkey_8_1))]
use crate::host::log;
#[cfg(not(abi_valkey_9))]
use core::ffi::c_char;
use core::ffi::{c_int, c_void};
use core::ptr;
use nix::errno::Errno;

/// Calls the function that `pick` finds in a type.
///
/// # Safety
/// `ct` is NULL or a connection type.
unsafe fn typed<F, T>(
    ct: *mut ConnectionType,
    failure: T,
    pick: impl FnOnce(&ConnectionType) -> Option<F>,
    run: impl FnOnce(F) -> T,
) -> T {
    // SAFETY: NULL or a type; the reference ends before the function runs.
    match unsafe { ct.as_ref() }.and_then(pick) {
        Some(function) => run(function),
        None => invalid(failure),
    }
}

/// A new connection, to be connected. The caller owns it and frees it with `connClose`.
///
/// Returns it; NULL with errno `EINVAL` (NULL, or a type that cannot) or `ENOMEM`.
///
/// # Safety
/// `ct` is NULL or a connection type.
#[cfg(not(abi_redis_8))]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connCreate(ct: *mut ConnectionType) -> *mut connection {
    // SAFETY: NULL or a type, whose function asks for no more than this one does.
    unsafe { typed(ct, ptr::null_mut(), |t| t.conn_create, |f| f()) }
}

/// A new connection over the accepted descriptor `fd`, which it owns from now on, in `CONN_STATE_ACCEPTING`.
/// `priv` is type specific, NULL for TCP and unix sockets. Errors as `connCreate`; then `fd` stays the caller's.
///
/// # Safety
/// `ct` is NULL or a connection type.
#[cfg(not(abi_redis_8))]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connCreateAccepted(
    ct: *mut ConnectionType,
    fd: c_int,
    r#priv: *mut c_void,
) -> *mut connection {
    // SAFETY: NULL or a type, whose function asks for no more than this one does.
    unsafe { typed(ct, ptr::null_mut(), |t| t.conn_create_accepted, |f| f(fd, r#priv)) }
}

/// A new connection, to be connected, whose events are registered with `el` (NULL: with none until
/// `connRebindEventLoop`). The caller owns it and frees it with `connClose`.
///
/// Returns it; NULL with errno `EINVAL` (NULL, or a type that cannot) or `ENOMEM`.
///
/// # Safety
/// `ct` is NULL or a connection type, `el` NULL or a loop that lives as long as it is the connection's.
#[cfg(abi_redis_8)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connCreate(el: *mut aeEventLoop, ct: *mut ConnectionType) -> *mut connection {
    // SAFETY: NULL or a type, whose function asks for no more than this one does.
    unsafe { typed(ct, ptr::null_mut(), |t| t.conn_create, |f| f(el)) }
}

/// A new connection over the accepted descriptor `fd`, which it owns from now on, in `CONN_STATE_ACCEPTING`.
/// `priv` is type specific, NULL for TCP and unix sockets. `el` and errors as for `connCreate`; when it fails `fd`
/// stays the caller's.
///
/// # Safety
/// `ct` is NULL or a connection type, `el` NULL or a loop that lives as long as it is the connection's.
#[cfg(abi_redis_8)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connCreateAccepted(
    el: *mut aeEventLoop,
    ct: *mut ConnectionType,
    fd: c_int,
    r#priv: *mut c_void,
) -> *mut connection {
    // SAFETY: NULL or a type, whose function asks for no more than this one does.
    unsafe { typed(ct, ptr::null_mut(), |t| t.conn_create_accepted, |f| f(el, fd, r#priv)) }
}

/// Whether the connection has an event loop: 1 or 0.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread.
#[cfg(abi_redis_8)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connHasEventLoop(conn: *mut connection) -> c_int {
    // SAFETY: NULL or live.
    member(unsafe { handle(conn) }, 0, |conn| has_loop(conn).into())
}

/// Removes the connection's handlers and takes it from its loop, so that another thread's loop may have it. One that
/// has no loop is left alone. A connect by `libaeConnConnectName` that has no socket yet ends: the connection is in
/// `CONN_STATE_ERROR`, with `last_errno` `ECANCELED`, and its handler is not called.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread.
#[cfg(abi_redis_8)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connUnbindEventLoop(conn: *mut connection) {
    // SAFETY: NULL or live.
    let Some(conn) = (unsafe { handle(conn) }).filter(|conn| has_loop(*conn)) else { return };
    quietly(|| {
        leave(conn);
        // SAFETY: live, and of this type.
        dispatch(Some(conn), C_ERR, |t| t.set_read_handler, |f, conn| unsafe { f(conn, None) });
        // SAFETY: as above.
        dispatch(Some(conn), C_ERR, |t| t.set_write_handler, |f, conn| unsafe { f(conn, None, 0) });
        // SAFETY: as above.
        dispatch(Some(conn), (), |t| t.unbind_event_loop, |f, conn| unsafe { f(conn) });
        conn.set_own_loop(ptr::null_mut());
    });
}

#[cfg(abi_redis_8)]
fn has_loop(conn: Conn) -> bool {
    conn.own_loop().is_some_and(|el| !el.is_null())
}

/// Gives a connection that has no loop this one.
///
/// Returns `C_OK`; `C_ERR` with errno `EINVAL` when it has a loop or handlers already (upstream aborts), or for NULL.
///
/// # Safety
/// `conn` is NULL or a live connection that no other thread uses, `el` NULL or a loop that lives as long as it is the
/// connection's.
#[cfg(abi_redis_8)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connRebindEventLoop(conn: *mut connection, el: *mut aeEventLoop) -> c_int {
    // SAFETY: NULL or live; the type's function asks for no more than this one does.
    unsafe { dispatch(handle(conn), C_ERR, |t| t.rebind_event_loop, |f, conn| f(conn, el)) }
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
    // SAFETY: NULL or a type, whose function asks for no more than this one does.
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
    // SAFETY: a listener, whose type's function asks for no more than this one does.
    unsafe { typed((*listener).ct, C_ERR, |t| t.listen, |f| f(listener)) }
}

/// Stops watching a listener's sockets and closes them; `count` becomes 0. A listener without sockets is left alone.
///
/// # Safety
/// `listener` is NULL or a listener of this thread.
#[cfg(abi_valkey_8_1)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connCloseListener(listener: *mut connListener) {
    // SAFETY: not NULL, so a listener.
    if listener.is_null() || unsafe { (*listener).count } == 0 {
        return;
    }
    // SAFETY: as above; its type's function asks for no more than this one does.
    quietly(|| unsafe { typed((*listener).ct, (), |t| t.closeListener, |f| f(listener)) });
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
    // SAFETY: not NULL, so a type.
    unsafe { (*ct).accept_handler }
}

/// Registers a connection type under the number that its `get_type` gives, and calls its `init`. The table is not
/// copied: it must stay.
///
/// Returns `C_OK`; `C_ERR` with errno `EINVAL` (NULL, or no number below `CONN_TYPE_MAX`) or `EEXIST` (the number is
/// taken). Upstream aborts.
///
/// # Safety
/// `ct` is NULL or a connection type that is never freed.
#[cfg(abi_valkey_9)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connTypeRegister(ct: *mut ConnectionType) -> c_int {
    // SAFETY: NULL or a type that stays.
    unsafe { register(ct) }
}

/// Registers a connection type under the name that its `get_type` gives for NULL, and calls its `init`. The table
/// is not copied: it must stay.
///
/// Returns `C_OK`; `C_ERR` with errno `EINVAL` (NULL, or no name), `EEXIST` (the name is taken, whatever its case) or
/// `ENOSPC` (`CONN_TYPE_MAX` types are registered).
///
/// # Safety
/// `ct` is NULL or a connection type that is never freed.
#[cfg(not(abi_valkey_9))]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connTypeRegister(ct: *mut ConnectionType) -> c_int {
    // SAFETY: NULL or a type that stays.
    unsafe { register(ct) }
}

/// # Safety
/// `ct` is NULL or a connection type that is never freed.
unsafe fn register(ct: *mut ConnectionType) -> c_int {
    call(C_ERR, || {
        let ct = non_null(ct)?;
        // SAFETY: a type that stays.
        unsafe { registry::register(ct) }.map(|()| C_OK)
    })
}

/// Registers the built-in types "tcp" and "unix"; calling it again is harmless. Then calls the functions that register
/// "tls" and the like, which a program may bring itself; whether these succeed does not matter here.
///
/// Returns `C_OK`; `C_ERR` with errno when another type has taken a name.
#[unsafe(no_mangle)]
pub extern "C" fn connTypeInitialize() -> c_int {
    call(C_ERR, || {
        registry::register_builtin()?;
        // Weak symbols: it is the linker, not the compiler, who knows which functions they are.
        core::hint::black_box(RedisRegisterConnectionTypeTLS as extern "C" fn() -> c_int)();
        #[cfg(abi_valkey_8_1)]
        core::hint::black_box(RegisterConnectionTypeRdma as extern "C" fn() -> c_int)();
        Ok(C_OK)
    })
}

/// Registers the RDMA type, which only a program can bring: returns `C_ERR` with errno `EOPNOTSUPP`. libae.a has it as
/// a weak symbol.
#[cfg(abi_valkey_8_1)]
#[unsafe(no_mangle)]
pub extern "C" fn RegisterConnectionTypeRdma() -> c_int {
    not_built_in("rdma")
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

/// Registers the built-in type "tls"; calling it again is harmless. libae.a has it as a weak symbol, so that a fork's
/// own tls.o takes its place.
///
/// Returns `C_OK`; `C_ERR` with errno `EEXIST` when the name is taken, or `EOPNOTSUPP` in a library that has been built
/// without TLS.
#[unsafe(no_mangle)]
pub extern "C" fn RedisRegisterConnectionTypeTLS() -> c_int {
    #[cfg(feature = "tls")]
    return call(C_ERR, || registry::register_tls().map(|()| C_OK));
    #[cfg(not(feature = "tls"))]
    not_built_in("tls")
}

/// Says what is missing. The name also keeps the compiler from making one function of several: a program that brings
/// one of these functions must not replace the others with it.
#[cfg(any(not(feature = "tls"), abi_valkey_8_1))]
fn not_built_in(name: &str) -> c_int {
    log(LIBAE_LOG_VERBOSE, format_args!("Connection type {name} is not built in"));
    Errno::EOPNOTSUPP.set();
    C_ERR
}

/// The registered type of that number, one of the `CONN_TYPE_` values.
///
/// Returns it; NULL with errno `ENOENT`, which is logged, or `EINVAL` for a number that no type can have.
#[cfg(abi_valkey_9)]
#[unsafe(no_mangle)]
pub extern "C" fn connectionByType(r#type: c_int) -> *mut ConnectionType {
    call(ptr::null_mut(), || {
        let place = usize::try_from(r#type).ok().filter(|place| *place < CONN_TYPE_MAX).ok_or(Errno::EINVAL)?;
        registry::by_place(place).ok_or_else(|| {
            let name = type_name(r#type).to_string_lossy();
            log(LIBAE_LOG_WARNING, format_args!("Missing implement of connection type {name}"));
            Errno::ENOENT
        })
    })
}

/// The registered type of that name, whatever its case.
///
/// Returns it; NULL with errno `ENOENT`, or `EINVAL` for NULL.
///
/// # Safety
/// `type_name` is NULL or a string.
#[cfg(not(abi_valkey_9))]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connectionByType(type_name: *const c_char) -> *mut ConnectionType {
    call(ptr::null_mut(), || {
        // SAFETY: NULL or a string.
        registry::by_name(unsafe { string(type_name) }?).map(|(_, ct)| ct).ok_or(Errno::ENOENT)
    })
}

/// The index of the registered type of that name: 0 to `CONN_TYPE_MAX - 1`, in the order of registration.
///
/// Returns it; -1 with errno as `connectionByType`.
///
/// # Safety
/// `type_name` is NULL or a string.
#[cfg(not(abi_valkey_9))]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connectionIndexByType(type_name: *const c_char) -> c_int {
    call(-1, || {
        // SAFETY: NULL or a string.
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
#[cfg(not(abi_redis_8))]
#[unsafe(no_mangle)]
pub extern "C" fn connTypeHasPendingData() -> c_int {
    registry::has_pending_data(None).into()
}

/// Runs the handlers of connections with such data. Returns how many.
#[cfg(not(abi_redis_8))]
#[unsafe(no_mangle)]
pub extern "C" fn connTypeProcessPendingData() -> c_int {
    registry::process_pending_data(None)
}

/// Whether any type holds data of this loop's connections that the kernel no longer reports: then the loop must not
/// wait. 1 or 0.
///
/// # Safety
/// `el` is NULL or a live loop.
#[cfg(abi_redis_8)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connTypeHasPendingData(el: *mut aeEventLoop) -> c_int {
    // SAFETY: NULL or a live loop.
    registry::has_pending_data(unsafe { event_loop(el) }.ok()).into()
}

/// Runs the handlers of this loop's connections with such data. Returns how many.
///
/// # Safety
/// `el` is NULL or a live loop of this thread.
#[cfg(abi_redis_8)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connTypeProcessPendingData(el: *mut aeEventLoop) -> c_int {
    // SAFETY: NULL or a live loop.
    registry::process_pending_data(unsafe { event_loop(el) }.ok())
}

/// Shuts both directions of the socket down; the peer sees the end of the input. The connection stays to be
/// closed.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connShutdown(conn: *mut connection) {
    // SAFETY: NULL or live; the type's function asks for no more than this one does.
    quietly(|| unsafe { dispatch(handle(conn), (), |t| t.shutdown, |f, conn| f(conn)) })
}

/// With `on` not 0, changes of the connection's state no longer change what its loop watches for, until
/// `connUpdateState` or until it is called with 0: for connections that another thread is using. TCP and unix sockets
/// have nothing to postpone.
///
/// # Safety
/// `conn` is NULL or a live connection.
#[cfg(abi_valkey)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connSetPostponeUpdateState(conn: *mut connection, on: c_int) {
    // SAFETY: NULL or live; the type's function asks for no more than this one does.
    quietly(|| unsafe { dispatch(handle(conn), (), |t| t.postpone_update_state, |f, conn| f(conn, on)) })
}

/// Brings what the loop watches for in line with the connection's state.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread.
#[cfg(abi_valkey)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connUpdateState(conn: *mut connection) {
    // SAFETY: NULL or live; the type's function asks for no more than this one does.
    quietly(|| unsafe { dispatch(handle(conn), (), |t| t.update_state, |f, conn| f(conn)) })
}

/// Whether `connUpdateState` may call handlers, which may close the connection: 1 or 0. The built-in types do not.
///
/// # Safety
/// `conn` is NULL or a live connection.
#[cfg(abi_valkey_9_1_2)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connUpdateStateMayInvokeHandlers(conn: *mut connection) -> c_int {
    // SAFETY: NULL or live.
    let conn = unsafe { handle(conn) };
    member(conn, 0, |conn| conn.of_type(|t| Some((t.sync_handlers_in_update_state != 0).into())).unwrap_or(0))
}

/// Whether the connection's type itself checks that data arrives unchanged: 1 or 0.
///
/// # Safety
/// `conn` is NULL or a live connection.
#[cfg(abi_valkey_8_1)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connIsIntegrityChecked(conn: *mut connection) -> c_int {
    // SAFETY: NULL or live.
    let checks = member(unsafe { handle(conn) }, None, |conn| conn.of_type(|t| t.connIntegrityChecked));
    // SAFETY: a type's function, which takes nothing.
    checks.map_or(0, |checks| (unsafe { checks() } != 0).into())
}
