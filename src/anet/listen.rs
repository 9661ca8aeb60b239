//! Listening and accepting.

use super::options::{set_blocking, set_initial_no_delay};
use super::owned_fd::OwnedFd;
use super::transport::{new_socket, port_number};
use super::unix_address::{is_unix, unix_address};
use super::{Error, SocketAddress, SocketOptions, Transport, guard};
use crate::sys::resolve::{Query, resolve};
use crate::sys::{Errno, fd, socket};
use core::ffi::{CStr, c_int};

/// The family that a TCP socket listens on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    V4,
    /// Without IPv4, unless the options have a dual stack.
    V6,
}

/// Listens on a port of one address; of every address for None, and for `*` (IPv6: `::*`) as in a
/// configuration.
pub(crate) fn tcp_listen_over(
    transport: Transport,
    port: c_int,
    address: Option<&CStr>,
    family: Family,
    backlog: c_int,
) -> Result<c_int, Error> {
    let keep_on_exec = !guard::listening_closes_on_exec();
    let options = SocketOptions { transport, blocking: true, keep_on_exec, ..SocketOptions::default() };
    tcp_listen_as(&options, port, address, family, backlog)
}

/// Listens as the options say: on a unix socket for a path (with a slash in it) and for `@` and a name in the abstract
/// namespace, else over TCP.
pub(crate) fn listen(address: Option<&CStr>, port: c_int, options: &SocketOptions<'_>) -> Result<c_int, Error> {
    match address {
        Some(address) if is_unix(address) => unix_listen_with(address, options),
        _ => tcp_listen_with(address, port, options),
    }
}

/// Listens over TCP as the options say: IPv6 where the address has a colon, or is every one with a dual stack. A name
/// is looked for among IPv4 addresses first.
pub(crate) fn tcp_listen_with(
    address: Option<&CStr>,
    port: c_int,
    options: &SocketOptions<'_>,
) -> Result<c_int, Error> {
    let listen = |address, family| tcp_listen_as(options, port, address, family, options.backlog);
    match address.filter(|address| *address != c"*") {
        None if options.dual_stack => listen(None, Family::V6),
        None => listen(None, Family::V4),
        Some(address) if address.to_bytes().contains(&b':') => listen(Some(address), Family::V6),
        Some(address) => listen(Some(address), Family::V4).or_else(|error| {
            if error.is_unknown_name() { listen(Some(address), Family::V6).map_err(|_| error) } else { Err(error) }
        }),
    }
}

fn tcp_listen_as(
    options: &SocketOptions<'_>,
    port: c_int,
    address: Option<&CStr>,
    family: Family,
    backlog: c_int,
) -> Result<c_int, Error> {
    let port = port_number(port)?;
    let address = address.filter(|address| *address != c"*" && !(family == Family::V6 && *address == c"::*"));
    let family = if family == Family::V6 { libc::AF_INET6 } else { libc::AF_INET };
    let mut result = Err(Error::new("bind", Errno::EADDRNOTAVAIL));
    for found in resolve(address, Some(port), Query { family, numeric: false, passive: true })? {
        result = options.transport.socket(&found, !options.keep_on_exec).and_then(|fd| {
            options.prepare_listening(fd.0, family)?;
            if family == libc::AF_INET6 {
                socket::set_option(fd.0, libc::IPPROTO_IPV6, libc::IPV6_V6ONLY, (!options.dual_stack).into())
                    .map_err(Error::at("setsockopt IPV6_V6ONLY"))?;
            }
            socket::bind(fd.0, &found.address).map_err(Error::at("bind"))?;
            start(fd, options, backlog)
        });
        if result.is_ok() {
            break;
        }
    }
    result
}

fn start(fd: OwnedFd, options: &SocketOptions<'_>, backlog: c_int) -> Result<c_int, Error> {
    if !options.blocking {
        set_blocking(fd.0, false)?;
    }
    socket::listen(fd.0, backlog).map_err(Error::at("listen"))?;
    Ok(fd.release())
}

/// Listens on the path of a unix socket, with a backlog that may be below 0, as the system takes it.
pub(crate) fn unix_listen(path: &CStr, options: &SocketOptions<'_>, backlog: c_int) -> Result<c_int, Error> {
    let address = SocketAddress::unix(path).map_err(Error::at("unix socket path"))?;
    unix_listen_as(options, &address, Some(path), backlog)
}

/// Listens on the path of a unix socket with such options, which an exec closes as the profile and the program have it.
pub(crate) fn unix_listen_guarded(path: &CStr, options: &SocketOptions<'_>, backlog: c_int) -> Result<c_int, Error> {
    let keep_on_exec = !guard::unix_listening_closes_on_exec();
    unix_listen(path, &SocketOptions { keep_on_exec, ..*options }, backlog)
}

/// Listens on the path of a unix socket, or on `@` and a name in the abstract namespace.
pub(crate) fn unix_listen_with(address: &CStr, options: &SocketOptions<'_>) -> Result<c_int, Error> {
    let file = Some(address).filter(|address| !address.to_bytes().starts_with(b"@"));
    if file.is_none() && (options.unix_permissions != 0 || options.unix_group.is_some()) {
        return Err(Error::new("permissions of an abstract unix socket", Errno::EINVAL));
    }
    unix_listen_as(options, &unix_address(address)?, file, options.backlog)
}

fn unix_listen_as(
    options: &SocketOptions<'_>,
    address: &SocketAddress,
    file: Option<&CStr>,
    backlog: c_int,
) -> Result<c_int, Error> {
    let socket = new_socket(libc::AF_UNIX, 0, !options.keep_on_exec)?;
    options.prepare_listening(socket.0, libc::AF_UNIX)?;
    socket::bind(socket.0, address).map_err(Error::at("bind"))?;
    let prepare = || {
        let Some(path) = file else { return Ok(()) };
        if options.unix_permissions != 0 {
            fd::set_permissions(path, options.unix_permissions).map_err(Error::at("chmod"))?;
        }
        options.unix_group.map_or(Ok(()), |group| fd::set_group(path, group).map_err(Error::at("chown")))
    };
    prepare().and_then(|()| start(socket, options, backlog)).inspect_err(|_| {
        // The file is ours: bind made it.
        let _ = file.map(fd::unlink);
    })
}

/// Whether a failed accept is about the one connection that it took from the queue: it gave up while it waited, or (on
/// Linux) what its network had to report. Some of these also say that the socket is none that accepts, so that who
/// tries again does so a limited number of times.
pub(crate) fn is_of_one_connection(errno: Errno) -> bool {
    #[cfg(target_os = "linux")]
    if matches!(
        errno,
        Errno::ENETDOWN
            | Errno::EPROTO
            | Errno::ENOPROTOOPT
            | Errno::EHOSTDOWN
            | Errno::ENONET
            | Errno::EHOSTUNREACH
            | Errno::EOPNOTSUPP
            | Errno::ENETUNREACH
    ) {
        return true;
    }
    errno == Errno::ECONNABORTED
}

/// Accepts a connection, with its address; what the descriptor is like is upstream's choice and the program's.
pub(crate) fn accept(fd: c_int) -> Result<(c_int, SocketAddress), Error> {
    accept_as(fd, guard::accepted_is_safe())
}

/// Accepts a connection as a non-blocking, close-on-exec descriptor, with its address.
pub(crate) fn accept_safely(fd: c_int) -> Result<(c_int, SocketAddress), Error> {
    accept_as(fd, true)
}

fn accept_as(fd: c_int, safe: bool) -> Result<(c_int, SocketAddress), Error> {
    loop {
        match socket::accept(fd, safe) {
            // Interrupted, or the client gave up while it waited: the next one may be there.
            Err(Errno::EINTR | Errno::ECONNABORTED) => {}
            Ok((accepted, peer)) => {
                set_initial_no_delay(accepted, &peer);
                return Ok((accepted, peer));
            }
            Err(errno) => return Err(Error::new("accept", errno)),
        }
    }
}
