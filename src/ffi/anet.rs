//! `anet.h`: socket helpers.
//!
//! Where a function takes `char *err`, NULL is fine; else it is room for `ANET_ERR_LEN` bytes, where a failure
//! leaves a terminated text that says which call failed and why.

use super::args::{bytes_mut, call, non_null, optional_string, quietly, string};
use crate::abi::anet::{ANET_ERR, ANET_ERR_LEN, ANET_IP_ONLY, ANET_OK};
use crate::anet::{self, Connect, Error, Family};
use crate::sys::text::{write_text, write_whole};
use core::ffi::{CStr, c_char, c_int, c_longlong};
use core::ptr;
use nix::errno::Errno;

/// Runs `body`; a failure's text goes to `err`, its number to `errno`.
///
/// # Safety
/// `err` is NULL or has room for `ANET_ERR_LEN` bytes.
unsafe fn answer<T>(err: *mut c_char, failure: T, body: impl FnOnce() -> Result<T, Error>) -> T {
    call(failure, || {
        body().map_err(|error| {
            if !err.is_null() {
                // SAFETY: the caller vouches for the room.
                unsafe { write_text(err, ANET_ERR_LEN, &error.to_string()) };
            }
            error.errno()
        })
    })
}

/// [`answer`] for functions that return `ANET_OK` or `ANET_ERR`.
///
/// # Safety
/// As for [`answer`].
unsafe fn status(err: *mut c_char, body: impl FnOnce() -> Result<(), Error>) -> c_int {
    // SAFETY: the caller vouches for `err`.
    unsafe { answer(err, ANET_ERR, || body().map(|()| ANET_OK)) }
}

/// # Safety
/// `host` is NULL or a string.
unsafe fn host_argument<'a>(host: *const c_char) -> Result<&'a CStr, Error> {
    // SAFETY: the caller vouches for the string.
    unsafe { string(host) }.map_err(|errno| Error::new("host", errno))
}

/// # Safety
/// `path` is NULL or a string.
unsafe fn path_argument<'a>(path: *const c_char) -> Result<&'a CStr, Error> {
    // SAFETY: the caller vouches for the string.
    unsafe { string(path) }.map_err(|errno| Error::new("path", errno))
}

/// # Safety
/// The strings are NULL or strings, `err` as for [`answer`].
unsafe fn tcp_connect(
    err: *mut c_char,
    addr: *const c_char,
    port: c_int,
    source: *const c_char,
    how: Connect,
) -> c_int {
    // SAFETY: the caller vouches for all of them.
    unsafe { answer(err, ANET_ERR, || anet::tcp_connect(host_argument(addr)?, port, optional_string(source), how)) }
}

/// Writes as much of the text as fits and returns the length of the whole.
///
/// # Safety
/// `buf` is NULL or has room for `len` bytes.
unsafe fn format_to(buf: *mut c_char, len: usize, text: &str) -> Result<c_int, Errno> {
    // SAFETY: the caller vouches for the room.
    unsafe { write_text(non_null(buf)?, len, text) };
    Ok(c_int::try_from(text.len()).unwrap_or(c_int::MAX))
}

/// Makes `fd` non-blocking.
///
/// Returns `ANET_OK`; `ANET_ERR` with errno and the text in `err`.
///
/// # Safety
/// `err` is NULL or has room for `ANET_ERR_LEN` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn anetNonBlock(err: *mut c_char, fd: c_int) -> c_int {
    // SAFETY: the caller vouches for `err`.
    unsafe { status(err, || anet::set_blocking(fd, false)) }
}

/// Makes `fd` blocking.
///
/// Returns `ANET_OK`; `ANET_ERR` with errno and the text in `err`.
///
/// # Safety
/// `err` is NULL or has room for `ANET_ERR_LEN` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn anetBlock(err: *mut c_char, fd: c_int) -> c_int {
    // SAFETY: the caller vouches for `err`.
    unsafe { status(err, || anet::set_blocking(fd, true)) }
}

/// Makes `fd` non-blocking when `non_block` is not 0, else blocking.
///
/// Returns `ANET_OK`; `ANET_ERR` with errno and the text in `err`.
///
/// # Safety
/// `err` is NULL or has room for `ANET_ERR_LEN` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn anetSetBlock(err: *mut c_char, fd: c_int, non_block: c_int) -> c_int {
    // SAFETY: the caller vouches for `err`.
    unsafe { status(err, || anet::set_blocking(fd, non_block == 0)) }
}

/// Closes `fd` on exec.
///
/// Returns `ANET_OK`; `ANET_ERR` with errno.
#[unsafe(no_mangle)]
pub extern "C" fn anetCloexec(fd: c_int) -> c_int {
    call(ANET_ERR, || anet::set_close_on_exec(fd).map(|()| ANET_OK).map_err(|error| error.errno()))
}

/// Sends small segments at once (`TCP_NODELAY`).
///
/// Returns `ANET_OK`; `ANET_ERR` with errno and the text in `err`.
///
/// # Safety
/// `err` is NULL or has room for `ANET_ERR_LEN` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn anetEnableTcpNoDelay(err: *mut c_char, fd: c_int) -> c_int {
    // SAFETY: the caller vouches for `err`.
    unsafe { status(err, || anet::set_tcp_no_delay(fd, true)) }
}

/// Gathers small segments (no `TCP_NODELAY`).
///
/// Returns `ANET_OK`; `ANET_ERR` with errno and the text in `err`.
///
/// # Safety
/// `err` is NULL or has room for `ANET_ERR_LEN` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn anetDisableTcpNoDelay(err: *mut c_char, fd: c_int) -> c_int {
    // SAFETY: the caller vouches for `err`.
    unsafe { status(err, || anet::set_tcp_no_delay(fd, false)) }
}

/// Sends keepalive probes after `interval` seconds of silence, and gives the peer up after three
/// unanswered ones, a third of `interval` apart. `interval` is 1 second at least.
///
/// Returns `ANET_OK`; `ANET_ERR` with errno and the text in `err`.
///
/// # Safety
/// `err` is NULL or has room for `ANET_ERR_LEN` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn anetKeepAlive(err: *mut c_char, fd: c_int, interval: c_int) -> c_int {
    // SAFETY: the caller vouches for `err`.
    unsafe { status(err, || anet::set_keep_alive(fd, interval)) }
}

/// Sends keepalive probes at the system's intervals (upstream before 6.2).
///
/// Returns `ANET_OK`; `ANET_ERR` with errno and the text in `err`.
///
/// # Safety
/// `err` is NULL or has room for `ANET_ERR_LEN` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn anetTcpKeepAlive(err: *mut c_char, fd: c_int) -> c_int {
    // SAFETY: the caller vouches for `err`.
    unsafe { status(err, || anet::set_default_keep_alive(fd)) }
}

/// Makes a blocking send on `fd` give up after `ms` milliseconds, 0 for never.
///
/// Returns `ANET_OK`; `ANET_ERR` with errno and the text in `err`.
///
/// # Safety
/// `err` is NULL or has room for `ANET_ERR_LEN` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn anetSendTimeout(err: *mut c_char, fd: c_int, ms: c_longlong) -> c_int {
    // SAFETY: the caller vouches for `err`.
    unsafe { status(err, || anet::set_send_timeout(fd, ms)) }
}

/// Makes a blocking receive on `fd` give up after `ms` milliseconds, 0 for never.
///
/// Returns `ANET_OK`; `ANET_ERR` with errno and the text in `err`.
///
/// # Safety
/// `err` is NULL or has room for `ANET_ERR_LEN` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn anetRecvTimeout(err: *mut c_char, fd: c_int, ms: c_longlong) -> c_int {
    // SAFETY: the caller vouches for `err`.
    unsafe { status(err, || anet::set_receive_timeout(fd, ms)) }
}

/// Marks the packets of `fd` with `id` (Linux `SO_MARK`, FreeBSD `SO_USER_COOKIE`, OpenBSD `SO_RTABLE`);
/// does nothing elsewhere.
///
/// Returns `ANET_OK`; `ANET_ERR` with errno and the text in `err`.
///
/// # Safety
/// `err` is NULL or has room for `ANET_ERR_LEN` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn anetSetSockMarkId(err: *mut c_char, fd: c_int, id: u32) -> c_int {
    // SAFETY: the caller vouches for `err`.
    unsafe { status(err, || anet::set_mark(fd, id)) }
}

/// The pending error of a socket (`SO_ERROR`), which is cleared; 0 for none, errno when it cannot be read.
#[unsafe(no_mangle)]
pub extern "C" fn anetGetError(fd: c_int) -> c_int {
    quietly(|| anet::take_error(fd))
}

/// Whether `filepath` names a FIFO: 1 or 0. 0 also when it cannot be looked at.
///
/// # Safety
/// `filepath` is NULL or a string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn anetIsFifo(filepath: *mut c_char) -> c_int {
    // SAFETY: the caller vouches for the string.
    quietly(|| unsafe { optional_string(filepath) }.is_some_and(anet::is_fifo).into())
}

/// Makes a pipe: `fds[0]` reads, `fds[1]` writes. The flags of each end are any of `O_NONBLOCK` and `O_CLOEXEC`.
///
/// Returns 0; -1 with errno, `EINVAL` for other flags or a NULL `fds`, and no descriptor left open.
///
/// # Safety
/// `fds` is NULL or has room for two descriptors.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn anetPipe(fds: *mut c_int, read_flags: c_int, write_flags: c_int) -> c_int {
    call(-1, || {
        let fds = non_null(fds)?;
        let pipe = anet::pipe(read_flags, write_flags)?;
        // SAFETY: the caller vouches for two elements.
        unsafe { fds.cast::<[c_int; 2]>().write(pipe) };
        Ok(0)
    })
}

/// Reads until `count` bytes are there or the input ends.
///
/// Returns the bytes read, fewer than `count` at the end of the input; -1 with errno, what was read before it is lost.
///
/// # Safety
/// `buf` is NULL or has room for `count` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn anetRead(fd: c_int, buf: *mut c_char, count: c_int) -> c_int {
    call(-1, || {
        // SAFETY: the caller vouches for the buffer.
        anet::read_all(fd, unsafe { bytes_mut(buf, count) }?)
    })
}

/// Writes all `count` bytes.
///
/// Returns `count`; -1 with errno, when an unknown part may have been written.
///
/// # Safety
/// `buf` is NULL or holds `count` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn anetWrite(fd: c_int, buf: *mut c_char, count: c_int) -> c_int {
    call(-1, || {
        // SAFETY: the caller vouches for the buffer.
        anet::write_all(fd, unsafe { bytes_mut(buf, count) }?)
    })
}

/// Connects to `addr`, a name or an address, and waits for it (upstream before 6.2).
///
/// Returns the descriptor, close-on-exec; `ANET_ERR` with errno and the text in `err`.
///
/// # Safety
/// `err` is NULL or has room for `ANET_ERR_LEN` bytes; the strings are NULL or strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn anetTcpConnect(err: *mut c_char, addr: *const c_char, port: c_int) -> c_int {
    // SAFETY: the caller vouches for `err` and the strings.
    unsafe { tcp_connect(err, addr, port, ptr::null(), Connect::Blocking) }
}

/// Starts to connect to `addr`, a name or an address. The socket becomes writable when it is connected or has
/// failed; `anetGetError` tells which.
///
/// Returns the descriptor, non-blocking and close-on-exec; `ANET_ERR` with errno and the text in `err`.
///
/// # Safety
/// `err` is NULL or has room for `ANET_ERR_LEN` bytes; the strings are NULL or strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn anetTcpNonBlockConnect(err: *mut c_char, addr: *const c_char, port: c_int) -> c_int {
    // SAFETY: the caller vouches for `err` and the strings.
    unsafe { tcp_connect(err, addr, port, ptr::null(), Connect::NonBlocking) }
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
    // SAFETY: the caller vouches for `err` and the strings.
    unsafe { tcp_connect(err, addr, port, source_addr, Connect::NonBlocking) }
}

/// Like `anetTcpNonBlockConnect`, from the local address `source_addr` if it can be bound, else from any.
///
/// # Safety
/// `err` is NULL or has room for `ANET_ERR_LEN` bytes; the strings are NULL or strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn anetTcpNonBlockBestEffortBindConnect(
    err: *mut c_char,
    addr: *const c_char,
    port: c_int,
    source_addr: *const c_char,
) -> c_int {
    // SAFETY: the caller vouches for `err` and the strings.
    unsafe { tcp_connect(err, addr, port, source_addr, Connect::NonBlockingBestEffortBind) }
}

/// Connects to a unix socket. `flags` is 0, or 1 for a non-blocking connect.
///
/// Returns the descriptor, close-on-exec; `ANET_ERR` with errno (`ENAMETOOLONG` when the path does not fit a
/// socket address) and the text in `err`.
///
/// # Safety
/// `err` is NULL or has room for `ANET_ERR_LEN` bytes; the strings are NULL or strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn anetUnixGenericConnect(err: *mut c_char, path: *const c_char, flags: c_int) -> c_int {
    // SAFETY: the caller vouches for `err` and the string.
    unsafe { answer(err, ANET_ERR, || anet::unix_connect(path_argument(path)?, flags & 1 != 0)) }
}

/// Connects to a unix socket and waits for it (upstream before 6.2). As `anetUnixGenericConnect`.
///
/// # Safety
/// `err` is NULL or has room for `ANET_ERR_LEN` bytes; the strings are NULL or strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn anetUnixConnect(err: *mut c_char, path: *const c_char) -> c_int {
    // SAFETY: the caller vouches for `err` and the string.
    unsafe { anetUnixGenericConnect(err, path, 0) }
}

/// Starts to connect to a unix socket (upstream before 6.2). As `anetUnixGenericConnect`.
///
/// # Safety
/// `err` is NULL or has room for `ANET_ERR_LEN` bytes; the strings are NULL or strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn anetUnixNonBlockConnect(err: *mut c_char, path: *const c_char) -> c_int {
    // SAFETY: the caller vouches for `err` and the string.
    unsafe { anetUnixGenericConnect(err, path, 1) }
}

/// Resolves `host` to an address, IPv4 or IPv6, written to `ipbuf`. With `ANET_IP_ONLY` in `flags` it must be
/// an address already. (Upstream before 6.2 has the same name without `flags`: those callers need recompiling.)
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
            let ip = anet::resolve(host_argument(host)?, flags & ANET_IP_ONLY != 0)?;
            let buf = non_null(ipbuf).map_err(|errno| Error::new("ipbuf", errno))?;
            write_whole(buf, ipbuf_len, &ip).map_err(|errno| Error::new("ipbuf", errno))
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

/// Listens on `port` (0: the system picks one) of every IPv4 address, or of `bindaddr` when it is not NULL.
/// `backlog` is the queue of connections not yet accepted. `SO_REUSEADDR` is set.
///
/// Returns the descriptor, blocking and close-on-exec; `ANET_ERR` with errno and the text in `err`.
///
/// # Safety
/// `err` is NULL or has room for `ANET_ERR_LEN` bytes; the strings are NULL or strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn anetTcpServer(err: *mut c_char, port: c_int, bindaddr: *mut c_char, backlog: c_int) -> c_int {
    // SAFETY: the caller vouches for `err` and the string.
    unsafe { answer(err, ANET_ERR, || anet::tcp_listen(port, optional_string(bindaddr), Family::V4, backlog)) }
}

/// Listens on `port` (0: the system picks one) of every IPv6 address, or of `bindaddr` when it is not NULL.
/// IPv4 is not served (`IPV6_V6ONLY`).
/// `backlog` is the queue of connections not yet accepted. `SO_REUSEADDR` is set.
///
/// Returns the descriptor, blocking and close-on-exec; `ANET_ERR` with errno and the text in `err`.
///
/// # Safety
/// `err` is NULL or has room for `ANET_ERR_LEN` bytes; the strings are NULL or strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn anetTcp6Server(err: *mut c_char, port: c_int, bindaddr: *mut c_char, backlog: c_int) -> c_int {
    // SAFETY: the caller vouches for `err` and the string.
    unsafe { answer(err, ANET_ERR, || anet::tcp_listen(port, optional_string(bindaddr), Family::V6, backlog)) }
}

/// Listens on the unix socket `path`, which must not exist. `perm`, when not 0, are its permission bits.
///
/// Returns the descriptor, blocking and close-on-exec; `ANET_ERR` with errno (`ENAMETOOLONG` when the path does
/// not fit a socket address) and the text in `err`.
///
/// # Safety
/// `err` is NULL or has room for `ANET_ERR_LEN` bytes; the strings are NULL or strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn anetUnixServer(
    err: *mut c_char,
    path: *mut c_char,
    perm: libc::mode_t,
    backlog: c_int,
) -> c_int {
    // SAFETY: the caller vouches for `err` and the string.
    unsafe { answer(err, ANET_ERR, || anet::unix_listen(path_argument(path)?, perm, None, backlog)) }
}

/// Accepts a connection. The peer's address is written to `ip` and its port to `port`; either may be NULL. An
/// address that does not fit `ip_len` bytes is "?", with port 0. `EINTR` and `ECONNABORTED` are retried.
///
/// Returns the descriptor, non-blocking and close-on-exec; `ANET_ERR` with errno (`EAGAIN`: nobody waits) and the
/// text in `err`.
///
/// # Safety
/// `err` is NULL or has room for `ANET_ERR_LEN` bytes; `ip` is NULL or has room for `ip_len` bytes; `port` is NULL or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn anetTcpAccept(
    err: *mut c_char,
    serversock: c_int,
    ip: *mut c_char,
    ip_len: usize,
    port: *mut c_int,
) -> c_int {
    // SAFETY: the caller vouches for `err`, the buffer and the port.
    unsafe {
        answer(err, ANET_ERR, || {
            let (fd, peer) = anet::accept(serversock)?;
            // An address that does not fit is not worth losing the connection for.
            let _ = anet::write_end(Ok(peer), ip, ip_len, port);
            Ok(fd)
        })
    }
}

/// Accepts a connection on a unix socket. `EINTR` and `ECONNABORTED` are retried.
///
/// Returns the descriptor, non-blocking and close-on-exec; `ANET_ERR` with errno (`EAGAIN`: nobody waits) and the
/// text in `err`.
///
/// # Safety
/// `err` is NULL or has room for `ANET_ERR_LEN` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn anetUnixAccept(err: *mut c_char, serversock: c_int) -> c_int {
    // SAFETY: the caller vouches for `err`.
    unsafe { answer(err, ANET_ERR, || anet::accept(serversock).map(|(fd, _)| fd)) }
}

/// The address of one end of a socket: the remote end when `remote` is not 0, else the own one. (Up to
/// redis-7.0 the argument has the opposite meaning.) Of a unix socket the address is "/unixsocket" and the port
/// 0. `ip` and `port` may be NULL.
///
/// Returns 0; -1 with errno (`ENOSPC` when the address does not fit), then the address is "?" and the port 0.
///
/// # Safety
/// `ip` is NULL or has room for `ip_len` bytes; `port` is NULL or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn anetFdToString(
    fd: c_int,
    ip: *mut c_char,
    ip_len: usize,
    port: *mut c_int,
    remote: c_int,
) -> c_int {
    // SAFETY: the caller vouches for the buffer and the port.
    call(-1, || unsafe { anet::write_end(anet::end_address(fd, remote != 0), ip, ip_len, port) }.map(|()| 0))
}

/// The remote end's address, as `anetFdToString` (upstream before 6.2).
///
/// # Safety
/// `ip` is NULL or has room for `ip_len` bytes; `port` is NULL or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn anetPeerToString(fd: c_int, ip: *mut c_char, ip_len: usize, port: *mut c_int) -> c_int {
    // SAFETY: the caller vouches for the buffer and the port.
    unsafe { anetFdToString(fd, ip, ip_len, port, 1) }
}

/// The own end's address, as `anetFdToString` (upstream before 6.2).
///
/// # Safety
/// `ip` is NULL or has room for `ip_len` bytes; `port` is NULL or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn anetSockName(fd: c_int, ip: *mut c_char, ip_len: usize, port: *mut c_int) -> c_int {
    // SAFETY: the caller vouches for the buffer and the port.
    unsafe { anetFdToString(fd, ip, ip_len, port, 0) }
}

/// Writes "ip:port", or "[ip]:port" for IPv6, to `fmt`, cut to `fmt_len` bytes and terminated.
///
/// Returns the length of the whole text; -1 with errno `EINVAL` for a NULL pointer.
///
/// # Safety
/// `fmt` is NULL or has room for `fmt_len` bytes; `ip` is NULL or a string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn anetFormatAddr(fmt: *mut c_char, fmt_len: usize, ip: *mut c_char, port: c_int) -> c_int {
    call(-1, || {
        // SAFETY: the caller vouches for the string and the buffer.
        unsafe { format_to(fmt, fmt_len, &anet::format_address(string(ip)?, port)) }
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
    call(-1, || unsafe { format_to(buf, buf_len, &anet::format_end(fd, true)) })
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
    call(-1, || unsafe { format_to(buf, buf_len, &anet::format_end(fd, false)) })
}
