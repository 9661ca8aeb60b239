//! A descriptor that becomes readable at a time, where epoll is.

use super::{Errno, fd};
use core::ffi::c_int;
use core::ptr;

/// One that is not set, close-on-exec and non-blocking, under a number from `least` on if one is left.
pub(crate) fn create(least: c_int) -> Result<c_int, Errno> {
    // SAFETY: takes no pointer.
    let fd = unsafe { libc::timerfd_create(libc::CLOCK_MONOTONIC, libc::TFD_CLOEXEC | libc::TFD_NONBLOCK) };
    Ok(fd::numbered_from(Errno::result(fd)?, least))
}

/// Makes it unreadable until `deadline`, in microseconds of the monotonic clock; None: until it is set again.
pub(crate) fn set(fd: c_int, deadline: Option<u64>) -> Result<(), Errno> {
    let none = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // All zero would be no deadline.
    let at = deadline.map_or(none, |us| {
        let us = us.max(1);
        let seconds = (us / 1_000_000).try_into().unwrap_or(libc::time_t::MAX);
        libc::timespec { tv_sec: seconds, tv_nsec: (us % 1_000_000 * 1000) as _ }
    });
    let times = libc::itimerspec { it_interval: none, it_value: at };
    // SAFETY: the times outlive the call.
    Errno::result(unsafe { libc::timerfd_settime(fd, libc::TFD_TIMER_ABSTIME, &times, ptr::null_mut()) }).map(drop)
}

/// Makes it unreadable after its time.
pub(crate) fn clear(fd: c_int) {
    // It fails when it was not readable.
    let _ = fd::read_into(fd, &mut [0; 8]);
}
