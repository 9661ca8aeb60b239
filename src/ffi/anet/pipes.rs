//! Pipes, and whole reads and writes.

use crate::anet;
use crate::ffi::args::{bytes, bytes_mut, call, optional_string, quietly};
use core::ffi::{c_char, c_int};
use core::mem::MaybeUninit;
use nix::errno::Errno;

/// Whether `filepath` names a FIFO: 1 or 0. 0 also when it cannot be looked at.
///
/// # Safety
/// `filepath` is NULL or a string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn anetIsFifo(filepath: *const c_char) -> c_int {
    // SAFETY: NULL or a string, by this function's own contract.
    let path = unsafe { optional_string(filepath) };
    quietly(|| path.is_some_and(anet::is_fifo).into())
}

/// Makes a pipe: `fds[0]` reads, `fds[1]` writes. The flags of each end are any of `O_NONBLOCK` and
/// `O_CLOEXEC`; as upstream on Linux both ends are close-on-exec in any case.
///
/// Returns 0; -1 with errno, `EINVAL` for other flags or a NULL `fds`, and no descriptor left open.
///
/// # Safety
/// `fds` is NULL or has room for two descriptors.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn anetPipe(fds: *mut c_int, read_flags: c_int, write_flags: c_int) -> c_int {
    // SAFETY: NULL or two elements, by this function's own contract.
    let fds = unsafe { fds.cast::<MaybeUninit<[c_int; 2]>>().as_mut() };
    call(-1, || {
        let fds = fds.ok_or(Errno::EINVAL)?;
        fds.write(anet::pipe(read_flags, write_flags)?);
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
    // SAFETY: NULL or valid for `count` bytes, by this function's own contract.
    let bytes = unsafe { bytes_mut(buf, count) };
    call(-1, || anet::read_all(fd, bytes?))
}

/// Writes all `count` bytes.
///
/// Returns `count`; -1 with errno, when an unknown part may have been written.
///
/// # Safety
/// `buf` is NULL or holds `count` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn anetWrite(fd: c_int, buf: *const c_char, count: c_int) -> c_int {
    // SAFETY: NULL or valid for `count` bytes, by this function's own contract.
    let bytes = unsafe { bytes(buf, count) };
    call(-1, || anet::write_all(fd, bytes?))
}
