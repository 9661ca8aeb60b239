//! Addresses: of names, and of sockets' ends.

use super::args::{ErrorText, required};
use crate::abi::anet::{ANET_IP_ONLY, ANET_PREFER_IPV4, ANET_PREFER_IPV6};
use crate::abi::profile;
use crate::anet::{self, End, Error, Family, HostPort};
use crate::ffi::args::{call, optional_string};
use crate::sys::text::TextRoom;
use core::ffi::{CStr, c_char, c_int};
use core::fmt::Display;
use nix::errno::Errno;

/// Writes as much of the text as fits and returns the length of the whole.
fn format_to(room: Option<TextRoom<'_>>, text: impl Display) -> Result<c_int, Errno> {
    let whole = room.ok_or(Errno::EINVAL)?.write(format_args!("{text}"));
    Ok(c_int::try_from(whole).unwrap_or(c_int::MAX))
}

fn resolve(err: ErrorText<'_>, host: Option<&CStr>, room: Option<TextRoom<'_>>, flags: c_int) -> c_int {
    err.status(|| {
        let preferred = match flags & (ANET_PREFER_IPV4 | ANET_PREFER_IPV6) {
            ANET_PREFER_IPV4 => Some(Family::V4),
            ANET_PREFER_IPV6 => Some(Family::V6),
            _ => None,
        };
        let ip = anet::resolve(required(host, "host")?, flags & ANET_IP_ONLY != 0, preferred)?;
        let written = room.ok_or(Errno::EINVAL).and_then(|mut room| room.write_whole(ip.as_str()));
        written.map_err(|errno| Error::new("ipbuf", errno))
    })
}

/// Resolves `host` to an address, IPv4 or IPv6, written to `ipbuf`. With `ANET_IP_ONLY` in `flags` it must be
/// an address already; `ANET_PREFER_IPV4` and `ANET_PREFER_IPV6` ask for an address of that family if there is one.
/// (Upstream before 6.2 has the same name without `flags`, and before 2.8 without `ipbuf_len`: such a caller is
/// compiled with the macro `LIBAE_BEFORE_6_2`, which accepts both.)
///
/// Returns `ANET_OK`; `ANET_ERR` with errno (`ENOSPC` when the address does not fit) and the text in `err`.
///
/// # Safety
/// `err` is NULL or has room for `ANET_ERR_LEN` bytes; `host` is NULL or a string; `ipbuf` is NULL or has room for
/// `ipbuf_len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn anetResolve(
    err: *mut c_char,
    host: *const c_char,
    ipbuf: *mut c_char,
    ipbuf_len: usize,
    flags: c_int,
) -> c_int {
    // SAFETY: NULL or room for a text, NULL or a string, NULL or room for `ipbuf_len` bytes, by this function's own
    // contract.
    let (err, host, room) = unsafe { (ErrorText::new(err), optional_string(host), TextRoom::new(ipbuf, ipbuf_len)) };
    resolve(err, host, room, flags)
}

/// `anetResolve` with `ANET_IP_ONLY` (upstream before 6.2).
///
/// # Safety
/// `err` is NULL or has room for `ANET_ERR_LEN` bytes; `host` is NULL or a string; `ipbuf` is NULL or has room for
/// `ipbuf_len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn anetResolveIP(
    err: *mut c_char,
    host: *const c_char,
    ipbuf: *mut c_char,
    ipbuf_len: usize,
) -> c_int {
    // SAFETY: NULL or room for a text, NULL or a string, NULL or room for `ipbuf_len` bytes, by this function's own
    // contract.
    let (err, host, room) = unsafe { (ErrorText::new(err), optional_string(host), TextRoom::new(ipbuf, ipbuf_len)) };
    resolve(err, host, room, ANET_IP_ONLY)
}

/// Writes the address of one end of a socket.
fn end_to_string(fd: c_int, ip: Option<TextRoom<'_>>, port: Option<&mut c_int>, remote: bool) -> c_int {
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
    // SAFETY: NULL or room for `ip_len` bytes, NULL or valid, by this function's own contract.
    let (ip, port) = unsafe { (TextRoom::new(ip, ip_len), port.as_mut()) };
    end_to_string(fd, ip, port, profile::asks_for_remote(remote))
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
    // SAFETY: NULL or room for `ip_len` bytes, NULL or valid, by this function's own contract.
    let (ip, port) = unsafe { (TextRoom::new(ip, ip_len), port.as_mut()) };
    end_to_string(fd, ip, port, profile::asks_for_remote(fd_to_str_type))
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
    // SAFETY: NULL or room for `buf_len` bytes, by this function's own contract.
    let room = unsafe { TextRoom::new(buf, buf_len) };
    call(-1, || format_to(room, End { fd, remote }))
}

/// The remote end's address, as `anetFdToString` (upstream before 6.2).
///
/// # Safety
/// `ip` is NULL or has room for `ip_len` bytes; `port` is NULL or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn anetPeerToString(fd: c_int, ip: *mut c_char, ip_len: usize, port: *mut c_int) -> c_int {
    // SAFETY: NULL or room for `ip_len` bytes, NULL or valid, by this function's own contract.
    let (ip, port) = unsafe { (TextRoom::new(ip, ip_len), port.as_mut()) };
    end_to_string(fd, ip, port, true)
}

/// The own end's address, as `anetFdToString` (upstream before 6.2).
///
/// # Safety
/// `ip` is NULL or has room for `ip_len` bytes; `port` is NULL or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn anetSockName(fd: c_int, ip: *mut c_char, ip_len: usize, port: *mut c_int) -> c_int {
    // SAFETY: NULL or room for `ip_len` bytes, NULL or valid, by this function's own contract.
    let (ip, port) = unsafe { (TextRoom::new(ip, ip_len), port.as_mut()) };
    end_to_string(fd, ip, port, false)
}

/// Writes `ip:port`, or `[ip]:port` for IPv6, to `fmt`, cut to `fmt_len` bytes and terminated.
///
/// Returns the length of the whole text; -1 with errno `EINVAL` for a NULL pointer.
///
/// # Safety
/// `fmt` is NULL or has room for `fmt_len` bytes; `ip` is NULL or a string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn anetFormatAddr(fmt: *mut c_char, fmt_len: usize, ip: *const c_char, port: c_int) -> c_int {
    // SAFETY: NULL or room for `fmt_len` bytes, NULL or a string, by this function's own contract.
    let (room, ip) = unsafe { (TextRoom::new(fmt, fmt_len), optional_string(ip)) };
    call(-1, || format_to(room, HostPort { ip: ip.ok_or(Errno::EINVAL)?, port }))
}

/// The remote end's address as `anetFormatAddr` writes it (upstream before 6.2); "?:0" when there is none.
///
/// Returns the length of the whole text; -1 with errno `EINVAL` for a NULL pointer.
///
/// # Safety
/// `buf` is NULL or has room for `buf_len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn anetFormatPeer(fd: c_int, buf: *mut c_char, buf_len: usize) -> c_int {
    // SAFETY: NULL or room for `buf_len` bytes, by this function's own contract.
    let room = unsafe { TextRoom::new(buf, buf_len) };
    call(-1, || format_to(room, End { fd, remote: true }))
}

/// The own end's address as `anetFormatAddr` writes it (upstream before 6.2); "?:0" when there is none.
///
/// Returns the length of the whole text; -1 with errno `EINVAL` for a NULL pointer.
///
/// # Safety
/// `buf` is NULL or has room for `buf_len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn anetFormatSock(fd: c_int, buf: *mut c_char, buf_len: usize) -> c_int {
    // SAFETY: NULL or room for `buf_len` bytes, by this function's own contract.
    let room = unsafe { TextRoom::new(buf, buf_len) };
    call(-1, || format_to(room, End { fd, remote: false }))
}
