//! Options of descriptors and sockets.

use super::args::ErrorText;
use crate::abi::anet::{ANET_ERR, ANET_OK};
use crate::anet;
use crate::ffi::args::{call, quietly};
use core::ffi::{c_char, c_int, c_longlong};

/// Makes `fd` non-blocking.
///
/// Returns `ANET_OK`; `ANET_ERR` with errno and the text in `err`.
///
/// # Safety
/// `err` is NULL or has room for `ANET_ERR_LEN` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn anetNonBlock(err: *mut c_char, fd: c_int) -> c_int {
    // SAFETY: NULL or room for a text, by this function's own contract.
    unsafe { ErrorText::new(err) }.status(|| anet::set_blocking(fd, false))
}

/// Makes `fd` blocking.
///
/// Returns `ANET_OK`; `ANET_ERR` with errno and the text in `err`.
///
/// # Safety
/// `err` is NULL or has room for `ANET_ERR_LEN` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn anetBlock(err: *mut c_char, fd: c_int) -> c_int {
    // SAFETY: NULL or room for a text, by this function's own contract.
    unsafe { ErrorText::new(err) }.status(|| anet::set_blocking(fd, true))
}

/// Makes `fd` non-blocking when `non_block` is not 0, else blocking.
///
/// Returns `ANET_OK`; `ANET_ERR` with errno and the text in `err`.
///
/// # Safety
/// `err` is NULL or has room for `ANET_ERR_LEN` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn anetSetBlock(err: *mut c_char, fd: c_int, non_block: c_int) -> c_int {
    // SAFETY: NULL or room for a text, by this function's own contract.
    unsafe { ErrorText::new(err) }.status(|| anet::set_blocking(fd, non_block == 0))
}

/// Whether `fd` is blocking: 1 or 0.
///
/// Returns `ANET_ERR` with errno and the text in `err` when it is not open.
///
/// # Safety
/// `err` is NULL or has room for `ANET_ERR_LEN` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn anetIsBlock(err: *mut c_char, fd: c_int) -> c_int {
    // SAFETY: NULL or room for a text, by this function's own contract.
    unsafe { ErrorText::new(err) }.answer(ANET_ERR, || anet::is_blocking(fd).map(c_int::from))
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
    // SAFETY: NULL or room for a text, by this function's own contract.
    unsafe { ErrorText::new(err) }.status(|| anet::set_tcp_no_delay(fd, true))
}

/// Gathers small segments (no `TCP_NODELAY`).
///
/// Returns `ANET_OK`; `ANET_ERR` with errno and the text in `err`.
///
/// # Safety
/// `err` is NULL or has room for `ANET_ERR_LEN` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn anetDisableTcpNoDelay(err: *mut c_char, fd: c_int) -> c_int {
    // SAFETY: NULL or room for a text, by this function's own contract.
    unsafe { ErrorText::new(err) }.status(|| anet::set_tcp_no_delay(fd, false))
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
    // SAFETY: NULL or room for a text, by this function's own contract.
    unsafe { ErrorText::new(err) }.status(|| anet::set_keep_alive(fd, interval))
}

/// Sends keepalive probes at the system's intervals (upstream before 6.2).
///
/// Returns `ANET_OK`; `ANET_ERR` with errno and the text in `err`.
///
/// # Safety
/// `err` is NULL or has room for `ANET_ERR_LEN` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn anetTcpKeepAlive(err: *mut c_char, fd: c_int) -> c_int {
    // SAFETY: NULL or room for a text, by this function's own contract.
    unsafe { ErrorText::new(err) }.status(|| anet::set_default_keep_alive(fd))
}

/// Makes a blocking send on `fd` give up after `ms` milliseconds, 0 for never.
///
/// Returns `ANET_OK`; `ANET_ERR` with errno and the text in `err`.
///
/// # Safety
/// `err` is NULL or has room for `ANET_ERR_LEN` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn anetSendTimeout(err: *mut c_char, fd: c_int, ms: c_longlong) -> c_int {
    // SAFETY: NULL or room for a text, by this function's own contract.
    unsafe { ErrorText::new(err) }.status(|| anet::set_send_timeout(fd, ms))
}

/// Makes a blocking receive on `fd` give up after `ms` milliseconds, 0 for never.
///
/// Returns `ANET_OK`; `ANET_ERR` with errno and the text in `err`.
///
/// # Safety
/// `err` is NULL or has room for `ANET_ERR_LEN` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn anetRecvTimeout(err: *mut c_char, fd: c_int, ms: c_longlong) -> c_int {
    // SAFETY: NULL or room for a text, by this function's own contract.
    unsafe { ErrorText::new(err) }.status(|| anet::set_receive_timeout(fd, ms))
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
    // SAFETY: NULL or room for a text, by this function's own contract.
    unsafe { ErrorText::new(err) }.status(|| anet::set_mark(fd, id))
}

/// The pending error of a socket (`SO_ERROR`), which is cleared; 0 for none, errno when it cannot be read.
#[unsafe(no_mangle)]
pub extern "C" fn anetGetError(fd: c_int) -> c_int {
    quietly(|| anet::take_error(fd))
}
