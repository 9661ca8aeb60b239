//! The types' listeners: sockets opened, their connections accepted.

#[cfg(abi_valkey_8_1)]
use crate::abi::ae::AE_READABLE;
use crate::abi::connection::*;
use crate::abi::host::*;
use crate::anet::{self, Error, SocketAddress, SocketOptions};
use crate::connection::arguments::string;
use crate::connection::errors::status;
use crate::connection::handle::Conn;
use crate::connection::home;
#[cfg(abi_valkey_8_1)]
use crate::connection::home::named;
use crate::connection::listener::{accept_up_to, open_tcp, open_unix};
use crate::event_loop::Loop;
use crate::host;
#[cfg(abi_valkey_8_1)]
use crate::sys::errno::quietly;
use crate::sys::text::error_text;
use crate::sys::{Errno, fd};
use core::ffi::{CStr, c_int, c_void};
use core::ptr;

/// Accepts up to `most` connections of a built-in type and gives them to the host. `create` makes one, `data` is the
/// accept handler's.
pub(super) fn accept(
    el: Loop,
    listening: c_int,
    data: *mut c_void,
    most: usize,
    flags: c_int,
    create: impl Fn(c_int) -> Result<Conn, Errno>,
) {
    let deliver = |accepted, peer: &SocketAddress| match create(accepted) {
        Ok(conn) => {
            home::set_accept_data(conn, data);
            hand_over(conn, flags, peer);
        }
        Err(errno) => {
            host::log(LIBAE_LOG_WARNING, format_args!("Accepting client connection: {}", error_text(errno)));
            // The client is told by the closed connection.
            let _ = fd::close(accepted);
        }
    };
    accept_up_to(el, listening, most, deliver);
}

/// Gives an accepted connection to the host, which may close it.
fn hand_over(conn: Conn, flags: c_int, peer: &SocketAddress) {
    let mut text = peer.ip();
    let ip = if flags & LIBAE_ACCEPTED_UNIX == 0 { text.as_mut_ptr() } else { ptr::null_mut() };
    match (host::accepted(), conn.of_type(|ct| ct.accept)) {
        // SAFETY: the hook takes a new connection and a string or NULL.
        (Some(accepted), _) => unsafe { accepted(conn.as_ptr(), flags, ip) },
        // SAFETY: the connection's own type's.
        (None, Some(accept)) => _ = unsafe { accept(conn.as_ptr(), None) },
        (None, None) => {}
    }
}

/// Closes a socket that was to listen. The file of a unix socket goes with it: `bind` has made that.
fn discard(fd: c_int) {
    let _ = anet::unix_path(fd).map(|path| fd::unlink(&path));
    // The descriptor is gone whatever it answers.
    let _ = fd::close(fd);
}

/// Opens a socket for every address of a listener, or none at all. A listener of port 0 is told the first one's.
///
/// # Safety
/// `listener` is valid and its `bindaddr` holds `bindaddr_count` strings.
pub(super) unsafe fn listen(
    listener: *mut connListener,
    open: impl Fn(&CStr) -> Result<Option<c_int>, Error>,
) -> Result<(), Error> {
    let refused = |errno| Error::new("addresses of a listener", errno);
    // SAFETY: valid.
    let (addresses, count, first) = unsafe { ((*listener).bindaddr, (*listener).bindaddr_count, (*listener).count) };
    let count = usize::try_from(count).map_err(|_| refused(Errno::EINVAL))?;
    if count > 0 && addresses.is_null() {
        return Err(refused(Errno::EINVAL));
    }
    let first = usize::try_from(first).map_err(|_| refused(Errno::EINVAL))?;
    if first + count > CONFIG_BINDADDR_MAX {
        return Err(refused(Errno::ENOSPC));
    }
    let (mut opened, mut fds) = (0, [-1; CONFIG_BINDADDR_MAX]);
    for index in 0..count {
        // SAFETY: there are that many, each NULL or a string.
        let address = unsafe { string(*addresses.add(index)) };
        match address.ok_or(refused(Errno::EINVAL)).and_then(&open) {
            Ok(Some(fd)) => {
                fds[opened] = fd;
                opened += 1;
            }
            Ok(None) => {}
            Err(error) => {
                fds[..opened].iter().for_each(|fd| discard(*fd));
                return Err(error);
            }
        }
    }
    // SAFETY: valid, and nobody else looks at it.
    let listener = unsafe { &mut *listener };
    listener.fd[first..first + opened].copy_from_slice(&fds[..opened]);
    listener.count = (first + opened) as c_int;
    if listener.port == 0 && opened > 0 {
        listener.port = anet::end_address(fds[0], false).map_or(0, |address| address.port());
    }
    Ok(())
}

/// # Safety
/// `listener` is valid and its `bindaddr` holds `bindaddr_count` strings.
pub(super) unsafe extern "C" fn listen_tcp(listener: *mut connListener) -> c_int {
    if let Some(hook) = host::listen() {
        // SAFETY: the hook takes a listener.
        return unsafe { hook(listener) };
    }
    // SAFETY: valid.
    let port = unsafe { (*listener).port };
    // SAFETY: valid, with that many addresses.
    status(|| unsafe {
        let options = SocketOptions { backlog: host::tcp_backlog(), ..SocketOptions::default() };
        listen(listener, |address| open_tcp(address, port, &options)).map_err(|error| error.errno())
    })
}

/// # Safety
/// `listener` is valid, its `bindaddr` holds `bindaddr_count` strings, its `priv` is what the type expects.
pub(super) unsafe extern "C" fn listen_unix(listener: *mut connListener) -> c_int {
    // SAFETY: valid, with what the type expects.
    let (permissions, group) = unsafe { (*listener).unix_options() };
    let permissions = permissions.unwrap_or_else(host::unix_permissions);
    let group = group.or_else(host::unix_group);
    let open = |path: &CStr| {
        open_unix(path, permissions, group, host::tcp_backlog()).map(Some).inspect_err(|error| {
            let path = path.to_string_lossy();
            host::log(LIBAE_LOG_WARNING, format_args!("Failed opening Unix socket {path}: {error}"));
        })
    };
    // SAFETY: valid, with that many addresses.
    status(|| unsafe { listen(listener, open).map_err(|error| error.errno()) })
}

/// Stops watching a listener's sockets and closes them.
#[cfg(abi_valkey_8_1)]
pub(super) unsafe extern "C" fn close_listener(listener: *mut connListener) {
    // SAFETY: called with a valid listener.
    let (count, fds) = unsafe { (core::mem::take(&mut (*listener).count), (*listener).fd) };
    let count = usize::try_from(count).unwrap_or(0).min(CONFIG_BINDADDR_MAX);
    quietly(|| {
        for listening in fds[..count].iter().copied().filter(|fd| *fd != -1) {
            let el = match host::current_loop() {
                // SAFETY: the host names a live loop of this thread.
                Some(el) => unsafe { named(el) },
                // SAFETY: this thread's loops are used by no other.
                None => unsafe { crate::event_loop::watching(listening) },
            };
            if let Some(el) = el {
                crate::event_loop::delete_file_event(el, listening, AE_READABLE);
            }
            // The descriptor is gone whatever it answers.
            let _ = fd::close(listening);
        }
    });
}
