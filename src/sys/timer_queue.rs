//! A descriptor that becomes readable at a time, where kqueue is: a queue of its own with one timer in it.

use super::{Errno, clock, fd, kqueue};
use core::ffi::c_int;

/// One that is not set, close-on-exec, under a number from `least` on.
pub(crate) fn create(least: c_int) -> Result<c_int, Errno> {
    let queue = kqueue::create()?;
    if queue >= least {
        return Ok(queue);
    }
    // Not every system has copies of queues: the lower numbers are taken for as long as it takes to get another one.
    let other = create(least);
    // Nothing is left to do when it fails.
    let _ = fd::close(queue);
    other
}

/// Makes it unreadable until `deadline`, in microseconds of the monotonic clock, never earlier and at most a
/// millisecond later; None: until it is set again. A deadline that the kernel could refuse as too far is cut short.
pub(crate) fn set(fd: c_int, deadline: Option<u64>) -> Result<(), Errno> {
    // A timer that has fired and not been taken makes its queue readable, and a new one does not change that.
    match kqueue::remove_timer(fd) {
        Ok(()) | Err(Errno::ENOENT) => {}
        Err(error) => return Err(error),
    }
    let Some(deadline) = deadline else { return Ok(()) };
    // All systems count in milliseconds unless told otherwise, and not all can be told.
    let wait = deadline.saturating_sub(clock::now_us()).div_ceil(1000);
    kqueue::add_timer(fd, wait.clamp(1, kqueue::LONGEST_WAIT.as_millis() as u64))
}

/// Makes it unreadable after its time.
pub(crate) fn clear(fd: c_int) {
    // It fails when the timer is gone.
    let _ = kqueue::remove_timer(fd);
}
