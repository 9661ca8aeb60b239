//! Connecting.

use super::{Error, OwnedFd, SocketAddress, Transport, options, port_number};
use crate::sys::poll::{WRITE, poll};
use crate::sys::resolve::{Found, Query, resolve};
use crate::sys::{Errno, socket};
use core::ffi::{CStr, c_int};

/// How to connect.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Connect {
    /// Wait for it.
    Blocking,
    /// Start it.
    NonBlocking,
    /// Start it; when the source address cannot be bound, without it.
    NonBlockingBestEffortBind(Transport),
}

/// Connects to the first address of `host` that can be, from `source` if given.
pub(crate) fn tcp_connect(host: &CStr, port: c_int, source: Option<&CStr>, how: Connect) -> Result<c_int, Error> {
    let port = port_number(port)?;
    let result = connect_from(host, port, source, how);
    if result.is_err() && source.is_some() && matches!(how, Connect::NonBlockingBestEffortBind(_)) {
        return connect_from(host, port, None, how);
    }
    result
}

fn connect_from(host: &CStr, port: u16, source: Option<&CStr>, how: Connect) -> Result<c_int, Error> {
    let mut result = Err(Error::new("connect", Errno::EADDRNOTAVAIL));
    let transport = if let Connect::NonBlockingBestEffortBind(transport) = how { transport } else { Transport::Tcp };
    for found in resolve(Some(host), port, Query { family: libc::AF_UNSPEC, ..Query::default() })? {
        result = connect_to(&found, source, transport, how != Connect::Blocking);
        if result.is_ok() {
            break;
        }
    }
    result
}

fn connect_to(found: &Found, source: Option<&CStr>, transport: Transport, non_blocking: bool) -> Result<c_int, Error> {
    let fd = new_socket(found.family, transport.protocol(found))?;
    if let Some(source) = source {
        bind_source(fd.0, found.family, source)?;
    }
    finish(fd, &found.address, non_blocking)
}

/// A socket whose address can be used again at once.
pub(super) fn new_socket(family: c_int, protocol: c_int) -> Result<OwnedFd, Error> {
    let fd = OwnedFd(socket::stream(family, protocol).map_err(Error::at("creating socket"))?);
    socket::set_option(fd.0, libc::SOL_SOCKET, libc::SO_REUSEADDR, 1).map_err(Error::at("setsockopt SO_REUSEADDR"))?;
    Ok(fd)
}

fn bind_source(fd: c_int, family: c_int, source: &CStr) -> Result<(), Error> {
    let mut result = Err(Error::new("bind", Errno::EADDRNOTAVAIL));
    for found in resolve(Some(source), 0, Query { family, ..Query::default() })? {
        result = socket::bind(fd, &found.address).map_err(Error::at("bind"));
        if result.is_ok() {
            break;
        }
    }
    result
}

fn finish(fd: OwnedFd, address: &SocketAddress, non_blocking: bool) -> Result<c_int, Error> {
    if non_blocking {
        options::set_blocking(fd.0, false)?;
    }
    match socket::connect(fd.0, address) {
        Err(Errno::EINPROGRESS) if non_blocking => Ok(()),
        // It goes on all the same.
        Err(Errno::EINTR) if non_blocking => Ok(()),
        Err(Errno::EINTR) => wait_connected(fd.0),
        Ok(()) => {
            options::set_initial_no_delay(fd.0, address);
            Ok(())
        }
        result => result,
    }
    .map_err(Error::at("connect"))?;
    Ok(fd.release())
}

fn wait_connected(fd: c_int) -> Result<(), Errno> {
    let mut entry = [libc::pollfd { fd, events: WRITE, revents: 0 }];
    while let Err(errno) = poll(&mut entry, -1) {
        if errno != Errno::EINTR {
            return Err(errno);
        }
    }
    match options::take_error(fd) {
        0 => Ok(()),
        error => Err(Errno::from_raw(error)),
    }
}

/// Connects to a unix socket.
pub(crate) fn unix_connect(path: &CStr, non_blocking: bool) -> Result<c_int, Error> {
    let address = SocketAddress::unix(path).map_err(Error::at("unix socket path"))?;
    finish(new_socket(libc::AF_UNIX, 0)?, &address, non_blocking)
}
