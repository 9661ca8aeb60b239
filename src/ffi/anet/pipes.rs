//! Pipes, and whole reads and writes.

use crate::anet;
use crate::ffi::args::{bytes_mut, call, non_null, optional_string, quietly};
use core::ffi::{c_char, c_int};

/// Whether `filepath` names a FIFO: 1 or 0. 0 also when it cannot be looked at.
///
/// # Safety
/// `filepath` is NULL or a string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn anetIsFifo(filepath: *mut c_char) -> c_int {
    // SAFETY: the caller vouches for the string.
    quietly(|| unsafe { optional_string(filepath) }.is_some_and(anet::is_fifo).into())
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
