//! The tables of the built-in types from redis-7.2 on, with what they hold for listeners.

use super::home;
#[cfg(feature = "tls")]
use super::listener::rest;
use super::listener::{accept_up_to, open_tcp, open_unix};
use super::socket::{self, STREAM};
#[cfg(feature = "tls")]
use super::tls;
use super::{create, created, status, unix};
#[cfg(abi_valkey_8_1)]
use crate::abi::ae::AE_READABLE;
use crate::abi::ae::{AeFileProc, aeEventLoop, aeFileProc};
use crate::abi::connect::connect_function;
use crate::abi::connection::*;
use crate::abi::host::*;
use crate::anet::{self, Error};
use crate::event_loop::{self, Loop};
use crate::host;
use crate::sys::errno::{call, quietly};
use crate::sys::text::error_text;
#[cfg(abi_valkey_9)]
use crate::sys::text::write_bytes;
use crate::sys::{Errno, fd};
use core::ffi::{CStr, c_char, c_int, c_void};
use core::ptr::NonNull;

/// What the types "tcp" and "unix" have in common.
const SOCKET: ConnectionType = ConnectionType {
    shutdown: Some(shutdown),
    writev: Some(socket::writev),
    #[cfg(abi_valkey_8_1)]
    closeListener: Some(close_listener),
    #[cfg(abi_redis_8)]
    rebind_event_loop: Some(rebind_event_loop),
    ..STREAM
};

/// The "tcp" type.
pub(crate) static TCP: ConnectionType = ConnectionType {
    get_type: Some(tcp_type),
    addr: Some(addr),
    accept_handler: accept_tcp as AeFileProc as *mut aeFileProc,
    is_local: Some(is_tcp_local),
    listen: Some(listen_tcp),
    conn_create: Some(create_tcp),
    conn_create_accepted: Some(create_accepted_tcp),
    connect: Some(connect_function::<socket::Tcp>()),
    blocking_connect: Some(socket::blocking_connect),
    ..SOCKET
};

/// The "unix" type.
pub(crate) static UNIX: ConnectionType = ConnectionType {
    get_type: Some(unix_type),
    #[cfg(not(abi_valkey_9))]
    addr: Some(addr),
    #[cfg(abi_valkey_9)]
    addr: Some(unix_addr),
    accept_handler: accept_unix as AeFileProc as *mut aeFileProc,
    is_local: Some(is_unix_local),
    listen: Some(listen_unix),
    conn_create: Some(create_unix),
    conn_create_accepted: Some(create_accepted_unix),
    connect: Some(connect_function::<unix::Unix>()),
    blocking_connect: Some(unix::blocking_connect),
    ..SOCKET
};

/// The "tls" type.
#[cfg(feature = "tls")]
pub(crate) static TLS: ConnectionType = ConnectionType {
    get_type: Some(tls_type),
    cleanup: Some(cleanup_tls),
    configure: Some(configure_tls),
    accept_handler: accept_tls as AeFileProc as *mut aeFileProc,
    addr: Some(addr),
    is_local: Some(is_tcp_local),
    listen: Some(listen_tcp),
    #[cfg(abi_valkey_8_1)]
    closeListener: Some(close_listener),
    conn_create: Some(create_tls),
    conn_create_accepted: Some(create_accepted_tls),
    shutdown: Some(shutdown_tls),
    writev: Some(tls::writev),
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

/// What a type says it is: its name, or its number.
macro_rules! says {
    ($function:ident, $name:literal, $number:ident) => {
        #[cfg(not(abi_valkey_9))]
        unsafe extern "C" fn $function(_conn: *mut connection) -> *const c_char {
            $name.as_ptr()
        }

        #[cfg(abi_valkey_9)]
        unsafe extern "C" fn $function() -> c_int {
            $number
        }
    };
}

says!(tcp_type, c"tcp", CONN_TYPE_SOCKET);
says!(unix_type, c"unix", CONN_TYPE_UNIX);
#[cfg(feature = "tls")]
says!(tls_type, c"tls", CONN_TYPE_TLS);

unsafe extern "C" fn shutdown(conn: *mut connection) {
    // SAFETY: called through a live connection's table.
    let fd = unsafe { (*conn).fd };
    // A socket that is not connected any more has nothing to shut down.
    let _ = quietly(|| crate::sys::socket::shutdown(fd));
}

/// # Safety
/// `conn` is a live connection; `ip` is NULL or has room for `ip_len` bytes, `port` is NULL or valid.
unsafe extern "C" fn addr(
    conn: *mut connection,
    ip: *mut c_char,
    ip_len: usize,
    port: *mut c_int,
    remote: c_int,
) -> c_int {
    // SAFETY: the caller vouches for the arguments.
    unsafe {
        let result = anet::write_end(anet::end_address((*conn).fd, remote != 0), ip, ip_len, port);
        if let Err(errno) = result {
            (*conn).last_errno = errno as c_int;
        }
        status(|| result)
    }
}

/// The path of the host's unix socket, or else of the connection's, and the port 0 behind a colon: it never fails.
#[cfg(abi_valkey_9)]
unsafe extern "C" fn unix_addr(
    conn: *mut connection,
    ip: *mut c_char,
    ip_len: usize,
    port: *mut c_int,
    _remote: c_int,
) -> c_int {
    // SAFETY: called through a live connection's table, or with NULL, with room for that many bytes.
    unsafe {
        let of_host = host::unix_socket().map(CStr::to_owned);
        let path = of_host.or_else(|| quietly(|| anet::unix_path(conn.as_ref()?.fd)));
        let path = path.as_deref().unwrap_or(c"/unixsocket").to_bytes();
        write_bytes(ip, ip_len, &[path, b":0"]);
        if let Some(port) = port.as_mut() {
            *port = 0;
        }
        C_OK
    }
}

unsafe extern "C" fn is_tcp_local(conn: *mut connection) -> c_int {
    // SAFETY: called through a live connection's table.
    call(-1, || anet::end_address(unsafe { (*conn).fd }, true).map(|end| end.is_loopback().into()))
}

unsafe extern "C" fn is_unix_local(_conn: *mut connection) -> c_int {
    1
}

/// The function that writes several buffers to a connection of the safe API.
pub(crate) fn writev_function(ct: &ConnectionType) -> Option<WritevFunction> {
    ct.writev
}

/// The two functions that create a type's connections, which are told the loop where connections know theirs.
macro_rules! creators {
    ($ct:ident, $create:ident, $create_accepted:ident) => {
        #[cfg(not(abi_redis_8))]
        unsafe extern "C" fn $create() -> *mut connection {
            // SAFETY: no loop.
            unsafe { created(&$ct, core::ptr::null_mut(), -1, CONN_STATE_NONE) }
        }

        #[cfg(not(abi_redis_8))]
        unsafe extern "C" fn $create_accepted(fd: c_int, _priv: *mut c_void) -> *mut connection {
            // SAFETY: no loop.
            unsafe { created(&$ct, core::ptr::null_mut(), fd, CONN_STATE_ACCEPTING) }
        }

        #[cfg(abi_redis_8)]
        unsafe extern "C" fn $create(el: *mut aeEventLoop) -> *mut connection {
            // SAFETY: called with NULL or a live loop.
            unsafe { created(&$ct, el, -1, CONN_STATE_NONE) }
        }

        #[cfg(abi_redis_8)]
        unsafe extern "C" fn $create_accepted(el: *mut aeEventLoop, fd: c_int, _priv: *mut c_void) -> *mut connection {
            // SAFETY: called with NULL or a live loop.
            unsafe { created(&$ct, el, fd, CONN_STATE_ACCEPTING) }
        }
    };
}

creators!(TCP, create_tcp, create_accepted_tcp);
creators!(UNIX, create_unix, create_accepted_unix);

/// Gives a connection without a loop another one; `EINVAL` for one that has a loop or handlers.
#[cfg(abi_redis_8)]
unsafe extern "C" fn rebind_event_loop(conn: *mut connection, el: *mut aeEventLoop) -> c_int {
    // SAFETY: called through a live connection's table.
    status(|| unsafe {
        if !(*conn).el.is_null() || (*conn).read_handler.is_some() || (*conn).write_handler.is_some() {
            return Err(Errno::EINVAL);
        }
        (*conn).el = el;
        home::moved(conn, el);
        Ok(())
    })
}

/// Accepts up to `most` connections of a built-in type and gives them to the host. `create` makes one.
fn accept(
    el: Loop,
    listening: c_int,
    most: usize,
    flags: c_int,
    create: impl Fn(c_int) -> Result<NonNull<connection>, Errno>,
) {
    accept_up_to(el, listening, most, |accepted, peer| {
        let conn = match create(accepted) {
            Ok(conn) => conn.as_ptr(),
            Err(errno) => {
                event_loop::log(LIBAE_LOG_WARNING, format_args!("Accepting client connection: {}", error_text(errno)));
                // The client is told by the closed connection.
                let _ = fd::close(accepted);
                return;
            }
        };
        let mut text = peer.ip();
        let ip = if flags & LIBAE_ACCEPTED_UNIX == 0 { text.as_mut_ptr() } else { core::ptr::null_mut() };
        // SAFETY: a new connection of a built-in type, and a hook that takes such.
        unsafe {
            match (host::accepted(), (*(*conn).r#type).accept) {
                (Some(accepted), _) => accepted(conn, flags, ip),
                (None, Some(accept)) => _ = accept(conn, None),
                (None, None) => {}
            }
        }
    });
}

/// The event loop's callback for listening TCP sockets.
unsafe extern "C" fn accept_tcp(el: *mut aeEventLoop, fd: c_int, _data: *mut c_void, _mask: c_int) {
    // SAFETY: the loop calls it with itself.
    let Some(el) = (unsafe { home::named(el) }) else { return };
    // SAFETY: the loop is live.
    let create = |fd| unsafe { create(&TCP, el.as_ptr(), fd, CONN_STATE_ACCEPTING) };
    accept(el, fd, host::accepts_per_call() as usize, 0, create);
}

/// The event loop's callback for listening unix sockets.
unsafe extern "C" fn accept_unix(el: *mut aeEventLoop, fd: c_int, _data: *mut c_void, _mask: c_int) {
    // SAFETY: the loop calls it with itself.
    let Some(el) = (unsafe { home::named(el) }) else { return };
    // SAFETY: the loop is live.
    let create = |fd| unsafe { create(&UNIX, el.as_ptr(), fd, CONN_STATE_ACCEPTING) };
    accept(el, fd, host::accepts_per_call() as usize, LIBAE_ACCEPTED_UNIX, create);
}

/// The event loop's callback for listening sockets of TLS.
#[cfg(feature = "tls")]
unsafe extern "C" fn accept_tls(el: *mut aeEventLoop, fd: c_int, _data: *mut c_void, _mask: c_int) {
    // SAFETY: the loop calls it with itself.
    let Some(el) = (unsafe { home::named(el) }) else { return };
    // SAFETY: the loop is live.
    let create = |fd| unsafe { tls::create_accepted(&TLS, el.as_ptr(), fd, host::tls_auth_clients()) };
    match tls::accepts(el, host::tls_accepts_per_call() as usize) {
        Some(most) => accept(el, fd, most, 0, create),
        None => rest(el, fd),
    }
}

#[cfg(feature = "tls")]
unsafe extern "C" fn configure_tls(config: *mut c_void, reconfigure: c_int) -> c_int {
    // SAFETY: called with NULL or a configuration of this type.
    status(|| unsafe {
        let config = NonNull::new(config.cast()).ok_or(Errno::EINVAL)?;
        if reconfigure == 0 && tls::is_configured() { Ok(()) } else { tls::configure_upstream(config) }
    })
}

#[cfg(feature = "tls")]
unsafe extern "C" fn cleanup_tls() {
    tls::forget();
}

#[cfg(all(feature = "tls", not(abi_redis_8)))]
unsafe extern "C" fn create_tls() -> *mut connection {
    // SAFETY: no loop.
    call(core::ptr::null_mut(), || unsafe { tls::create(&TLS, core::ptr::null_mut()) }.map(NonNull::as_ptr))
}

/// `auth` is NULL, or an `int *` that says whether the client is asked for its certificate.
#[cfg(all(feature = "tls", not(abi_redis_8)))]
unsafe extern "C" fn create_accepted_tls(fd: c_int, auth: *mut c_void) -> *mut connection {
    // SAFETY: called with NULL or what the type expects.
    unsafe { create_accepted(core::ptr::null_mut(), fd, auth) }
}

#[cfg(all(feature = "tls", abi_redis_8))]
unsafe extern "C" fn create_tls(el: *mut aeEventLoop) -> *mut connection {
    // SAFETY: called with NULL or a live loop.
    call(core::ptr::null_mut(), || unsafe { tls::create(&TLS, el) }.map(NonNull::as_ptr))
}

/// `auth` is NULL, or an `int *` that says whether the client is asked for its certificate.
#[cfg(all(feature = "tls", abi_redis_8))]
unsafe extern "C" fn create_accepted_tls(el: *mut aeEventLoop, fd: c_int, auth: *mut c_void) -> *mut connection {
    // SAFETY: called with NULL or what the type expects.
    unsafe { create_accepted(el, fd, auth) }
}

/// # Safety
/// `el` is NULL or a live loop, `auth` NULL or an `int *`.
#[cfg(feature = "tls")]
unsafe fn create_accepted(el: *mut aeEventLoop, fd: c_int, auth: *mut c_void) -> *mut connection {
    // SAFETY: the caller vouches for the pointer.
    let auth = unsafe { auth.cast::<c_int>().as_ref() }.copied().or_else(host::tls_auth_clients);
    // SAFETY: the caller vouches for the loop.
    call(core::ptr::null_mut(), || unsafe { tls::create_accepted(&TLS, el, fd, auth) }.map(NonNull::as_ptr))
}

#[cfg(feature = "tls")]
unsafe extern "C" fn shutdown_tls(conn: *mut connection) {
    // SAFETY: called through a live connection's table.
    quietly(|| unsafe { tls::shutdown(conn) });
}

#[cfg(all(feature = "tls", abi_redis_8))]
unsafe extern "C" fn unbind_tls(conn: *mut connection) {
    // SAFETY: called through a live connection's table.
    quietly(|| unsafe { tls::unbind(conn) });
}

#[cfg(all(feature = "tls", abi_redis_8))]
unsafe extern "C" fn rebind_tls(conn: *mut connection, el: *mut aeEventLoop) -> c_int {
    // SAFETY: called through a live connection's table.
    unsafe {
        match rebind_event_loop(conn, el) {
            C_OK => status(|| tls::rebound(conn)),
            result => result,
        }
    }
}

#[cfg(all(feature = "tls", not(abi_redis_8)))]
unsafe extern "C" fn has_pending_tls() -> c_int {
    // SAFETY: no loop.
    unsafe { tls::has_pending(core::ptr::null_mut()) }.into()
}

#[cfg(all(feature = "tls", not(abi_redis_8)))]
unsafe extern "C" fn process_pending_tls() -> c_int {
    // SAFETY: no loop but this thread's.
    unsafe { tls::process_pending(core::ptr::null_mut()) }
}

#[cfg(all(feature = "tls", abi_redis_8))]
unsafe extern "C" fn has_pending_tls(el: *mut aeEventLoop) -> c_int {
    // SAFETY: called with NULL or a live loop.
    unsafe { tls::has_pending(el) }.into()
}

#[cfg(all(feature = "tls", abi_redis_8))]
unsafe extern "C" fn process_pending_tls(el: *mut aeEventLoop) -> c_int {
    // SAFETY: called with a loop of this thread.
    unsafe { tls::process_pending(el) }
}

#[cfg(all(feature = "tls", abi_valkey))]
unsafe extern "C" fn postpone_tls(conn: *mut connection, on: c_int) {
    // SAFETY: called through a live connection's table.
    unsafe { tls::postpone(conn, on != 0) };
}

#[cfg(all(feature = "tls", abi_valkey))]
unsafe extern "C" fn update_tls(conn: *mut connection) {
    // SAFETY: called through a live connection's table.
    quietly(|| unsafe { tls::update_state(conn) });
}

#[cfg(feature = "tls")]
unsafe extern "C" fn peer_cert_tls(conn: *mut connection) -> *mut c_char {
    // SAFETY: called through a live connection's table.
    quietly(|| unsafe { tls::peer_certificate(conn) })
}

#[cfg(all(feature = "tls", abi_peer_username))]
unsafe extern "C" fn peer_username_tls(conn: *mut connection) -> *mut c_char {
    // SAFETY: called through a live connection's table, or with NULL.
    quietly(|| unsafe { tls::peer_name(conn) })
}

#[cfg(all(feature = "tls", abi_valkey_9_1))]
unsafe extern "C" fn peer_user_tls(conn: *mut connection, cert_username: *mut *mut c_char) -> *mut user {
    // SAFETY: called through a live connection's table, or with NULL; `cert_username` is NULL or valid.
    quietly(|| unsafe { tls::peer_user(conn, cert_username) }).cast()
}

#[cfg(all(feature = "tls", abi_valkey_8_1))]
unsafe extern "C" fn is_integrity_checked() -> c_int {
    1
}

/// Opens a socket for every address of a listener, or none at all.
///
/// # Safety
/// `listener` is valid and its `bindaddr` holds `bindaddr_count` strings.
unsafe fn listen(
    listener: *mut connListener,
    open: impl Fn(&CStr) -> Result<Option<c_int>, Error>,
) -> Result<(), Errno> {
    // SAFETY: the caller vouches for the listener.
    let listener = unsafe { &mut *listener };
    let count = usize::try_from(listener.bindaddr_count).map_err(|_| Errno::EINVAL)?;
    if count > 0 && listener.bindaddr.is_null() {
        return Err(Errno::EINVAL);
    }
    let first = usize::try_from(listener.count).map_err(|_| Errno::EINVAL)?;
    if first + count > CONFIG_BINDADDR_MAX {
        return Err(Errno::ENOSPC);
    }
    let mut opened = first;
    for index in 0..count {
        // SAFETY: the caller vouches for that many elements.
        let address: *mut c_char = unsafe { *listener.bindaddr.add(index) };
        let result = if address.is_null() {
            Err(Errno::EINVAL)
        } else {
            // SAFETY: not NULL, and the caller vouches for the string.
            open(unsafe { CStr::from_ptr(address) }).map_err(|error| error.errno())
        };
        match result {
            Ok(Some(fd)) => {
                listener.fd[opened] = fd;
                opened += 1;
            }
            Ok(None) => {}
            Err(errno) => {
                for fd in &listener.fd[first..opened] {
                    // The error to report is the one that stopped us.
                    let _ = fd::close(*fd);
                }
                return Err(errno);
            }
        }
    }
    listener.count = opened as c_int;
    Ok(())
}

/// # Safety
/// `listener` is valid and its `bindaddr` holds `bindaddr_count` strings.
unsafe extern "C" fn listen_tcp(listener: *mut connListener) -> c_int {
    // SAFETY: the caller vouches for the listener, the host for its hook.
    unsafe {
        match host::listen() {
            Some(hook) => hook(listener),
            None => {
                let port = (*listener).port;
                status(|| listen(listener, |address| open_tcp(address, port, host::tcp_backlog())))
            }
        }
    }
}

/// # Safety
/// `listener` is valid, its `bindaddr` holds `bindaddr_count` strings, its `priv` is what the type expects.
unsafe extern "C" fn listen_unix(listener: *mut connListener) -> c_int {
    // SAFETY: the caller vouches for the listener.
    unsafe {
        let (permissions, group) = (*listener).unix_options();
        let permissions = permissions.unwrap_or_else(host::unix_permissions);
        let group = group.or_else(host::unix_group);
        status(|| {
            listen(listener, |path| {
                open_unix(path, permissions, group, host::tcp_backlog()).map(Some).inspect_err(|error| {
                    let path = path.to_string_lossy();
                    event_loop::log(LIBAE_LOG_WARNING, format_args!("Failed opening Unix socket {path}: {error}"));
                })
            })
        })
    }
}

/// Stops watching a listener's sockets and closes them.
#[cfg(abi_valkey_8_1)]
unsafe extern "C" fn close_listener(listener: *mut connListener) {
    // SAFETY: called with a valid listener, whose sockets the thread's current loop watches.
    quietly(|| unsafe {
        let listener = &mut *listener;
        let count = usize::try_from(listener.count).unwrap_or(0).min(CONFIG_BINDADDR_MAX);
        for listening in listener.fd[..count].iter().copied().filter(|fd| *fd != -1) {
            let el = match host::current_loop() {
                Some(el) => home::named(el),
                None => event_loop::watching(listening),
            };
            if let Some(el) = el {
                event_loop::delete_file_event(el, listening, AE_READABLE);
            }
            // The descriptor is gone whatever it answers.
            let _ = fd::close(listening);
        }
        listener.count = 0;
    });
}
