//! Listening and accepting.

use super::connect::new_socket;
use super::options::set_initial_no_delay;
use super::transport::port_number;
use super::{Error, SocketAddress, Transport, guard};
use crate::sys::resolve::{Query, resolve};
use crate::sys::{Errno, fd, socket};
use core::ffi::{CStr, c_int};

/// The family that a TCP socket listens on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    V4,
    /// Without IPv4.
    V6,
}

/// Listens on a port of one address; of every address for None, and for `*` (IPv6: `::*`) as in a
/// configuration.
pub(crate) fn tcp_listen(port: c_int, address: Option<&CStr>, family: Family, backlog: c_int) -> Result<c_int, Error> {
    tcp_listen_over(Transport::Tcp, port, address, family, backlog)
}

/// The same over MPTCP or not.
pub(crate) fn tcp_listen_over(
    transport: Transport,
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
        let protocol = transport.protocol(&found);
        result = new_socket(found.family, protocol, guard::listening_closes_on_exec()).and_then(|fd| {
            if family == libc::AF_INET6 {
                socket::set_option(fd.0, libc::IPPROTO_IPV6, libc::IPV6_V6ONLY, 1)
                    .map_err(Error::at("setsockopt IPV6_V6ONLY"))?;
            }
            socket::bind(fd.0, &found.address).map_err(Error::at("bind"))?;
            socket::listen(fd.0, backlog).map_err(Error::at("listen"))?;
            Ok(fd.release())
        });
        if result.is_ok() {
            break;
        }
    }
    result
}

/// Listens on a unix socket, with permission bits unless they are 0, and a group if any.
pub(crate) fn unix_listen(
    path: &CStr,
    permissions: libc::mode_t,
    group: Option<&CStr>,
    backlog: c_int,
) -> Result<c_int, Error> {
    let address = SocketAddress::unix(path).map_err(Error::at("unix socket path"))?;
    let socket = new_socket(libc::AF_UNIX, 0, guard::unix_listening_closes_on_exec())?;
    socket::bind(socket.0, &address).map_err(Error::at("bind"))?;
    let prepare = || {
        if permissions != 0 {
            fd::set_permissions(path, permissions).map_err(Error::at("chmod"))?;
        }
        if let Some(group) = group {
            fd::set_group(path, group).map_err(Error::at("chown"))?;
        }
        socket::listen(socket.0, backlog).map_err(Error::at("listen"))
    };
    if let Err(error) = prepare() {
        // The file is ours: bind made it.
        let _ = fd::unlink(path);
        return Err(error);
    }
    Ok(socket.release())
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
