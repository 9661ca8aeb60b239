//! The "tls" type.

use super::listen::{accept, listen_tcp};
#[cfg(abi_redis_8)]
use super::shared::rebind;
use super::shared::{addr, says};
use super::tcp::is_tcp_local;
use crate::abi::ae::{AeFileProc, aeEventLoop, aeFileProc};
use crate::abi::connection::*;
use crate::connection::errors::status;
use crate::connection::home::named;
use crate::connection::listener::rest;
use crate::connection::tls::{self, TlsConn};
use crate::event_loop::Loop;
use crate::host;
use crate::sys::Errno;
use crate::sys::errno::{call, quietly};
use core::ffi::{c_char, c_int, c_void};
use core::ptr::NonNull;

/// The "tls" type.
pub(crate) static TLS: ConnectionType = ConnectionType {
    get_type: Some(tls_type),
    cleanup: Some(cleanup_tls),
    configure: Some(configure_tls),
    accept_handler: accept_tls as AeFileProc as *mut aeFileProc,
    addr: Some(addr),
    is_local: Some(is_tcp_local),
    listen: Some(listen_tcp),
    #[cfg(abi_valkey_8_1)]
    closeListener: Some(super::listen::close_listener),
    conn_create: Some(create_tls),
    conn_create_accepted: Some(create_accepted_tls),
    shutdown: Some(shutdown_tls),
    writev: Some(tls::writev_tls),
    #[cfg(abi_redis_8)]
    unbind_event_loop: Some(unbind_tls),
    #[cfg(abi_redis_8)]
    rebind_event_loop: Some(rebind_tls),
    has_pending_data: Some(has_pending_tls),
    process_pending_data: Some(process_pending_tls),
    #[cfg(abi_valkey)]
    postpone_update_state: Some(postpone_tls),
    #[cfg(abi_valkey)]
    update_state: Some(update_tls),
    get_peer_cert: Some(peer_cert_tls),
    #[cfg(abi_peer_username)]
    get_peer_username: Some(peer_username_tls),
    #[cfg(abi_valkey_9_1)]
    get_peer_user: Some(peer_user_tls),
    #[cfg(abi_valkey_8_1)]
    connIntegrityChecked: Some(is_integrity_checked),
    ..tls::TLS_STREAM
};

says!(tls_type, c"tls", CONN_TYPE_TLS);

/// The event loop's callback for listening sockets of TLS.
unsafe extern "C" fn accept_tls(el: *mut aeEventLoop, fd: c_int, data: *mut c_void, _mask: c_int) {
    // SAFETY: the loop calls it with itself.
    let Some(el) = (unsafe { named(el) }) else { return };
    let chosen = tls::of_listener(fd);
    let create = |fd| {
        match &chosen {
            Some(context) => tls::create_accepted_with(&TLS, Some(el), fd, context.clone()),
            None => tls::create_accepted(&TLS, Some(el), fd, host::tls_auth_clients()),
        }
        .map(|conn| *conn)
    };
    match tls::accepts(el, host::tls_accepts_per_call() as usize) {
        Some(most) => accept(el, fd, data, most, 0, create),
        None => rest(el, fd),
    }
}

unsafe extern "C" fn configure_tls(config: *mut c_void, reconfigure: c_int) -> c_int {
    status(|| {
        let config = NonNull::new(config.cast()).ok_or(Errno::EINVAL)?;
        if reconfigure == 0 && tls::is_configured() {
            return Ok(());
        }
        // SAFETY: called with a configuration of this type.
        unsafe { tls::configure_upstream(config) }
    })
}

unsafe extern "C" fn cleanup_tls() {
    tls::forget();
}

#[cfg(not(abi_redis_8))]
unsafe extern "C" fn create_tls() -> *mut connection {
    call(core::ptr::null_mut(), || tls::create(&TLS, None).map(|conn| conn.as_ptr()))
}

/// `auth` is NULL, or an `int *` that says whether the client is asked for its certificate.
#[cfg(not(abi_redis_8))]
unsafe extern "C" fn create_accepted_tls(fd: c_int, auth: *mut c_void) -> *mut connection {
    // SAFETY: called with NULL or what the type expects.
    unsafe { create_accepted(None, fd, auth) }
}

#[cfg(abi_redis_8)]
unsafe extern "C" fn create_tls(el: *mut aeEventLoop) -> *mut connection {
    // SAFETY: called with NULL or a live loop.
    let el = unsafe { named(el) };
    call(core::ptr::null_mut(), || tls::create(&TLS, el).map(|conn| conn.as_ptr()))
}

/// `auth` is NULL, or an `int *` that says whether the client is asked for its certificate.
#[cfg(abi_redis_8)]
unsafe extern "C" fn create_accepted_tls(el: *mut aeEventLoop, fd: c_int, auth: *mut c_void) -> *mut connection {
    // SAFETY: called with NULL or a live loop, and NULL or what the type expects.
    unsafe { create_accepted(named(el), fd, auth) }
}

/// # Safety
/// `auth` is NULL or an `int *`.
unsafe fn create_accepted(el: Option<Loop>, fd: c_int, auth: *mut c_void) -> *mut connection {
    // SAFETY: NULL or an `int *`.
    let auth = unsafe { auth.cast::<c_int>().as_ref() }.copied().or_else(host::tls_auth_clients);
    call(core::ptr::null_mut(), || tls::create_accepted(&TLS, el, fd, auth).map(|conn| conn.as_ptr()))
}

unsafe extern "C" fn shutdown_tls(conn: *mut connection) {
    // SAFETY: called through a live connection's table.
    let conn = unsafe { TlsConn::new(conn) };
    quietly(|| tls::shutdown(conn));
}

#[cfg(abi_redis_8)]
unsafe extern "C" fn unbind_tls(conn: *mut connection) {
    // SAFETY: called through a live connection's table.
    let conn = unsafe { TlsConn::new(conn) };
    quietly(|| tls::unbind(conn));
}

#[cfg(abi_redis_8)]
unsafe extern "C" fn rebind_tls(conn: *mut connection, el: *mut aeEventLoop) -> c_int {
    // SAFETY: called through a live connection's table with NULL or a live loop.
    let (conn, el) = unsafe { (TlsConn::new(conn), named(el)) };
    status(|| {
        rebind(*conn, el)?;
        tls::rebound(conn)
    })
}

#[cfg(not(abi_redis_8))]
unsafe extern "C" fn has_pending_tls() -> c_int {
    tls::has_pending(None).into()
}

#[cfg(not(abi_redis_8))]
unsafe extern "C" fn process_pending_tls() -> c_int {
    tls::process_pending(None)
}

#[cfg(abi_redis_8)]
unsafe extern "C" fn has_pending_tls(el: *mut aeEventLoop) -> c_int {
    // SAFETY: called with NULL or a live loop.
    tls::has_pending(unsafe { named(el) }).into()
}

#[cfg(abi_redis_8)]
unsafe extern "C" fn process_pending_tls(el: *mut aeEventLoop) -> c_int {
    // SAFETY: called with NULL or a loop of this thread.
    tls::process_pending(unsafe { named(el) })
}

#[cfg(abi_valkey)]
unsafe extern "C" fn postpone_tls(conn: *mut connection, on: c_int) {
    // SAFETY: called through a live connection's table.
    tls::postpone(unsafe { TlsConn::new(conn) }, on != 0);
}

#[cfg(abi_valkey)]
unsafe extern "C" fn update_tls(conn: *mut connection) {
    // SAFETY: called through a live connection's table.
    let conn = unsafe { TlsConn::new(conn) };
    quietly(|| tls::update_state(conn));
}

unsafe extern "C" fn peer_cert_tls(conn: *mut connection) -> *mut c_char {
    // SAFETY: called through a live connection's table.
    let conn = unsafe { TlsConn::new(conn) };
    quietly(|| tls::peer_certificate(conn))
}

/// # Safety
/// `conn` is NULL or a live connection of the type.
#[cfg(any(abi_peer_username, abi_valkey_9_1))]
unsafe fn or_null(conn: *mut connection) -> Option<TlsConn> {
    // SAFETY: not NULL, so live.
    (!conn.is_null()).then(|| unsafe { TlsConn::new(conn) })
}

#[cfg(abi_peer_username)]
unsafe extern "C" fn peer_username_tls(conn: *mut connection) -> *mut c_char {
    // SAFETY: called through a live connection's table, or with NULL.
    let Some(conn) = (unsafe { or_null(conn) }) else { return core::ptr::null_mut() };
    quietly(|| tls::peer_name(conn))
}

#[cfg(abi_valkey_9_1)]
unsafe extern "C" fn peer_user_tls(conn: *mut connection, cert_username: *mut *mut c_char) -> *mut user {
    // SAFETY: called through a live connection's table, or with NULL.
    let Some(conn) = (unsafe { or_null(conn) }) else { return core::ptr::null_mut() };
    // SAFETY: NULL or valid.
    quietly(|| unsafe { tls::peer_user(conn, cert_username) }).cast()
}

#[cfg(abi_valkey_8_1)]
unsafe extern "C" fn is_integrity_checked() -> c_int {
    1
}
