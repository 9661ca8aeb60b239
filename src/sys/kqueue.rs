//! kqueue (BSD, macOS).

#[cfg(target_os = "linux")]
use super::libkqueue as system;
use super::{Errno, fd};
use core::ffi::c_int;
use core::ptr;
use core::time::Duration;
#[cfg(not(target_os = "linux"))]
use libc as system;

/// An event that has fired, or a change of what is watched.
pub(crate) type Event = system::kevent;

pub(crate) const READ: i16 = system::EVFILT_READ as i16;
pub(crate) const WRITE: i16 = system::EVFILT_WRITE as i16;

/// What kernels are asked to wait at most, since some refuse more than a hundred million seconds. It is what fits
/// epoll's milliseconds, 24 days; whoever waits longer finds nothing and waits again.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_millis(i32::MAX as u64);

/// What is done to a filter of a descriptor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Action {
    /// Changes nothing where it is there already.
    Add,
    /// As one that does not fire.
    AddHeld,
    /// It does not fire any more. This and what follows is `ENOENT` unless it is there.
    Hold,
    /// It fires, as it does anyway unless it is held.
    Release,
    Delete,
}

/// A new kqueue, close-on-exec.
pub(crate) fn create() -> Result<c_int, Errno> {
    // SAFETY: takes no pointer.
    let queue = Errno::result(unsafe { system::kqueue() })?;
    fd::set_descriptor_flags(queue, libc::FD_CLOEXEC).inspect_err(|_| _ = fd::close(queue))?;
    Ok(queue)
}

/// A change of one filter of a descriptor.
pub(crate) fn change(fd: c_int, filter: i16, action: Action) -> Event {
    let flags = match action {
        Action::Add => system::EV_ADD,
        Action::AddHeld => system::EV_ADD | system::EV_DISABLE,
        Action::Hold => system::EV_DISABLE,
        Action::Release => system::EV_ENABLE,
        Action::Delete => system::EV_DELETE,
    };
    event(fd, filter, flags as _)
}

/// Adds the queue's one timer, which fires once, after so many milliseconds.
pub(crate) fn add_timer(queue: c_int, ms: u64) -> Result<(), Errno> {
    let mut timer = event(0, system::EVFILT_TIMER as i16, (system::EV_ADD | system::EV_ONESHOT) as _);
    timer.data = ms as _;
    submit(queue, &[timer])
}

/// Removes it, whether or not it has fired; `ENOENT` if there is none.
pub(crate) fn remove_timer(queue: c_int) -> Result<(), Errno> {
    submit(queue, &[event(0, system::EVFILT_TIMER as i16, system::EV_DELETE as _)])
}

fn event(ident: c_int, filter: i16, flags: u16) -> Event {
    // SAFETY: all zero is a valid kevent.
    let mut event: Event = unsafe { core::mem::zeroed() };
    event.ident = ident as _;
    event.filter = filter as _;
    event.flags = flags as _;
    event
}

/// Makes changes, one after the other, up to the first that fails.
pub(crate) fn submit(queue: c_int, changes: &[Event]) -> Result<(), Errno> {
    let count = changes.len() as c_int;
    // SAFETY: that many changes, no room for events, no limit.
    Errno::result(unsafe { system::kevent(queue, changes.as_ptr(), count as _, ptr::null_mut(), 0, ptr::null()) })
        .map(drop)
}

/// Whether an event tells that the descriptor has failed, for whatever it is used. The end alone is no failure: each
/// filter tells that of its own direction, and the other one may go on.
pub(crate) fn is_failure(event: &Event) -> bool {
    let flags = event.flags as u32;
    flags & system::EV_ERROR as u32 != 0 || flags & system::EV_EOF as u32 != 0 && event.fflags != 0
}

/// Waits for at most `timeout` (None: forever; cut to [`LONGEST_WAIT`]) and fills `events`; says how many there are.
pub(crate) fn wait(queue: c_int, events: &mut [Event], timeout: Option<Duration>) -> Result<usize, Errno> {
    let capacity = events.len().min(c_int::MAX as usize) as c_int;
    let limit = timeout
        .map(|timeout| timeout.min(LONGEST_WAIT))
        .map(|timeout| libc::timespec { tv_sec: timeout.as_secs() as _, tv_nsec: timeout.subsec_nanos() as _ });
    let limit = limit.as_ref().map_or(ptr::null(), ptr::from_ref);
    // SAFETY: `events` has room for `capacity` elements; the limit outlives the call.
    Errno::result(unsafe { system::kevent(queue, ptr::null(), 0, events.as_mut_ptr(), capacity as _, limit) })
        .map(|count| count as usize)
}
