//! kqueue (BSD, macOS).

use super::Errno;
use core::ffi::c_int;
use core::ptr;
use core::time::Duration;
use libc::kevent;

pub(crate) const READ: i16 = libc::EVFILT_READ as i16;
pub(crate) const WRITE: i16 = libc::EVFILT_WRITE as i16;

/// A new kqueue, close-on-exec.
pub(crate) fn create() -> Result<c_int, Errno> {
    // SAFETY: takes no pointer.
    let queue = Errno::result(unsafe { libc::kqueue() })?;
    super::fd::set_descriptor_flags(queue, libc::FD_CLOEXEC)?;
    Ok(queue)
}

/// Adds or removes one filter of a descriptor.
pub(crate) fn change(queue: c_int, fd: c_int, filter: i16, add: bool) -> Result<(), Errno> {
    // SAFETY: all zero is a valid kevent.
    let mut event: kevent = unsafe { core::mem::zeroed() };
    event.ident = fd as _;
    event.filter = filter as _;
    event.flags = (if add { libc::EV_ADD } else { libc::EV_DELETE }) as _;
    // SAFETY: one change, no room for events, no limit.
    Errno::result(unsafe { libc::kevent(queue, &event, 1, ptr::null_mut(), 0, ptr::null()) }).map(drop)
}

/// Waits for at most `timeout` (None: forever) and fills `events`.
///
/// # Safety
/// `events` has room for `capacity` elements.
pub(crate) unsafe fn wait(
    queue: c_int,
    events: *mut kevent,
    capacity: c_int,
    timeout: Option<Duration>,
) -> Result<usize, Errno> {
    let limit = timeout.map(|timeout| libc::timespec {
        tv_sec: timeout.as_secs().try_into().unwrap_or(libc::time_t::MAX),
        tv_nsec: timeout.subsec_nanos() as _,
    });
    let limit = limit.as_ref().map_or(ptr::null(), ptr::from_ref);
    // SAFETY: `events` has room for `capacity` elements; the limit outlives the call.
    Errno::result(unsafe { libc::kevent(queue, ptr::null(), 0, events, capacity as _, limit) })
        .map(|count| count as usize)
}
