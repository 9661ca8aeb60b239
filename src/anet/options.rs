//! Options of descriptors and sockets.

use super::{Error, SocketAddress};
use crate::abi::profile;
use crate::sys::{Errno, fd, socket, valid_fd};
use core::ffi::{c_int, c_longlong};
use libc::{IPPROTO_TCP, SO_ERROR, SO_KEEPALIVE, SO_RCVTIMEO, SO_SNDTIMEO, SOL_SOCKET, TCP_NODELAY};

/// How many unanswered keepalive probes give a peer up.
#[cfg(not(target_os = "openbsd"))]
const KEEP_ALIVE_PROBES: c_int = 3;

/// Makes a descriptor blocking or non-blocking.
pub(crate) fn set_blocking(fd: c_int, blocking: bool) -> Result<(), Error> {
    let flags = fd::status_flags(fd).map_err(Error::at("fcntl(F_GETFL)"))?;
    let wanted = if blocking { flags & !libc::O_NONBLOCK } else { flags | libc::O_NONBLOCK };
    if wanted == flags {
        return Ok(());
    }
    fd::set_status_flags(fd, wanted).map_err(Error::at("fcntl(F_SETFL,O_NONBLOCK)"))
}

/// Whether a descriptor is blocking.
pub(crate) fn is_blocking(fd: c_int) -> Result<bool, Error> {
    let flags = fd::status_flags(fd).map_err(Error::at("fcntl(F_GETFL)"))?;
    Ok(flags & libc::O_NONBLOCK == 0)
}

/// Closes a descriptor on exec.
pub(crate) fn set_close_on_exec(fd: c_int) -> Result<(), Error> {
    let flags = fd::descriptor_flags(fd).map_err(Error::at("fcntl(F_GETFD)"))?;
    if flags & libc::FD_CLOEXEC != 0 {
        return Ok(());
    }
    fd::set_descriptor_flags(fd, flags | libc::FD_CLOEXEC).map_err(Error::at("fcntl(F_SETFD,FD_CLOEXEC)"))
}

/// Sends small segments at once where the profile's sockets do that from the start. Best effort.
pub(super) fn set_initial_no_delay(fd: c_int, peer: &SocketAddress) {
    if profile::TCP_NO_DELAY && peer.family() != libc::AF_UNIX {
        let _ = set_tcp_no_delay(fd, true);
    }
}

/// Sends small segments at once, or gathers them.
pub(crate) fn set_tcp_no_delay(fd: c_int, on: bool) -> Result<(), Error> {
    socket::set_option(fd, IPPROTO_TCP, TCP_NODELAY, on.into()).map_err(Error::at("setsockopt TCP_NODELAY"))
}

/// Probes a silent peer at the system's intervals.
pub(crate) fn set_default_keep_alive(fd: c_int) -> Result<(), Error> {
    socket::set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1).map_err(Error::at("setsockopt SO_KEEPALIVE"))
}

/// Probes a peer after `interval` seconds of silence, then every third of that, and gives it up after three
/// probes.
pub(crate) fn set_keep_alive(fd: c_int, interval: c_int) -> Result<(), Error> {
    if interval < 1 {
        return Err(Error::new("keepalive interval", Errno::EINVAL));
    }
    set_default_keep_alive(fd)?;
    for (call, option, value) in keep_alive_options(interval) {
        socket::set_option(fd, IPPROTO_TCP, option, value).map_err(Error::at(call))?;
    }
    Ok(())
}

type KeepAliveOption = (&'static str, c_int, c_int);

#[cfg(not(any(target_vendor = "apple", target_os = "openbsd")))]
fn keep_alive_options(interval: c_int) -> [KeepAliveOption; 3] {
    [
        ("setsockopt TCP_KEEPIDLE", libc::TCP_KEEPIDLE, interval),
        ("setsockopt TCP_KEEPINTVL", libc::TCP_KEEPINTVL, (interval / KEEP_ALIVE_PROBES).max(1)),
        ("setsockopt TCP_KEEPCNT", libc::TCP_KEEPCNT, KEEP_ALIVE_PROBES),
    ]
}

#[cfg(target_vendor = "apple")]
fn keep_alive_options(interval: c_int) -> [KeepAliveOption; 3] {
    [
        ("setsockopt TCP_KEEPALIVE", libc::TCP_KEEPALIVE, interval),
        ("setsockopt TCP_KEEPINTVL", libc::TCP_KEEPINTVL, (interval / KEEP_ALIVE_PROBES).max(1)),
        ("setsockopt TCP_KEEPCNT", libc::TCP_KEEPCNT, KEEP_ALIVE_PROBES),
    ]
}

#[cfg(target_os = "openbsd")]
fn keep_alive_options(_interval: c_int) -> [KeepAliveOption; 0] {
    []
}

/// Lets a blocking send give up after a time, 0 for never.
pub(crate) fn set_send_timeout(fd: c_int, milliseconds: c_longlong) -> Result<(), Error> {
    set_timeout(fd, SO_SNDTIMEO, milliseconds).map_err(Error::at("setsockopt SO_SNDTIMEO"))
}

/// Lets a blocking receive give up after a time, 0 for never.
pub(crate) fn set_receive_timeout(fd: c_int, milliseconds: c_longlong) -> Result<(), Error> {
    set_timeout(fd, SO_RCVTIMEO, milliseconds).map_err(Error::at("setsockopt SO_RCVTIMEO"))
}

fn set_timeout(fd: c_int, option: c_int, milliseconds: c_longlong) -> Result<(), Errno> {
    valid_fd(fd)?;
    socket::set_timeout(fd, option, u64::try_from(milliseconds).map_err(|_| Errno::EDOM)?)
}

#[cfg(any(target_os = "linux", target_os = "android"))]
const MARK: Option<c_int> = Some(libc::SO_MARK);
#[cfg(target_os = "freebsd")]
const MARK: Option<c_int> = Some(libc::SO_USER_COOKIE);
#[cfg(target_os = "openbsd")]
const MARK: Option<c_int> = Some(libc::SO_RTABLE);
#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd", target_os = "openbsd")))]
const MARK: Option<c_int> = None;

/// Whether the system has marks.
pub(super) const HAS_MARK: bool = MARK.is_some();

/// Marks a socket's packets for routing and filtering; does nothing where the system has no such mark.
pub(crate) fn set_mark(fd: c_int, id: u32) -> Result<(), Error> {
    match MARK {
        Some(option) => {
            socket::set_option(fd, SOL_SOCKET, option, id as c_int).map_err(Error::at("setsockopt SO_MARK"))
        }
        None => Ok(()),
    }
}

/// A socket's pending error, which is cleared, 0 for none; the errno when it cannot be read.
pub(crate) fn take_error(fd: c_int) -> c_int {
    socket::option(fd, SOL_SOCKET, SO_ERROR).unwrap_or_else(|errno| errno as c_int)
}
