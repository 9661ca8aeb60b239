//! Addresses: of names, and of sockets' ends.

use super::{host_argument, status};
use crate::abi::anet::{ANET_IP_ONLY, ANET_PREFER_IPV4, ANET_PREFER_IPV6};
use crate::abi::profile;
use crate::anet::{self, End, Error, Family, HostPort};
use crate::ffi::args::{call, string};
use crate::sys::text::TextRoom;
use core::ffi::{c_char, c_int};
use core::fmt::Display;
use nix::errno::Errno;

/// Writes as much of the text as fits and returns the length of the whole.
///
/// # Safety
/// `buf` is NULL or has room for `len` bytes.
unsafe fn format_to(buf: *mut c_char, len: usize, text: impl Display) -> Result<c_int, Errno> {
    // SAFETY: NULL or room for that many bytes, by this function's own contract.
    let whole = unsafe { TextRoom::new(buf, len) }.ok_or(Errno::EINVAL)?.write(format_args!("{text}"));
    Ok(c_int::try_from(whole).unwrap_or(c_int::MAX))
}

/// Resolves `host` to an address, IPv4 or IPv6, written to `ipbuf`. With `ANET_IP_ONLY` in `flags` it must be
/// an address already; `ANET_PREFER_IPV4` and `ANET_PREFER_IPV6` ask for an address of that family if there is one.
/// (Upstream before 6.2 has the same name without `flags`, and before 2.8 without `ipbuf_len`: such a caller is compiled
/// with the macro `LIBAE_BEFORE_6_2`, which accepts both.)
///
/// Returns `ANET_OK`; `ANET_ERR` with errno (`ENOSPC` when the address does not fit) and the text in `err`.
///
/// # Safety
/// `err` is NULL or has room for `ANET_ERR_LEN` bytes; `host` is NULL or a string; `ipbuf` is NULL or has room for `ipbuf_len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn anetResolve(
    err: *mut c_char,
    host: *mut c_char,
    ipbuf: *mut c_char,
    ipbuf_len: usize,
    flags: c_int,
) -> c_int {
    // SAFETY: the caller vouches for `err`, the string and the buffer.
    unsafe {
        status(err, || {
            let preferred = match flags & (ANET_PREFER_IPV4 | ANET_PREFER_IPV6) {
                ANET_PREFER_IPV4 => Some(Family::V4),
                ANET_PREFER_IPV6 => Some(Family::V6),
                _ => None,
            };
            let ip = anet::resolve(host_argument(host)?, flags & ANET_IP_ONLY != 0, preferred)?;
            let written = TextRoom::new(ipbuf, ipbuf_len).ok_or(Errno::EINVAL);
            written.and_then(|mut buf| buf.write_whole(ip.as_str())).map_err(|errno| Error::new("ipbuf", errno))
        })
    }
}

/// `anetResolve` with `ANET_IP_ONLY` (upstream before 6.2).
///
/// # Safety
/// `err` is NULL or has room for `ANET_ERR_LEN` bytes; `host` is NULL or a string; `ipbuf` is NULL or has room for `ipbuf_len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn anetResolveIP(
    err: *mut c_char,
    host: *mut c_char,
    ipbuf: *mut c_char,
    ipbuf_len: usize,
) -> c_int {
    // SAFETY: the caller vouches for `err`, the string and the buffer.
    unsafe { anetResolve(err, host, ipbuf, ipbuf_len, ANET_IP_ONLY) }
}

/// Writes the address of one end of a socket.
///
/// # Safety
/// As for [`anetFdToString`].
unsafe fn end_to_string(fd: c_int, ip: *mut c_char, ip_len: usize, port: *mut c_int, remote: bool) -> c_int {
    // SAFETY: NULL or as long as said, and valid, by this function's own contract.
    let (ip, port) = unsafe { (TextRoom::new(ip, ip_len), port.as_mut()) };
    call(-1, || anet::write_end(anet::end_address(fd, remote), ip, port).map(|()| 0))
}

/// The address of one end of a socket: the remote end when `remote` is not 0, else the own one. (Up to
/// redis-7.0 the argument has the opposite meaning.) Of a unix socket the address is "/unixsocket" and the port
/// 0. `ip` and `port` may be NULL.
///
/// Returns 0; -1 with errno (`ENOSPC` when the address does not fit), then the address is "?" and the port 0.
///
/// # Safety
/// `ip` is NULL or has room for `ip_len` bytes; `port` is NULL or valid.
#[cfg(not(abi_v1))]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn anetFdToString(
    fd: c_int,
    ip: *mut c_char,
    ip_len: usize,
    port: *mut c_int,
    remote: c_int,
) -> c_int {
    // SAFETY: the caller vouches for the buffer and the port.
    unsafe { end_to_string(fd, ip, ip_len, port, profile::asks_for_remote(remote)) }
}

/// The address of one end of a socket: the remote end for `FD_TO_PEER_NAME` (0), else the own one. (From redis-7.2 on
/// the argument has the opposite meaning.) Of a unix socket the address is "/unixsocket" and the port 0. `ip` and
/// `port` may be NULL.
///
/// Returns 0; -1 with errno (`ENOSPC` when the address does not fit), then the address is "?" and the port 0.
///
/// # Safety
/// `ip` is NULL or has room for `ip_len` bytes; `port` is NULL or valid.
#[cfg(abi_v1)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn anetFdToString(
    fd: c_int,
    ip: *mut c_char,
    ip_len: usize,
    port: *mut c_int,
    fd_to_str_type: c_int,
) -> c_int {
    // SAFETY: the caller vouches for the buffer and the port.
    unsafe { end_to_string(fd, ip, ip_len, port, profile::asks_for_remote(fd_to_str_type)) }
}

/// One end's address as `anetFormatAddr` writes it: the remote end for `FD_TO_PEER_NAME` (0), else the own one; "?:0"
/// when there is none.
///
/// Returns the length of the whole text; -1 with errno `EINVAL` for a NULL pointer.
///
/// # Safety
/// `buf` is NULL or has room for `buf_len` bytes.
#[cfg(abi_v1)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn anetFormatFdAddr(fd: c_int, buf: *mut c_char, buf_len: usize, fd_to_str_type: c_int) -> c_int {
    let remote = profile::asks_for_remote(fd_to_str_type);
    // SAFETY: the caller vouches for the buffer.
    call(-1, || unsafe { format_to(buf, buf_len, End { fd, remote }) })
}

/// The remote end's address, as `anetFdToString` (upstream before 6.2).
///
/// # Safety
/// `ip` is NULL or has room for `ip_len` bytes; `port` is NULL or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn anetPeerToString(fd: c_int, ip: *mut c_char, ip_len: usize, port: *mut c_int) -> c_int {
    // SAFETY: the caller vouches for the buffer and the port.
    unsafe { end_to_string(fd, ip, ip_len, port, true) }
}

/// The own end's address, as `anetFdToString` (upstream before 6.2).
///
/// # Safety
/// `ip` is NULL or has room for `ip_len` bytes; `port` is NULL or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn anetSockName(fd: c_int, ip: *mut c_char, ip_len: usize, port: *mut c_int) -> c_int {
    // SAFETY: the caller vouches for the buffer and the port.
    unsafe { end_to_string(fd, ip, ip_len, port, false) }
}

/// Writes `ip:port`, or `[ip]:port` for IPv6, to `fmt`, cut to `fmt_len` bytes and terminated.
///
/// Returns the length of the whole text; -1 with errno `EINVAL` for a NULL pointer.
///
/// # Safety
/// `fmt` is NULL or has room for `fmt_len` bytes; `ip` is NULL or a string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn anetFormatAddr(fmt: *mut c_char, fmt_len: usize, ip: *mut c_char, port: c_int) -> c_int {
    call(-1, || {
        // SAFETY: the caller vouches for the string and the buffer.
        unsafe { format_to(fmt, fmt_len, HostPort { ip: string(ip)?, port }) }
    })
}

/// The remote end's address as `anetFormatAddr` writes it (upstream before 6.2); "?:0" when there is none.
///
/// Returns the length of the whole text; -1 with errno `EINVAL` for a NULL pointer.
///
/// # Safety
/// `buf` is NULL or has room for `buf_len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn anetFormatPeer(fd: c_int, buf: *mut c_char, buf_len: usize) -> c_int {
    // SAFETY: the caller vouches for the buffer.
    call(-1, || unsafe { format_to(buf, buf_len, End { fd, remote: true }) })
}

/// The own end's address as `anetFormatAddr` writes it (upstream before 6.2); "?:0" when there is none.
///
/// Returns the length of the whole text; -1 with errno `EINVAL` for a NULL pointer.
///
/// # Safety
/// `buf` is NULL or has room for `buf_len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn anetFormatSock(fd: c_int, buf: *mut c_char, buf_len: usize) -> c_int {
    // SAFETY: the caller vouches for the buffer.
    call(-1, || unsafe { format_to(buf, buf_len, End { fd, remote: false }) })
}
