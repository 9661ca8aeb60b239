//! epoll (Linux).

use super::Errno;
use core::ffi::c_int;
use libc::epoll_event;

/// What a descriptor is watched for, and what fired: bits of [`READ`], [`WRITE`], [`ERROR`], [`HANGUP`].
pub(crate) type Events = u32;
pub(crate) const READ: Events = libc::EPOLLIN as Events;
pub(crate) const WRITE: Events = libc::EPOLLOUT as Events;
pub(crate) const ERROR: Events = libc::EPOLLERR as Events;
pub(crate) const HANGUP: Events = libc::EPOLLHUP as Events;

/// What to do to a registration.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Change {
    Add,
    Modify,
    Delete,
}

/// A new epoll instance, close-on-exec.
pub(crate) fn create() -> Result<c_int, Errno> {
    // SAFETY: takes no pointer.
    Errno::result(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })
}

pub(crate) fn control(epoll: c_int, change: Change, fd: c_int, events: Events) -> Result<(), Errno> {
    let operation = match change {
        Change::Add => libc::EPOLL_CTL_ADD,
        Change::Modify => libc::EPOLL_CTL_MOD,
        Change::Delete => libc::EPOLL_CTL_DEL,
    };
    let mut event = epoll_event { events, u64: fd as u64 };
    // SAFETY: the event outlives the call.
    Errno::result(unsafe { libc::epoll_ctl(epoll, operation, fd, &mut event) }).map(drop)
}

/// Waits for at most `milliseconds` (-1: without end) and fills `events`.
///
/// # Safety
/// `events` has room for `capacity` elements, at least one.
pub(crate) unsafe fn wait(
    epoll: c_int,
    events: *mut epoll_event,
    capacity: c_int,
    milliseconds: c_int,
) -> Result<usize, Errno> {
    // SAFETY: the caller vouches for the room.
    Errno::result(unsafe { libc::epoll_wait(epoll, events, capacity, milliseconds) }).map(|count| count as usize)
}
