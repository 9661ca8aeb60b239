//! Listeners: their sockets opened, their connections accepted.

use super::create;
use super::socket::TCP;
use super::unix::UNIX;
use crate::abi::ae::aeEventLoop;
use crate::abi::connection::*;
use crate::abi::host::*;
use crate::anet::{self, Error, Family, SocketAddress};
use crate::event_loop;
use crate::host;
use crate::sys::text::error_text;
use crate::sys::{Errno, fd};
use core::ffi::{CStr, c_char, c_int, c_void};

/// Accepts up to `most` connections and hands each to `deliver`, which may close the listening socket. Without descriptors or memory for one, the
/// listening socket rests for [`LIBAE_ACCEPT_RETRY_MS`]: those who wait keep it readable, and the loop would
/// spin.
///
/// # Safety
/// `el` is a live loop of this thread.
pub(crate) unsafe fn accept_up_to(
    el: *mut aeEventLoop,
    listening: c_int,
    most: usize,
    mut deliver: impl FnMut(c_int, &SocketAddress),
) {
    // SAFETY: the caller vouches for the loop.
    let event = || unsafe { event_loop::file_event(el, listening) };
    let before = event();
    for _ in 0..most {
        match anet::accept(listening) {
            Ok((fd, peer)) => {
                deliver(fd, &peer);
                if event() != before {
                    // Watched no longer, or for somebody else: the number may belong to another socket by now.
                    return;
                }
            }
            Err(error) => {
                let errno = error.errno();
                if errno == Errno::EAGAIN {
                    return;
                }
                event_loop::log(LIBAE_LOG_WARNING, format_args!("Accepting client connection: {error}"));
                if matches!(errno, Errno::EMFILE | Errno::ENFILE | Errno::ENOBUFS | Errno::ENOMEM) {
                    // SAFETY: the caller vouches for the loop. A socket that it does not watch needs no rest.
                    let _ = unsafe { event_loop::pause_readable(el, listening, LIBAE_ACCEPT_RETRY_MS as u64) };
                }
                return;
            }
        }
    }
}

/// Accepts connections of a built-in type and gives them to the host.
///
/// # Safety
/// `el` is a live loop of this thread.
unsafe fn accept(el: *mut aeEventLoop, listening: c_int, ct: &'static ConnectionType, flags: c_int) {
    // SAFETY: the caller vouches for the loop, the host for its hook.
    unsafe {
        accept_up_to(el, listening, host::accepts_per_call() as usize, |accepted, peer| {
            let conn = match create(ct, accepted, CONN_STATE_ACCEPTING) {
                Ok(conn) => conn.as_ptr(),
                Err(errno) => {
                    event_loop::log(
                        LIBAE_LOG_WARNING,
                        format_args!("Accepting client connection: {}", error_text(errno)),
                    );
                    // The client is told by the closed connection.
                    let _ = fd::close(accepted);
                    return;
                }
            };
            let mut text = peer.ip();
            let ip = if flags & LIBAE_ACCEPTED_UNIX == 0 { text.as_mut_ptr() } else { core::ptr::null_mut() };
            match (host::accepted(), ct.accept) {
                (Some(accepted), _) => accepted(conn, flags, ip),
                (None, Some(accept)) => _ = accept(conn, None),
                (None, None) => {}
            }
        });
    }
}

/// The event loop's callback for listening TCP sockets.
pub(super) unsafe extern "C" fn accept_tcp(el: *mut aeEventLoop, fd: c_int, _data: *mut c_void, _mask: c_int) {
    // SAFETY: the loop calls it with itself.
    unsafe { accept(el, fd, &TCP, 0) }
}

/// The event loop's callback for listening unix sockets.
pub(super) unsafe extern "C" fn accept_unix(el: *mut aeEventLoop, fd: c_int, _data: *mut c_void, _mask: c_int) {
    // SAFETY: the loop calls it with itself.
    unsafe { accept(el, fd, &UNIX, LIBAE_ACCEPTED_UNIX) }
}

/// Listens on one TCP address as a configuration writes it: `*` and `::*` for every one, a `-` in front for
/// one that may be missing. None when it is.
pub(crate) fn open_tcp(address: &CStr, port: c_int, backlog: c_int) -> Result<Option<c_int>, Error> {
    let bytes = address.to_bytes_with_nul();
    let optional = bytes[0] == b'-';
    let address = if optional { CStr::from_bytes_with_nul(&bytes[1..]).unwrap_or(address) } else { address };
    let family = if address.to_bytes().contains(&b':') { Family::V6 } else { Family::V4 };
    match anet::tcp_listen(port, Some(address), family, backlog).and_then(non_blocking) {
        Ok(fd) => Ok(Some(fd)),
        Err(error) => {
            let missing = match error.errno() {
                Errno::EADDRNOTAVAIL => optional,
                // The machine has no such family at all.
                Errno::ENOPROTOOPT
                | Errno::EPROTONOSUPPORT
                | Errno::ESOCKTNOSUPPORT
                | Errno::EPFNOSUPPORT
                | Errno::EAFNOSUPPORT => true,
                _ => false,
            };
            let name = address.to_string_lossy();
            event_loop::log(
                if missing { LIBAE_LOG_VERBOSE } else { LIBAE_LOG_WARNING },
                format_args!("Could not create server TCP listening socket {name}:{port}: {error}"),
            );
            if missing { Ok(None) } else { Err(error) }
        }
    }
}

/// Listens on a unix socket. A socket that an earlier process left under that name is replaced; any other kind
/// of file is not.
pub(crate) fn open_unix(path: &CStr, permissions: libc::mode_t, backlog: c_int) -> Result<c_int, Error> {
    if fd::file_mode(path).is_ok_and(|mode| mode & libc::S_IFMT == libc::S_IFSOCK) {
        // If it cannot be removed, bind will say so.
        let _ = fd::unlink(path);
    }
    anet::unix_listen(path, permissions, host::unix_group(), backlog).and_then(non_blocking)
}

fn non_blocking(fd: c_int) -> Result<c_int, Error> {
    anet::set_blocking(fd, false).map(|()| fd)
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
pub(super) unsafe extern "C" fn listen_tcp(listener: *mut connListener) -> c_int {
    // SAFETY: the caller vouches for the listener, the host for its hook.
    unsafe {
        match host::listen() {
            Some(hook) => hook(listener),
            None => {
                let port = (*listener).port;
                super::status(|| listen(listener, |address| open_tcp(address, port, host::tcp_backlog())))
            }
        }
    }
}

/// # Safety
/// `listener` is valid, its `bindaddr` holds `bindaddr_count` strings, its `priv` is NULL or a `mode_t *`.
pub(super) unsafe extern "C" fn listen_unix(listener: *mut connListener) -> c_int {
    // SAFETY: the caller vouches for the listener.
    unsafe {
        let permissions = (*listener).r#priv.cast::<libc::mode_t>().as_ref().copied();
        let permissions = permissions.unwrap_or_else(host::unix_permissions);
        super::status(|| {
            listen(listener, |path| {
                open_unix(path, permissions, host::tcp_backlog()).map(Some).inspect_err(|error| {
                    let path = path.to_string_lossy();
                    event_loop::log(LIBAE_LOG_WARNING, format_args!("Failed opening Unix socket {path}: {error}"));
                })
            })
        })
    }
}
