//! `libae.h`: sockets that listen and connect with options, and who is at the other end.

use super::anet::args::{ErrorText, required};
use super::args::{call, non_null, optional_string};
use crate::abi::ae::{AE_ERR, AE_OK};
use crate::abi::anet::ANET_ERR;
use crate::abi::embedding::pid_t;
use crate::abi::sockets::*;
use crate::anet::{self, Error, SocketOptions, Transport};
use crate::host;
use core::ffi::{c_char, c_int};
use core::mem::size_of;
use core::slice;
use nix::errno::Errno;

/// Listens. `address` is an IPv4 or IPv6 address or a name (NULL and `*`: every IPv4 address; two colons: every IPv6
/// address), or a unix socket: a path, which has a slash in it, or `@` and a name in the abstract namespace, which has
/// no file and is gone with its last descriptor (Linux). `port` is for TCP, 0: the system picks one. A name is looked
/// for among IPv4 addresses first. A file that is in a path's place stays there and is `EADDRINUSE`. `SO_REUSEADDR` is
/// set.
///
/// Returns the descriptor, which is the caller's, non-blocking and close-on-exec unless `options` (NULL: none) say
/// otherwise, so that `connAcceptHandler` can have it; `ANET_ERR` with errno and the text in `err`.
///
/// # Safety
/// `err` is NULL or has room for `ANET_ERR_LEN` bytes; `address` is NULL or a string; `options` is NULL or has as many
/// bytes as its member `size` says, in which strings are NULL or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libaeListen(
    err: *mut c_char,
    address: *const c_char,
    port: c_int,
    options: *const libaeSocketOptions,
) -> c_int {
    // SAFETY: NULL or room for a text, NULL or a string, by this function's own contract.
    let (err, address) = unsafe { (ErrorText::new(err), optional_string(address)) };
    // SAFETY: NULL, or as large as it says.
    err.answer(ANET_ERR, || anet::listen(address, port, &with_backlog(unsafe { given(options) }?)))
}

/// Connects to `address` as `libaeListen` has it, an address, a name or a unix socket; `port` is for TCP. The socket
/// becomes writable when it is connected or has failed; `anetGetError` tells which. A unix socket whose queue is full
/// is `EAGAIN`.
///
/// Returns the descriptor, which is the caller's, non-blocking and close-on-exec unless `options` (NULL: none) say
/// otherwise; `ANET_ERR` with errno and the text in `err`.
///
/// # Safety
/// `err` is NULL or has room for `ANET_ERR_LEN` bytes; `address` is NULL or a string; `options` is NULL or has as many
/// bytes as its member `size` says, in which strings are NULL or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libaeConnect(
    err: *mut c_char,
    address: *const c_char,
    port: c_int,
    options: *const libaeSocketOptions,
) -> c_int {
    // SAFETY: NULL or room for a text, NULL or a string, by this function's own contract.
    let (err, address) = unsafe { (ErrorText::new(err), optional_string(address)) };
    // SAFETY: NULL, or as large as it says.
    err.answer(ANET_ERR, || anet::connect(required(address, "address")?, port, &unsafe { given(options) }?))
}

/// With `on` not 0, a TCP socket acknowledges what comes at once, otherwise later, together with data if there is some
/// (`TCP_QUICKACK`). The system changes that by itself: with the first reply it goes back to acknowledging later, so
/// whoever wants this for each request sets it again after each reply.
///
/// Returns `AE_OK`; `AE_ERR` with errno, `EOPNOTSUPP` where the system has no such option, and the text in `err`.
///
/// # Safety
/// `err` is NULL or has room for `ANET_ERR_LEN` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libaeSetQuickAck(err: *mut c_char, fd: c_int, on: c_int) -> c_int {
    // SAFETY: NULL or room for a text, by this function's own contract.
    unsafe { ErrorText::new(err) }.status(|| anet::set_quick_ack(fd, on != 0))
}

/// Who is at the other end of a unix socket: the process that connected, or for the one that connected the process that
/// listened, and its user and group at that time. Each goes where it is wanted (NULL: nowhere). The process is 0 where
/// the system does not tell (BSD, macOS) and where it is in another namespace; it may have ended, and its number be
/// another's.
///
/// Returns `AE_OK`; `AE_ERR` with errno `EOPNOTSUPP` (no unix socket), `ENOTCONN` (one without a peer, such as one that
/// listens), `EBADF` or `ENOTSOCK`.
///
/// # Safety
/// `pid`, `uid` and `gid` are NULL or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libaePeerCredentials(fd: c_int, pid: *mut pid_t, uid: *mut uid_t, gid: *mut gid_t) -> c_int {
    call(AE_ERR, || {
        let peer = anet::peer_credentials(fd)?;
        // SAFETY: each is NULL or valid.
        unsafe {
            let _ = pid.as_mut().map(|pid| *pid = peer.process);
            let _ = uid.as_mut().map(|uid| *uid = peer.user);
            let _ = gid.as_mut().map(|gid| *gid = peer.group);
        }
        Ok(AE_OK)
    })
}

/// The options with the host's backlog when they name none.
pub(super) fn with_backlog(options: SocketOptions<'_>) -> SocketOptions<'_> {
    match options.backlog {
        0 => SocketOptions { backlog: host::tcp_backlog(), ..options },
        _ => options,
    }
}

/// What a program's structure says, which may be of an earlier or a later version; NULL says nothing.
///
/// # Safety
/// It is NULL, or has as many bytes as its size says, in which strings are NULL or valid for as long as the result.
pub(super) unsafe fn given<'a>(options: *const libaeSocketOptions) -> Result<SocketOptions<'a>, Error> {
    let Ok(options) = non_null(options.cast_mut()) else { return Ok(SocketOptions::default()) };
    let known = size_of::<libaeSocketOptions>();
    let refused = |errno| Error::new("size of libaeSocketOptions", errno);
    // SAFETY: every version of the structure has it.
    let size = unsafe { (*options).size };
    if size < known {
        return Err(refused(Errno::EINVAL));
    }
    if size > LIBAE_SOCKET_OPTIONS_MAX {
        return Err(refused(Errno::E2BIG));
    }
    // SAFETY: it has so many bytes behind those that are known.
    let unknown = unsafe { slice::from_raw_parts(options.cast::<u8>().add(known), size - known) };
    if unknown.iter().any(|byte| *byte != 0) {
        return Err(refused(Errno::E2BIG));
    }
    // SAFETY: it has all members that are known.
    let options = unsafe { options.read() };
    let texts = [options.device, options.source, options.unix_group];
    // SAFETY: NULL or valid strings.
    let [device, source, unix_group] = texts.map(|text| unsafe { optional_string(text) });
    let permissions = Some(options.unix_permissions).filter(|bits| *bits <= 0o7777);
    Ok(SocketOptions {
        device,
        source,
        unix_group,
        unix_permissions: permissions.ok_or(Error::new("unix_permissions", Errno::EINVAL))? as libc::mode_t,
        backlog: options.backlog,
        mark: options.mark,
        user_timeout: options.user_timeout,
        keep_alive: options.keep_alive,
        no_delay: switch(options.no_delay),
        quick_ack: switch(options.quick_ack),
        fast_open: options.fast_open,
        transport: match options.mptcp {
            0 => Transport::Tcp,
            LIBAE_MPTCP_IF_AVAILABLE => Transport::MptcpIfAvailable,
            LIBAE_MPTCP_REQUIRED => Transport::Mptcp,
            _ => return Err(Error::new("mptcp", Errno::EINVAL)),
        },
        reuse_port: options.reuse_port != 0,
        dual_stack: options.dual_stack != 0,
        free_bind: options.free_bind != 0,
        blocking: options.blocking != 0,
        keep_on_exec: options.keep_on_exec != 0,
    })
}

/// Above 0 is on, below off.
fn switch(value: c_int) -> Option<bool> {
    (value != 0).then_some(value > 0)
}
