//! epoll (Linux).

use super::Errno;
#[cfg(miri)]
use super::edges::{epoll_ctl, epoll_wait};
use super::poll::milliseconds;
use core::ffi::c_int;
use core::ptr;
use core::sync::atomic::AtomicBool;
use core::sync::atomic::Ordering::Relaxed;
use libc::epoll_event;
#[cfg(not(miri))]
use libc::{epoll_ctl, epoll_wait};

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
    Errno::result(unsafe { epoll_ctl(epoll, operation, fd, &mut event) }).map(drop)
}

/// Waits for at most `timeout_us` microseconds (None: forever) and fills `events`.
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
            if us % 1000 != 0
                && !ONLY_MILLISECONDS.load(Relaxed)
                && let Some(epoll_pwait2) = epoll_pwait2()
            {
                let timeout = libc::timespec { tv_sec: (us / 1_000_000) as _, tv_nsec: (us % 1_000_000 * 1000) as _ };
                // SAFETY: `events` has room for `capacity` elements; the timeout outlives the call.
                let count = unsafe { epoll_pwait2(epoll, events, capacity, &timeout, ptr::null()) };
                match Errno::result(count) {
                    // Linux before 5.11, or a system call filter that does not know the call.
                    Err(Errno::ENOSYS | Errno::EPERM) => ONLY_MILLISECONDS.store(true, Relaxed),
                    result => return result,
                }
            }
            milliseconds(timeout_us)
        }
    };
    // SAFETY: `events` has room for `capacity` elements.
    let count = unsafe { epoll_wait(epoll, events, capacity, milliseconds) };
    Errno::result(count)
}

/// Set when the kernel turns out to have no `epoll_pwait2`.
static ONLY_MILLISECONDS: AtomicBool = AtomicBool::new(false);

type EpollPwait2 = unsafe extern "C" fn(
    epoll: c_int,
    events: *mut epoll_event,
    capacity: c_int,
    timeout: *const libc::timespec,
    signals: *const libc::sigset_t,
) -> c_int;

/// The C library's `epoll_pwait2`, in which a thread can be cancelled, where it has one: glibc does from 2.35 on. The
/// reference is weak.
fn epoll_pwait2() -> Option<EpollPwait2> {
    #[cfg(all(target_env = "gnu", target_pointer_width = "64", not(miri)))]
    {
        unsafe extern "C" {
            static libae_epoll_pwait2: Option<EpollPwait2>;
        }
        // SAFETY: the linker fills it in, with NULL or with the function. Volatile, since to the compiler a function's
        // address is never NULL.
        unsafe { (&raw const libae_epoll_pwait2).read_volatile() }
    }
    #[cfg(not(all(target_env = "gnu", target_pointer_width = "64", not(miri))))]
    None
}

#[cfg(all(target_env = "gnu", target_pointer_width = "64", not(miri)))]
core::arch::global_asm!(
    ".weak epoll_pwait2",
    ".pushsection .data.rel.ro.libae_epoll_pwait2,\"aw\"",
    ".globl libae_epoll_pwait2",
    ".hidden libae_epoll_pwait2",
    ".p2align 3",
    "libae_epoll_pwait2:",
    ".8byte epoll_pwait2",
    ".popsection",
);
