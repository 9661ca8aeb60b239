//! Sockets that connect, listen and accept.

use super::args::{ErrorText, required};
use crate::abi::anet::ANET_ERR;
use crate::abi::profile;
use crate::anet::{self, Connect, Family, SocketOptions, Transport};
use crate::ffi::args::optional_string;
use crate::sys::text::TextRoom;
use core::ffi::{CStr, c_char, c_int};
use nix::errno::Errno;

fn tcp_connect(err: ErrorText<'_>, addr: Option<&CStr>, port: c_int, source: Option<&CStr>, how: Connect) -> c_int {
    err.answer(ANET_ERR, || anet::tcp_connect(required(addr, "host")?, port, source, how))
}

fn unix_connect(err: ErrorText<'_>, path: Option<&CStr>, non_blocking: bool) -> c_int {
    err.answer(ANET_ERR, || anet::unix_connect(required(path, "path")?, non_blocking))
}

/// Connects to `addr`, a name or an address, and waits for it (upstream before 6.2).
///
/// Returns the descriptor (for exec see `libaeSetSafeSockets`); `ANET_ERR` with errno and the text in `err`.
///
/// # Safety
/// `err` is NULL or has room for `ANET_ERR_LEN` bytes; the strings are NULL or strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn anetTcpConnect(err: *mut c_char, addr: *const c_char, port: c_int) -> c_int {
    // SAFETY: NULL or room for a text, NULL or a string, by this function's own contract.
    let (err, addr) = unsafe { (ErrorText::new(err), optional_string(addr)) };
    tcp_connect(err, addr, port, None, Connect::Blocking)
}

/// Starts to connect to `addr`, a name or an address. The socket becomes writable when it is connected or has
/// failed; `anetGetError` tells which.
///
/// Returns the descriptor, non-blocking (for exec see `libaeSetSafeSockets`); `ANET_ERR` with errno and the text in
/// `err`.
///
/// # Safety
/// `err` is NULL or has room for `ANET_ERR_LEN` bytes; the strings are NULL or strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn anetTcpNonBlockConnect(err: *mut c_char, addr: *const c_char, port: c_int) -> c_int {
    // SAFETY: NULL or room for a text, NULL or a string, by this function's own contract.
    let (err, addr) = unsafe { (ErrorText::new(err), optional_string(addr)) };
    tcp_connect(err, addr, port, None, Connect::NonBlocking)
}

/// Like `anetTcpNonBlockConnect`, from the local address `source_addr` (NULL: any); upstream before 6.2.
///
/// # Safety
/// `err` is NULL or has room for `ANET_ERR_LEN` bytes; the strings are NULL or strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn anetTcpNonBlockBindConnect(
    err: *mut c_char,
    addr: *const c_char,
    port: c_int,
    source_addr: *const c_char,
) -> c_int {
    // SAFETY: NULL or room for a text, NULL or strings, by this function's own contract.
    let (err, addr, source) = unsafe { (ErrorText::new(err), optional_string(addr), optional_string(source_addr)) };
    tcp_connect(err, addr, port, source, Connect::NonBlocking)
}

/// Like `anetTcpNonBlockConnect`, from the local address `source_addr` if it can be bound, else from any.
///
/// # Safety
/// `err` is NULL or has room for `ANET_ERR_LEN` bytes; the strings are NULL or strings.
#[cfg(not(abi_valkey_9))]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn anetTcpNonBlockBestEffortBindConnect(
    err: *mut c_char,
    addr: *const c_char,
    port: c_int,
    source_addr: *const c_char,
) -> c_int {
    // SAFETY: NULL or room for a text, NULL or strings, by this function's own contract.
    let (err, addr, source) = unsafe { (ErrorText::new(err), optional_string(addr), optional_string(source_addr)) };
    tcp_connect(err, addr, port, source, Connect::NonBlockingBestEffortBind(Transport::Tcp))
}

/// Like `anetTcpNonBlockConnect`, from the local address `source_addr` if it can be bound, else from any; with `mptcp`
/// not 0 over MPTCP, without falling back.
///
/// # Safety
/// `err` is NULL or has room for `ANET_ERR_LEN` bytes; the strings are NULL or strings.
#[cfg(abi_valkey_9)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn anetTcpNonBlockBestEffortBindConnect(
    err: *mut c_char,
    addr: *const c_char,
    port: c_int,
    source_addr: *const c_char,
    mptcp: c_int,
) -> c_int {
    // SAFETY: NULL or room for a text, NULL or strings, by this function's own contract.
    let (err, addr, source) = unsafe { (ErrorText::new(err), optional_string(addr), optional_string(source_addr)) };
    tcp_connect(err, addr, port, source, Connect::NonBlockingBestEffortBind(transport(mptcp)))
}

/// Connects to a unix socket. `flags` is 0, or 1 for a non-blocking connect.
///
/// Returns the descriptor (for exec see `libaeSetSafeSockets`); `ANET_ERR` with errno (`ENAMETOOLONG` when the path
/// does not fit a socket address) and the text in `err`.
///
/// # Safety
/// `err` is NULL or has room for `ANET_ERR_LEN` bytes; the strings are NULL or strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn anetUnixGenericConnect(err: *mut c_char, path: *const c_char, flags: c_int) -> c_int {
    // SAFETY: NULL or room for a text, NULL or a string, by this function's own contract.
    let (err, path) = unsafe { (ErrorText::new(err), optional_string(path)) };
    unix_connect(err, path, flags & 1 != 0)
}

/// Connects to a unix socket and waits for it (upstream before 6.2). As `anetUnixGenericConnect`.
///
/// # Safety
/// `err` is NULL or has room for `ANET_ERR_LEN` bytes; the strings are NULL or strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn anetUnixConnect(err: *mut c_char, path: *const c_char) -> c_int {
    // SAFETY: NULL or room for a text, NULL or a string, by this function's own contract.
    let (err, path) = unsafe { (ErrorText::new(err), optional_string(path)) };
    unix_connect(err, path, false)
}

/// Starts to connect to a unix socket (upstream before 6.2). As `anetUnixGenericConnect`.
///
/// # Safety
/// `err` is NULL or has room for `ANET_ERR_LEN` bytes; the strings are NULL or strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn anetUnixNonBlockConnect(err: *mut c_char, path: *const c_char) -> c_int {
    // SAFETY: NULL or room for a text, NULL or a string, by this function's own contract.
    let (err, path) = unsafe { (ErrorText::new(err), optional_string(path)) };
    unix_connect(err, path, true)
}

/// Listens on `port` (0: the system picks one) of every IPv4 address, or of `bindaddr` when it is not NULL.
/// `backlog` is the queue of connections not yet accepted. `SO_REUSEADDR` is set.
///
/// Returns the descriptor, blocking (for exec see `libaeSetSafeSockets`); `ANET_ERR` with errno and the text in `err`.
///
/// # Safety
/// `err` is NULL or has room for `ANET_ERR_LEN` bytes; the strings are NULL or strings.
#[cfg(not(abi_valkey_9))]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn anetTcpServer(
    err: *mut c_char,
    port: c_int,
    bindaddr: *const c_char,
    backlog: c_int,
) -> c_int {
    // SAFETY: NULL or room for a text, NULL or a string, by this function's own contract.
    let (err, bindaddr) = unsafe { (ErrorText::new(err), optional_string(bindaddr)) };
    err.answer(ANET_ERR, || anet::tcp_listen_over(Transport::Tcp, port, bindaddr, Family::V4, backlog))
}

/// Listens on `port` (0: the system picks one) of every IPv4 address, or of `bindaddr` when it is not NULL.
/// `backlog` is the queue of connections not yet accepted. `SO_REUSEADDR` is set. With `mptcp` not 0 it
/// takes MPTCP, too.
///
/// Returns the descriptor, blocking and close-on-exec; `ANET_ERR` with errno and the text in `err`.
///
/// # Safety
/// `err` is NULL or has room for `ANET_ERR_LEN` bytes; the strings are NULL or strings.
#[cfg(abi_valkey_9)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn anetTcpServer(
    err: *mut c_char,
    port: c_int,
    bindaddr: *const c_char,
    backlog: c_int,
    mptcp: c_int,
) -> c_int {
    // SAFETY: NULL or room for a text, NULL or a string, by this function's own contract.
    let (err, bindaddr) = unsafe { (ErrorText::new(err), optional_string(bindaddr)) };
    err.answer(ANET_ERR, || anet::tcp_listen_over(transport(mptcp), port, bindaddr, Family::V4, backlog))
}

/// Listens on `port` (0: the system picks one) of every IPv6 address, or of `bindaddr` when it is not NULL.
/// IPv4 is not served (`IPV6_V6ONLY`).
/// `backlog` is the queue of connections not yet accepted. `SO_REUSEADDR` is set.
///
/// Returns the descriptor, blocking (for exec see `libaeSetSafeSockets`); `ANET_ERR` with errno and the text in `err`.
///
/// # Safety
/// `err` is NULL or has room for `ANET_ERR_LEN` bytes; the strings are NULL or strings.
#[cfg(not(abi_valkey_9))]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn anetTcp6Server(
    err: *mut c_char,
    port: c_int,
    bindaddr: *const c_char,
    backlog: c_int,
) -> c_int {
    // SAFETY: NULL or room for a text, NULL or a string, by this function's own contract.
    let (err, bindaddr) = unsafe { (ErrorText::new(err), optional_string(bindaddr)) };
    err.answer(ANET_ERR, || anet::tcp_listen_over(Transport::Tcp, port, bindaddr, Family::V6, backlog))
}

/// Listens on `port` (0: the system picks one) of every IPv6 address, or of `bindaddr` when it is not NULL.
/// IPv4 is not served (`IPV6_V6ONLY`).
/// `backlog` is the queue of connections not yet accepted. `SO_REUSEADDR` is set. With `mptcp` not 0 it
/// takes MPTCP, too.
///
/// Returns the descriptor, blocking and close-on-exec; `ANET_ERR` with errno and the text in `err`.
///
/// # Safety
/// `err` is NULL or has room for `ANET_ERR_LEN` bytes; the strings are NULL or strings.
#[cfg(abi_valkey_9)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn anetTcp6Server(
    err: *mut c_char,
    port: c_int,
    bindaddr: *const c_char,
    backlog: c_int,
    mptcp: c_int,
) -> c_int {
    // SAFETY: NULL or room for a text, NULL or a string, by this function's own contract.
    let (err, bindaddr) = unsafe { (ErrorText::new(err), optional_string(bindaddr)) };
    err.answer(ANET_ERR, || anet::tcp_listen_over(transport(mptcp), port, bindaddr, Family::V6, backlog))
}

fn unix_server(
    err: ErrorText<'_>,
    path: Option<&CStr>,
    perm: libc::mode_t,
    backlog: c_int,
    group: Option<&CStr>,
) -> c_int {
    err.answer(ANET_ERR, || {
        let blocking = !profile::UNIX_SERVER_DOES_NOT_BLOCK;
        let options = SocketOptions { unix_permissions: perm, unix_group: group, blocking, ..Default::default() };
        anet::unix_listen_guarded(required(path, "path")?, &options, backlog)
    })
}

/// Listens on the unix socket `path`, which must not exist. `perm`, when not 0, are its permission bits.
///
/// Returns the descriptor, blocking (for exec see `libaeSetSafeSockets`); `ANET_ERR` with errno (`ENAMETOOLONG` when
/// the path does not fit a socket address) and the text in `err`.
///
/// # Safety
/// `err` is NULL or has room for `ANET_ERR_LEN` bytes; the strings are NULL or strings.
#[cfg(not(abi_valkey))]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn anetUnixServer(
    err: *mut c_char,
    path: *const c_char,
    perm: libc::mode_t,
    backlog: c_int,
) -> c_int {
    // SAFETY: NULL or room for a text, NULL or a string, by this function's own contract.
    let (err, path) = unsafe { (ErrorText::new(err), optional_string(path)) };
    unix_server(err, path, perm, backlog, None)
}

/// Listens on the unix socket `path`, which must not exist. `perm`, when not 0, are its permission bits; `group`, when
/// not NULL, is its group's name, or number as text.
///
/// Returns the descriptor, blocking in valkey-8.0, non-blocking and close-on-exec in valkey-8.1; `ANET_ERR` with errno
/// (`ENAMETOOLONG` when the path does not fit a socket address) and the text in `err`.
///
/// # Safety
/// `err` is NULL or has room for `ANET_ERR_LEN` bytes; the strings are NULL or strings.
#[cfg(abi_valkey)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn anetUnixServer(
    err: *mut c_char,
    path: *const c_char,
    perm: libc::mode_t,
    backlog: c_int,
    group: *const c_char,
) -> c_int {
    // SAFETY: NULL or room for a text, NULL or strings, by this function's own contract.
    let (err, path, group) = unsafe { (ErrorText::new(err), optional_string(path), optional_string(group)) };
    unix_server(err, path, perm, backlog, group)
}

/// Whether the system has MPTCP: 1 or 0. (Its kernel may have it switched off: then the socket's error says so.)
#[cfg(abi_valkey_9)]
#[unsafe(no_mangle)]
pub extern "C" fn anetHasMptcp() -> c_int {
    Transport::HAS_MPTCP.into()
}

#[cfg(abi_valkey_9)]
fn transport(mptcp: c_int) -> Transport {
    if mptcp == 0 { Transport::Tcp } else { Transport::Mptcp }
}

/// Accepts a connection. The peer's address is written to `ip` and its port to `port`; either may be NULL. An
/// address that does not fit `ip_len` bytes is "?". `EINTR` and `ECONNABORTED` are retried.
///
/// Returns the descriptor, non-blocking and close-on-exec (in redis-6.2 neither, see `libaeSetSafeSockets`);
/// `ANET_ERR` with errno (`EAGAIN`: nobody waits) and the text in `err`.
///
/// # Safety
/// `err` is NULL or has room for `ANET_ERR_LEN` bytes; `ip` is NULL or has room for `ip_len` bytes; `port` is NULL or
/// valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn anetTcpAccept(
    err: *mut c_char,
    serversock: c_int,
    ip: *mut c_char,
    ip_len: usize,
    port: *mut c_int,
) -> c_int {
    // SAFETY: NULL or room for a text, NULL or room for `ip_len` bytes, NULL or valid, by this function's own contract.
    let (err, mut ip, port) = unsafe { (ErrorText::new(err), TextRoom::new(ip, ip_len), port.as_mut()) };
    err.answer(ANET_ERR, || {
        let (fd, peer) = anet::accept(serversock)?;
        if let Some(port) = port {
            *port = peer.port();
        }
        // An address that does not fit is not worth losing the connection for.
        let _ = anet::write_ip(&peer, ip.as_mut());
        Ok(fd)
    })
}

/// Accepts a connection on a unix socket. `EINTR` and `ECONNABORTED` are retried.
///
/// Returns the descriptor, non-blocking and close-on-exec (in redis-6.2 neither, see `libaeSetSafeSockets`);
/// `ANET_ERR` with errno (`EAGAIN`: nobody waits) and the text in `err`.
///
/// # Safety
/// `err` is NULL or has room for `ANET_ERR_LEN` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn anetUnixAccept(err: *mut c_char, serversock: c_int) -> c_int {
    // SAFETY: NULL or room for a text, by this function's own contract.
    unsafe { ErrorText::new(err) }.answer(ANET_ERR, || anet::accept(serversock).map(|(fd, _)| fd))
}

/// Whether `err`, the errno of a failed accept, is about the one connection that it took (`ECONNABORTED`, and on Linux
/// what the network had to report, like `EHOSTUNREACH`), so that the next may be accepted at once: 1 or 0. (The name in
/// Redis's point releases since 6.2.19, 7.2.10, 7.4.5 and 8.0.3.)
#[unsafe(no_mangle)]
pub extern "C" fn anetAcceptFailureNeedsRetry(err: c_int) -> c_int {
    anet::is_of_one_connection(Errno::from_raw(err)).into()
}

/// The same under the name that it has in Valkey's point releases since 7.2.10, 8.0.4 and 8.1.3.
#[unsafe(no_mangle)]
pub extern "C" fn anetRetryAcceptOnError(err: c_int) -> c_int {
    anetAcceptFailureNeedsRetry(err)
}
