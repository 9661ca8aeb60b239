//! The types' listeners: sockets opened, their connections accepted.

#[cfg(abi_valkey_8_1)]
use crate::abi::ae::AE_READABLE;
use crate::abi::ae::aeEventLoop;
use crate::abi::connection::*;
use crate::abi::host::*;
use crate::anet::Error;
use crate::connection::errors::status;
use crate::connection::listener::{accept_up_to, open_tcp, open_unix};
use crate::event_loop;
use crate::host;
#[cfg(abi_valkey_8_1)]
use crate::sys::errno::quietly;
use crate::sys::text::error_text;
use crate::sys::{Errno, fd};
use core::ffi::{CStr, c_char, c_int};
use core::ptr::NonNull;

/// Accepts up to `most` connections of a built-in type and gives them to the host. `create` makes one.
///
/// # Safety
/// `el` is a live loop of this thread.
pub(super) unsafe fn accept(
    el: *mut aeEventLoop,
    listening: c_int,
    most: usize,
    flags: c_int,
    create: impl Fn(c_int) -> Result<NonNull<connection>, Errno>,
) {
    // SAFETY: the caller vouches for the loop, the host for its hook.
    unsafe {
        accept_up_to(el, listening, most, |accepted, peer| {
            let conn = match create(accepted) {
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
            match (host::accepted(), (*(*conn).r#type).accept) {
                (Some(accepted), _) => accepted(conn, flags, ip),
                (None, Some(accept)) => _ = accept(conn, None),
                (None, None) => {}
            }
        });
    }
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
                status(|| listen(listener, |address| open_tcp(address, port, host::tcp_backlog())))
            }
        }
    }
}

/// # Safety
/// `listener` is valid, its `bindaddr` holds `bindaddr_count` strings, its `priv` is what the type expects.
pub(super) unsafe extern "C" fn listen_unix(listener: *mut connListener) -> c_int {
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
pub(super) unsafe extern "C" fn close_listener(listener: *mut connListener) {
    // SAFETY: called with a valid listener, whose sockets the thread's current loop watches.
    quietly(|| unsafe {
        let listener = &mut *listener;
        let count = usize::try_from(listener.count).unwrap_or(0).min(CONFIG_BINDADDR_MAX);
        for listening in listener.fd[..count].iter().copied().filter(|fd| *fd != -1) {
            let el = host::current_loop().unwrap_or_else(|| event_loop::watching(listening));
            if !el.is_null() {
                event_loop::delete_file_event(el, listening, AE_READABLE);
            }
            // The descriptor is gone whatever it answers.
            let _ = fd::close(listening);
        }
        listener.count = 0;
    });
}
