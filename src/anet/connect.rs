//! Connecting.

use super::owned_fd::OwnedFd;
use super::transport::{new_socket, port_number};
use super::unix_address::{is_unix, unix_address};
use super::{Error, KeptOptions, SocketAddress, SocketOptions, Transport, guard, options};
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
    let transport = if let Connect::NonBlockingBestEffortBind(transport) = how { transport } else { Transport::Tcp };
    let options = SocketOptions { source, transport, ..as_the_profile_has_it(how == Connect::Blocking) };
    let result = tcp_connect_with(host, port, &options);
    if result.is_err() && source.is_some() && matches!(how, Connect::NonBlockingBestEffortBind(_)) {
        return tcp_connect_with(host, port, &SocketOptions { source: None, ..options });
    }
    result
}

fn as_the_profile_has_it<'a>(blocking: bool) -> SocketOptions<'a> {
    SocketOptions { blocking, keep_on_exec: !guard::connecting_closes_on_exec(), ..SocketOptions::default() }
}

/// Connects as the options say: over a unix socket for a path (with a slash in it) and for `@` and a name in the
/// abstract namespace, else over TCP.
pub(crate) fn connect(address: &CStr, port: c_int, options: &SocketOptions<'_>) -> Result<c_int, Error> {
    if is_unix(address) { unix_connect_with(address, options) } else { tcp_connect_with(address, port, options) }
}

/// Connects to the first address of `host` that can be, as the options say.
pub(crate) fn tcp_connect_with(host: &CStr, port: c_int, options: &SocketOptions<'_>) -> Result<c_int, Error> {
    let port = port_number(port)?;
    let mut result = Err(Error::new("connect", Errno::EADDRNOTAVAIL));
    for found in resolve(Some(host), Some(port), Query { family: libc::AF_UNSPEC, ..Query::default() })? {
        result = connect_to(&found, options);
        if result.is_ok() {
            break;
        }
    }
    result
}

/// Starts to connect to an address.
pub(crate) fn start_connect(found: &Found, options: &KeptOptions) -> Result<c_int, Error> {
    connect_to(found, &options.get())
}

/// The options of a socket that starts to connect without any.
pub(crate) fn without_options() -> SocketOptions<'static> {
    as_the_profile_has_it(false)
}

fn connect_to(found: &Found, options: &SocketOptions<'_>) -> Result<c_int, Error> {
    let fd = options.transport.socket(found, !options.keep_on_exec)?;
    options.prepare_connecting(fd.0, found.family)?;
    if let Some(source) = options.source {
        bind_source(fd.0, found.family, source)?;
    }
    finish(fd, &found.address, options)
}

fn bind_source(fd: c_int, family: c_int, source: &CStr) -> Result<(), Error> {
    let mut result = Err(Error::new("bind", Errno::EADDRNOTAVAIL));
    let query = Query { family, ..Query::default() };
    // An address first: of that nobody need be asked.
    let numeric = resolve(Some(source), None, Query { numeric: true, ..query });
    for found in numeric.or_else(|_| resolve(Some(source), None, query))? {
        result = socket::bind(fd, &found.address).map_err(Error::at("bind"));
        if result.is_ok() {
            break;
        }
    }
    result
}

fn finish(fd: OwnedFd, address: &SocketAddress, options: &SocketOptions<'_>) -> Result<c_int, Error> {
    if !options.blocking {
        options::set_blocking(fd.0, false)?;
    }
    let progress = connect_once(fd.0, address, !options.blocking).map_err(Error::at("connect"))?;
    if progress == Progress::Connected && options.no_delay.is_none() {
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
fn connect_once(fd: c_int, address: &SocketAddress, non_blocking: bool) -> Result<Progress, Errno> {
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

/// Connects to a unix socket.
pub(crate) fn unix_connect(path: &CStr, non_blocking: bool) -> Result<c_int, Error> {
    unix_connect_as(&unix_path_address(path)?, &as_the_profile_has_it(!non_blocking))
}

/// Connects to the path of a unix socket, or to `@` and a name in the abstract namespace, as the options say.
pub(crate) fn unix_connect_with(address: &CStr, options: &SocketOptions<'_>) -> Result<c_int, Error> {
    unix_connect_as(&unix_address(address)?, options)
}

fn unix_connect_as(address: &SocketAddress, options: &SocketOptions<'_>) -> Result<c_int, Error> {
    let fd = new_socket(libc::AF_UNIX, 0, !options.keep_on_exec)?;
    options.prepare_connecting(fd.0, libc::AF_UNIX)?;
    finish(fd, address, options)
}

fn unix_path_address(path: &CStr) -> Result<SocketAddress, Error> {
    SocketAddress::unix(path).map_err(Error::at("unix socket path"))
}

/// Connects to a unix socket, and waits while its queue is full, as long as `left` says: so many milliseconds (above
/// 0), None for forever, or the error for when the time is over. The socket is non-blocking afterwards.
pub(crate) fn unix_connect_within(
    path: &CStr,
    mut left: impl FnMut() -> Result<Option<u64>, Errno>,
) -> Result<c_int, Error> {
    let address = unix_path_address(path)?;
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
