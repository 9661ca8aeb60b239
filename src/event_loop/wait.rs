//! Waiting for one descriptor, without a loop.

use crate::abi::ae::{AE_BARRIER, AE_READABLE, AE_WRITABLE};
use crate::sys::poll::{ERROR, HANGUP, INVALID, READ, WRITE, poll};
use crate::sys::{Errno, valid_fd};
use core::ffi::c_int;

/// Waits until `fd` is ready for one of the events in `mask`, for at most `milliseconds` (below 0:
/// forever). Returns the events that are, 0 when the time is over.
pub(crate) fn wait(fd: c_int, mask: c_int, milliseconds: i64) -> Result<c_int, Errno> {
    if mask & !(AE_READABLE | AE_WRITABLE | AE_BARRIER) != 0 {
        return Err(Errno::EINVAL);
    }
    let mut events = 0;
    if mask & AE_READABLE != 0 {
        events |= READ;
    }
    if mask & AE_WRITABLE != 0 {
        events |= WRITE;
    }
    if events == 0 {
        return Err(Errno::EINVAL);
    }
    let mut entry = [libc::pollfd { fd: valid_fd(fd)?, events, revents: 0 }];
    poll(&mut entry, milliseconds.clamp(-1, c_int::MAX.into()) as c_int)?;
    let revents = entry[0].revents;
    if revents & INVALID != 0 {
        return Err(Errno::EBADF);
    }
    let mut ready = 0;
    if revents & READ != 0 {
        ready |= AE_READABLE;
    }
    if revents & (WRITE | ERROR | HANGUP) != 0 {
        ready |= AE_WRITABLE;
    }
    Ok(ready)
}
