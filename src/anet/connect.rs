//! Connecting.

use super::owned_fd::OwnedFd;
use super::transport::port_number;
use super::{Error, SocketAddress, Transport, guard, options};
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
    for found in resolve(Some(host), Some(port), Query { family: libc::AF_UNSPEC, ..Query::default() })? {
        result = connect_to(&found, source, transport, how != Connect::Blocking);
        if result.is_ok() {
            break;
        }
    }
    result
}

/// Starts to connect to an address.
pub(crate) fn start_connect(found: &Found) -> Result<c_int, Error> {
    connect_to(found, None, Transport::Tcp, true)
}

fn connect_to(found: &Found, source: Option<&CStr>, transport: Transport, non_blocking: bool) -> Result<c_int, Error> {
    let fd = new_socket(found.family, transport.protocol(found), guard::connecting_closes_on_exec())?;
    if let Some(source) = source {
        bind_source(fd.0, found.family, source)?;
    }
    finish(fd, &found.address, non_blocking)
}

/// A socket whose address can be used again at once.
pub(super) fn new_socket(family: c_int, protocol: c_int, close_on_exec: bool) -> Result<OwnedFd, Error> {
    let fd = OwnedFd(socket::stream(family, protocol, close_on_exec).map_err(Error::at("creating socket"))?);
    socket::set_option(fd.0, libc::SOL_SOCKET, libc::SO_REUSEADDR, 1).map_err(Error::at("setsockopt SO_REUSEADDR"))?;
    Ok(fd)
}

fn bind_source(fd: c_int, family: c_int, source: &CStr) -> Result<(), Error> {
    let mut result = Err(Error::new("bind", Errno::EADDRNOTAVAIL));
    for found in resolve(Some(source), None, Query { family, ..Query::default() })? {
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
    if connect(fd.0, address, non_blocking).map_err(Error::at("connect"))? == Progress::Connected {
        options::set_initial_no_delay(fd.0, address);
    }
    Ok(fd.release())
}

#[derive(PartialEq, Eq)]
enum Progress {
    Connected,
    /// A non-blocking socket says when it is connected.
    UnderWay,
}

/// Connects. After a signal has interrupted it the call is made again: over a unix socket it has been given up, over
/// TCP it goes on, and the answer says how far it is.
fn connect(fd: c_int, address: &SocketAddress, non_blocking: bool) -> Result<Progress, Errno> {
    let mut interrupted = false;
    loop {
        match socket::connect(fd, address) {
            Ok(()) => return Ok(Progress::Connected),
            Err(Errno::EINTR) => interrupted = true,
            Err(Errno::EISCONN) if interrupted => return Ok(Progress::Connected),
            Err(Errno::EINPROGRESS) if non_blocking => return Ok(Progress::UnderWay),
            Err(Errno::EALREADY) if interrupted && non_blocking => return Ok(Progress::UnderWay),
            Err(Errno::EALREADY) if interrupted => return wait_connected(fd).map(|()| Progress::Connected),
            Err(errno) => return Err(errno),
        }
    }
}

fn wait_connected(fd: c_int) -> Result<(), Errno> {
    let mut entry = [libc::pollfd { fd, events: WRITE, revents: 0 }];
    while let Err(errno) = poll(&mut entry, -1) {
        if errno != Errno::EINTR {
            return Err(errno);
        }
    }
    match options::take_error(fd) {
        0 => socket::peer_address(fd).map(drop),
        error => Err(Errno::from_raw(error)),
    }
}

fn unix_address(path: &CStr) -> Result<SocketAddress, Error> {
    SocketAddress::unix(path).map_err(Error::at("unix socket path"))
}

/// Connects to a unix socket.
pub(crate) fn unix_connect(path: &CStr, non_blocking: bool) -> Result<c_int, Error> {
    let address = unix_address(path)?;
    finish(new_socket(libc::AF_UNIX, 0, guard::connecting_closes_on_exec())?, &address, non_blocking)
}

/// Connects to a unix socket, and waits while its queue is full, as long as `left` says: so many milliseconds (above 0),
/// None for forever, or the error for when the time is over. The socket is non-blocking afterwards.
pub(crate) fn unix_connect_within(
    path: &CStr,
    mut left: impl FnMut() -> Result<Option<u64>, Errno>,
) -> Result<c_int, Error> {
    let address = unix_address(path)?;
    let fd = new_socket(libc::AF_UNIX, 0, guard::connecting_closes_on_exec())?;
    options::set_blocking(fd.0, false)?;
    let mut result = socket::connect(fd.0, &address);
    if matches!(result, Err(Errno::EAGAIN | Errno::EINTR)) {
        // No poll tells when there is a place: only a connect that blocks waits for one. It gives up with EAGAIN.
        options::set_blocking(fd.0, true)?;
        while matches!(result, Err(Errno::EAGAIN | Errno::EINTR)) {
            result = left().and_then(|milliseconds| {
                socket::set_timeout(fd.0, libc::SO_SNDTIMEO, milliseconds.unwrap_or(0))?;
                socket::connect(fd.0, &address)
            });
        }
        socket::set_timeout(fd.0, libc::SO_SNDTIMEO, 0).map_err(Error::at("setsockopt SO_SNDTIMEO"))?;
        options::set_blocking(fd.0, false)?;
    }
    result.map_err(Error::at("connect"))?;
    Ok(fd.release())
}
