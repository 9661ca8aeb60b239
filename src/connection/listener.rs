//! Sockets that listen: opened, and their connections accepted.

use crate::abi::host::*;
use crate::anet::{self, Error, SocketAddress, SocketOptions};
use crate::event_loop::{self, Loop};
use crate::host;
use crate::sys::{Errno, fd};
use core::ffi::{CStr, c_int};

/// So many failed accepts in a row, of which each seemed to be about one connection, are about the socket.
const MOST_FAILURES: usize = 1000;

/// Accepts up to `most` connections and hands each to `deliver`, which may close the listening socket. When accept
/// fails for a reason that stays (no descriptors, no memory, a filter that refuses it), the listening socket rests for
/// [`LIBAE_ACCEPT_RETRY_MS`]: those who wait keep it readable, and the loop would spin.
pub(crate) fn accept_up_to(el: Loop, listening: c_int, most: usize, mut deliver: impl FnMut(c_int, &SocketAddress)) {
    event_loop::note_user(el);
    let event = || event_loop::file_event(el, listening);
    let before = event();
    let (mut accepted, mut failures) = (0, 0);
    while accepted < most {
        match anet::accept_safely(listening) {
            Ok((fd, peer)) => {
                (accepted, failures) = (accepted + 1, 0);
                deliver(fd, &peer);
                if event_loop::breaks_off(el) || event() != before {
                    // The loop is deleted, or stops at once; or the socket is watched no longer, or for somebody else:
                    // the number may belong to another one by now.
                    return;
                }
            }
            Err(error) => {
                let errno = error.errno();
                if errno == Errno::EAGAIN {
                    return;
                }
                failures += 1;
                if anet::is_of_one_connection(errno) && failures < MOST_FAILURES {
                    continue;
                }
                host::log(LIBAE_LOG_WARNING, format_args!("Accepting client connection: {error}"));
                rest(el, listening);
                return;
            }
        }
    }
}

/// Lets a listening socket rest for [`LIBAE_ACCEPT_RETRY_MS`].
pub(crate) fn rest(el: Loop, listening: c_int) {
    // A socket that it does not watch needs no rest.
    let _ = event_loop::pause_readable(el, listening, LIBAE_ACCEPT_RETRY_MS as u64);
}

/// Listens on one TCP address as a configuration writes it: `*` and `::*` for every one, a `-` in front for
/// one that may be missing. None when it is.
pub(crate) fn open_tcp(address: &CStr, port: c_int, options: &SocketOptions<'_>) -> Result<Option<c_int>, Error> {
    let bytes = address.to_bytes_with_nul();
    let optional = bytes[0] == b'-';
    let address = if optional { CStr::from_bytes_with_nul(&bytes[1..]).unwrap_or(address) } else { address };
    match anet::tcp_listen_with(Some(address), port, options) {
        Ok(fd) => Ok(Some(fd)),
        Err(error) => {
            let missing = match error.errno() {
                _ if error.is_of_option() => false,
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
            host::log(
                if missing { LIBAE_LOG_VERBOSE } else { LIBAE_LOG_WARNING },
                format_args!("Could not create server TCP listening socket {name}:{port}: {error}"),
            );
            if missing { Ok(None) } else { Err(error) }
        }
    }
}

/// Whether somebody listens on a unix socket. An error when only those who do may say.
pub(crate) fn is_served(path: &CStr) -> Result<bool, Errno> {
    match anet::unix_connect(path, true) {
        Ok(connected) => {
            // The descriptor is gone whatever it answers.
            let _ = fd::close(connected);
            Ok(true)
        }
        Err(error) => match error.errno() {
            // A full backlog, and a socket of another kind.
            Errno::EAGAIN | Errno::EPROTOTYPE => Ok(true),
            errno @ (Errno::EACCES | Errno::EPERM) => Err(errno),
            _ => Ok(false),
        },
    }
}

/// Listens on a unix socket. A socket that an earlier process left under that name is replaced, and so is an empty file,
/// by which somebody has taken the name for it; no other file is.
pub(crate) fn open_unix(
    path: &CStr,
    permissions: libc::mode_t,
    group: Option<&CStr>,
    backlog: c_int,
) -> Result<c_int, Error> {
    make_way_for_socket(path);
    // As an accept handler needs it, and as no exec passes it on.
    let options = SocketOptions { blocking: false, keep_on_exec: false, ..SocketOptions::default() };
    anet::unix_listen(path, &SocketOptions { unix_permissions: permissions, unix_group: group, ..options }, backlog)
}

/// The same as the options say; an `@` and a name are a socket in the abstract namespace.
pub(crate) fn open_unix_with(address: &CStr, options: &SocketOptions<'_>) -> Result<c_int, Error> {
    if !address.to_bytes().starts_with(b"@") {
        make_way_for_socket(address);
    }
    anet::unix_listen_with(address, options)
}

fn make_way_for_socket(path: &CStr) {
    let is_socket = fd::file_mode(path).is_ok_and(|mode| mode & libc::S_IFMT == libc::S_IFSOCK);
    if is_socket || fd::is_empty_file(path) {
        // If it cannot be removed, bind will say so.
        let _ = fd::unlink(path);
    }
}
