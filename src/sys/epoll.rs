//! epoll (Linux).

use super::Errno;
use super::poll::milliseconds;
use core::ffi::c_int;
use core::ptr;
use core::sync::atomic::AtomicBool;
use core::sync::atomic::Ordering::Relaxed;
use libc::epoll_event;

/// What a descriptor is watched for, and what fired: bits of [`READ`], [`WRITE`], [`ERROR`], [`HANGUP`].
pub(crate) type Events = u32;
pub(crate) const READ: Events = libc::EPOLLIN as Events;
pub(crate) const WRITE: Events = libc::EPOLLOUT as Events;
pub(crate) const ERROR: Events = libc::EPOLLERR as Events;
pub(crate) const HANGUP: Events = libc::EPOLLHUP as Events;
/// Asked for with others: fires once, then no more until it is changed.
pub(crate) const ONCE: Events = libc::EPOLLONESHOT as Events;

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

/// Waits for at most `timeout_us` microseconds (None: without end) and fills `events`.
///
/// # Safety
/// `events` has room for `capacity` elements, at least one.
pub(crate) unsafe fn wait(
    epoll: c_int,
    events: *mut epoll_event,
    capacity: c_int,
    timeout_us: Option<u64>,
) -> Result<c_int, Errno> {
    let milliseconds = match timeout_us {
        None => -1,
        Some(0) => 0,
        Some(us) => {
            if us % 1000 != 0 && !ONLY_MILLISECONDS.load(Relaxed) {
                // SAFETY: as for this function.
                match unsafe { wait_precisely(epoll, events, capacity, us) } {
                    // Linux before 5.11, or a filter of system calls that is older.
                    Err(Errno::ENOSYS | Errno::EPERM) => ONLY_MILLISECONDS.store(true, Relaxed),
                    result => return result,
                }
            }
            milliseconds(timeout_us)
        }
    };
    // SAFETY: the caller vouches for the room.
    let count = unsafe { libc::epoll_wait(epoll, events, capacity, milliseconds) };
    Errno::result(count)
}

/// Set when the kernel turns out to have no `epoll_pwait2`.
static ONLY_MILLISECONDS: AtomicBool = AtomicBool::new(false);

/// # Safety
/// As for [`wait`].
#[inline(never)]
unsafe fn wait_precisely(
    epoll: c_int,
    events: *mut epoll_event,
    capacity: c_int,
    timeout_us: u64,
) -> Result<c_int, Errno> {
    // The kernel's own timespec: two 64-bit numbers everywhere.
    let timeout = [(timeout_us / 1_000_000) as i64, (timeout_us % 1_000_000 * 1000) as i64];
    let no_signals = ptr::null::<libc::sigset_t>();
    // SAFETY: the caller vouches for the room; the timeout outlives the call. The C library may be older than the call.
    let count = unsafe {
        libc::syscall(libc::SYS_epoll_pwait2, epoll, events, capacity, timeout.as_ptr(), no_signals, 0_usize)
    };
    Errno::result(count).map(|count| count as c_int)
}
