//! Addresses: of names, and of sockets' ends.

use super::{Error, Family, SocketAddress};
use crate::sys::Errno;
use crate::sys::resolve::{Query, resolve as lookup};
use crate::sys::socket;
use crate::sys::text::{IP_TEXT_LEN, Text, TextRoom};
use core::ffi::{CStr, c_int};
use core::fmt;
use std::ffi::CString;

/// The first address of a name as text, of the preferred family if it has one; with `numeric` it must be an address
/// already.
pub(crate) fn resolve(host: &CStr, numeric: bool, preferred: Option<Family>) -> Result<Text<IP_TEXT_LEN>, Error> {
    let look = |family| lookup(Some(host), None, Query { family, numeric, passive: false });
    let found = match preferred {
        Some(Family::V4) => look(libc::AF_INET).or_else(|_| look(libc::AF_INET6)),
        Some(Family::V6) => look(libc::AF_INET6).or_else(|_| look(libc::AF_INET)),
        None => look(libc::AF_UNSPEC),
    }?;
    found.first().map(|first| first.address.ip()).ok_or(Error::new("getaddrinfo", Errno::EADDRNOTAVAIL))
}

/// The address of one end of a socket: the remote one or the own; `EAFNOSUPPORT` for families that anet does not
/// know.
pub(crate) fn end_address(fd: c_int, remote: bool) -> Result<SocketAddress, Errno> {
    let end = if remote { socket::peer_address(fd) } else { socket::own_address(fd) }?;
    match end.family() {
        libc::AF_INET | libc::AF_INET6 | libc::AF_UNIX => Ok(end),
        _ => Err(Errno::EAFNOSUPPORT),
    }
}

/// The path that either end of a unix socket has.
pub(crate) fn unix_path(fd: c_int) -> Option<CString> {
    [socket::own_address(fd), socket::peer_address(fd)].into_iter().flatten().find_map(|end| end.path())
}

/// Writes an end's address and port where they are wanted. When there is none, or the address does not fit (`ENOSPC`),
/// they are `?` and 0.
pub(crate) fn write_end(
    end: Result<SocketAddress, Errno>,
    mut ip: Option<TextRoom<'_>>,
    port: Option<&mut c_int>,
) -> Result<(), Errno> {
    let written = end.and_then(|end| write_ip(&end, ip.as_mut()).map(|()| end.port()));
    if let Some(port) = port {
        *port = written.unwrap_or(0);
    }
    if end.is_err()
        && let Some(ip) = &mut ip
    {
        let _ = ip.write_whole("?");
    }
    written.map(drop)
}

/// Writes an address where it is wanted, or `?` when it does not fit (`ENOSPC`).
pub(crate) fn write_ip(address: &SocketAddress, ip: Option<&mut TextRoom<'_>>) -> Result<(), Errno> {
    let Some(ip) = ip else { return Ok(()) };
    ip.write_whole(address.ip().as_str()).inspect_err(|_| _ = ip.write_whole("?"))
}

/// `ip:port`, `[ip]:port` for IPv6.
pub(crate) struct HostPort<'a> {
    /// The address.
    pub(crate) ip: &'a CStr,
    /// The port.
    pub(crate) port: c_int,
}

impl fmt::Display for HostPort<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (ip, port) = (self.ip.to_string_lossy(), self.port);
        if ip.contains(':') { write!(f, "[{ip}]:{port}") } else { write!(f, "{ip}:{port}") }
    }
}

/// One end of a socket as [`HostPort`] writes it; `?:0` when there is none.
pub(crate) struct End {
    /// The socket.
    pub(crate) fd: c_int,
    /// The remote end, not the own.
    pub(crate) remote: bool,
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match end_address(self.fd, self.remote) {
            Ok(end) => end.fmt(f),
            Err(_) => f.write_str("?:0"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_are_for_ipv6() {
        let text = |ip, port| HostPort { ip, port }.to_string();
        assert_eq!(text(c"127.0.0.1", 80), "127.0.0.1:80");
        assert_eq!(text(c"::1", 80), "[::1]:80");
        assert_eq!(text(c"/unixsocket", 0), "/unixsocket:0");
    }

    #[test]
    fn numeric_addresses_resolve_to_themselves() {
        assert_eq!(resolve(c"::1", true, None).unwrap().as_str(), "::1");
        assert_eq!(resolve(c"127.0.0.1", true, None).unwrap().as_str(), "127.0.0.1");
        let error = resolve(c"localhost", true, None).err().unwrap();
        assert!(error.to_string().starts_with("getaddrinfo: "), "{error}");
    }

    #[test]
    fn the_other_family_does_when_the_preferred_has_nothing() {
        assert_eq!(resolve(c"127.0.0.1", true, Some(Family::V6)).unwrap().as_str(), "127.0.0.1");
        assert_eq!(resolve(c"::1", true, Some(Family::V4)).unwrap().as_str(), "::1");
    }

    #[test]
    fn no_end_is_a_question_mark() {
        assert_eq!(End { fd: -1, remote: true }.to_string(), "?:0");
    }
}
