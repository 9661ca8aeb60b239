//! kqueue (BSD, macOS).

use super::Errno;
use core::ffi::c_int;
use core::ptr;
use core::time::Duration;
use libc::kevent;

pub(crate) const READ: i16 = libc::EVFILT_READ as i16;
pub(crate) const WRITE: i16 = libc::EVFILT_WRITE as i16;

/// A filter's event says with one of these flags that the descriptor has failed, or that the other end is gone.
pub(crate) const ERROR_OR_END: u32 = libc::EV_ERROR as u32 | libc::EV_EOF as u32;

/// What the kernel is asked to wait at most: kernels refuse what they take for too far, some from a hundred million
/// seconds on. It is what fits epoll's milliseconds, 24 days; whoever waits longer finds nothing and waits again.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_millis(i32::MAX as u64);

/// A new kqueue, close-on-exec.
pub(crate) fn create() -> Result<c_int, Errno> {
    // SAFETY: takes no pointer.
    let queue = Errno::result(unsafe { libc::kqueue() })?;
    super::fd::set_descriptor_flags(queue, libc::FD_CLOEXEC)?;
    Ok(queue)
}

/// Adds or removes one filter of a descriptor.
pub(crate) fn change(queue: c_int, fd: c_int, filter: i16, add: bool) -> Result<(), Errno> {
    let mut event = of(fd, filter);
    event.flags = (if add { libc::EV_ADD } else { libc::EV_DELETE }) as _;
    submit(queue, &event)
}

/// Adds the queue's one timer, which fires once, after so many milliseconds.
pub(crate) fn add_timer(queue: c_int, ms: u64) -> Result<(), Errno> {
    let mut event = of(0, libc::EVFILT_TIMER as i16);
    event.flags = (libc::EV_ADD | libc::EV_ONESHOT) as _;
    event.data = ms as _;
    submit(queue, &event)
}

/// Removes it, whether or not it has fired; `ENOENT` if there is none.
pub(crate) fn remove_timer(queue: c_int) -> Result<(), Errno> {
    let mut event = of(0, libc::EVFILT_TIMER as i16);
    event.flags = libc::EV_DELETE as _;
    submit(queue, &event)
}

fn of(ident: c_int, filter: i16) -> kevent {
    // SAFETY: all zero is a valid kevent.
    let mut event: kevent = unsafe { core::mem::zeroed() };
    event.ident = ident as _;
    event.filter = filter as _;
    event
}

fn submit(queue: c_int, change: &kevent) -> Result<(), Errno> {
    // SAFETY: one change, no room for events, no limit.
    Errno::result(unsafe { libc::kevent(queue, change, 1, ptr::null_mut(), 0, ptr::null()) }).map(drop)
}

/// Waits for at most `timeout` (None: forever; cut to [`LONGEST_WAIT`]) and fills `events`.
///
/// # Safety
/// `events` has room for `capacity` elements.
pub(crate) unsafe fn wait(
    queue: c_int,
    events: *mut kevent,
    capacity: c_int,
    timeout: Option<Duration>,
) -> Result<usize, Errno> {
    let limit = timeout
        .map(|timeout| timeout.min(LONGEST_WAIT))
        .map(|timeout| libc::timespec { tv_sec: timeout.as_secs() as _, tv_nsec: timeout.subsec_nanos() as _ });
    let limit = limit.as_ref().map_or(ptr::null(), ptr::from_ref);
    // SAFETY: `events` has room for `capacity` elements; the limit outlives the call.
    Errno::result(unsafe { libc::kevent(queue, ptr::null(), 0, events, capacity as _, limit) })
        .map(|count| count as usize)
}
