//! Threads: which one this is, whether another has ended, where this one's stack is.

use super::Errno;
use core::cell::Cell;
use core::ffi::c_void;
use core::mem::MaybeUninit;
use core::ops::Range;
use core::ptr;
#[cfg(target_os = "linux")]
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

thread_local! {
    static THIS: Cell<Thread> = const { Cell::new(Thread::UNKNOWN) };
}

/// A thread, as the system numbers it: when it has ended a later one may get the number. In the child of a fork the thread
/// that has forked remains what it was.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Thread(i32);

impl Thread {
    /// One that has not been asked for yet, or that the system has no number for.
    const UNKNOWN: Self = Self(0);
    /// No thread: none is the same.
    pub(crate) const NOBODY: Self = Self(-1);

    /// This thread if [`Thread::this`] has been asked for it.
    #[inline(always)]
    pub(crate) fn known() -> Self {
        THIS.get()
    }

    #[cold]
    pub(crate) fn this() -> Self {
        #[cfg(target_os = "linux")]
        if Self::known() == Self::UNKNOWN {
            let this = Self(number());
            // Without memory for that, it is asked for again.
            if forks::are_followed() {
                THIS.set(this);
            }
            return this;
        }
        Self::known()
    }

    /// Whether the thread has ended for certain.
    pub(crate) fn has_ended(self) -> bool {
        // One that has just been joined may still be on its way out of the kernel.
        #[cfg(target_os = "linux")]
        for _ in 0..20 {
            let number = forks::number_now(self);
            // SAFETY: signal 0 is not sent.
            if number > 0 && unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), number, 0) } != 0 {
                return Errno::last() == Errno::ESRCH;
            }
            std::thread::sleep(core::time::Duration::from_micros(50));
        }
        false
    }
}

#[cfg(target_os = "linux")]
fn number() -> i32 {
    // SAFETY: takes nothing.
    unsafe { libc::gettid() }
}

/// A thread that forks has another number in the child, but what it has noted of itself is still there.
#[cfg(target_os = "linux")]
mod forks {
    use super::{AtomicBool, AtomicU64, Relaxed, THIS, Thread, at_fork, number};

    static ARE_FOLLOWED: AtomicBool = AtomicBool::new(false);
    /// In a child: as what the thread is known that has forked, and its number now. It is the only one that is known from
    /// before.
    static FORKED: AtomicU64 = AtomicU64::new(0);

    /// Its variable may have no memory yet, and not get any in the child.
    unsafe extern "C" fn look_up() {
        core::hint::black_box(THIS.get());
    }

    unsafe extern "C" fn nothing() {}

    unsafe extern "C" fn follow() {
        let known = THIS.get();
        if known != Thread::UNKNOWN {
            FORKED.store(u64::from(known.0 as u32) << 32 | u64::from(number() as u32), Relaxed);
        }
    }

    /// False when forks cannot be followed.
    pub(super) fn are_followed() -> bool {
        ARE_FOLLOWED.load(Relaxed) || {
            let followed = at_fork(look_up, nothing, follow).is_ok();
            ARE_FOLLOWED.store(followed, Relaxed);
            followed
        }
    }

    pub(super) fn number_now(thread: Thread) -> i32 {
        let forked = FORKED.load(Relaxed);
        if (forked >> 32) as i32 == thread.0 { forked as i32 } else { thread.0 }
    }
}

/// Starts a thread that nobody waits for and that gets no signals.
pub(crate) fn start(body: extern "C" fn(*mut c_void) -> *mut c_void) -> Result<(), Errno> {
    let (mut all, mut before, mut thread) = (MaybeUninit::uninit(), MaybeUninit::uninit(), MaybeUninit::uninit());
    // SAFETY: each is filled in before it is read; the thread is not used once it is detached.
    let code = unsafe {
        libc::sigfillset(all.as_mut_ptr());
        libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), before.as_mut_ptr());
        let code = libc::pthread_create(thread.as_mut_ptr(), ptr::null(), body, ptr::null_mut());
        libc::pthread_sigmask(libc::SIG_SETMASK, before.as_ptr(), ptr::null_mut());
        if code == 0 {
            libc::pthread_detach(thread.assume_init());
        }
        code
    };
    if code == 0 { Ok(()) } else { Err(Errno::from_raw(code)) }
}

/// This process.
pub(crate) fn process() -> libc::pid_t {
    // SAFETY: takes nothing.
    unsafe { libc::getpid() }
}

/// Has every fork call `before` first, then `in_parent` in this process and `in_child` in the new one.
pub(crate) fn at_fork(
    before: unsafe extern "C" fn(),
    in_parent: unsafe extern "C" fn(),
    in_child: unsafe extern "C" fn(),
) -> Result<(), Errno> {
    if cfg!(miri) {
        return Ok(()); // It has no forks.
    }
    // SAFETY: functions, which stay.
    let code = unsafe { libc::pthread_atfork(Some(before), Some(in_parent), Some(in_child)) };
    if code == 0 { Ok(()) } else { Err(Errno::from_raw(code)) }
}

/// Where this thread's stack is, if the system tells, which Miri does not; a coroutine's is elsewhere.
pub(crate) fn stack() -> Option<Range<usize>> {
    #[cfg(all(target_os = "linux", target_env = "gnu", not(miri)))]
    {
        let mut attributes = core::mem::MaybeUninit::uninit();
        let (mut start, mut size) = (core::ptr::null_mut(), 0);
        // SAFETY: the attributes are filled in first and destroyed last.
        let found = unsafe {
            if libc::pthread_getattr_np(libc::pthread_self(), attributes.as_mut_ptr()) != 0 {
                return None;
            }
            let found = libc::pthread_attr_getstack(attributes.as_ptr(), &mut start, &mut size) == 0;
            libc::pthread_attr_destroy(attributes.as_mut_ptr());
            found
        };
        found.then(|| start.addr()..start.addr() + size)
    }
    #[cfg(not(all(target_os = "linux", target_env = "gnu", not(miri))))]
    None
}

/// Whether a child of a fork finds that something holds.
#[cfg(all(test, not(miri)))]
pub(crate) fn holds_in_a_child(holds: impl FnOnce() -> bool) -> bool {
    let mut status = 0;
    // SAFETY: the child allocates nothing, and ends here; the status outlives the call.
    unsafe {
        let child = libc::fork();
        if child == 0 {
            libc::_exit(i32::from(!holds()));
        }
        child > 0 && libc::waitpid(child, &mut status, 0) == child && status == 0
    }
}

#[cfg(all(test, target_os = "linux", target_env = "gnu", not(miri)))]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_forks_is_there_in_the_child_as_the_same() {
        let this = Thread::this();
        let ended = std::thread::spawn(Thread::this).join().unwrap();
        let in_child = || Thread::this() == this && Thread::known() == this && !this.has_ended() && ended.has_ended();
        assert!(holds_in_a_child(in_child));
        assert!(holds_in_a_child(|| holds_in_a_child(in_child)));
        assert!(in_child());
    }

    #[test]
    fn a_thread_that_was_joined_has_ended() {
        let this = Thread::this();
        assert!(this != Thread::UNKNOWN && this == Thread::known() && !this.has_ended());
        let other = std::thread::spawn(Thread::this).join().unwrap();
        assert!(other != this && other.has_ended());
        assert!(!Thread::UNKNOWN.has_ended() && !Thread::NOBODY.has_ended());
    }

    #[test]
    fn locals_are_on_the_stack() {
        let local = 0;
        assert!(stack().unwrap().contains(&core::ptr::from_ref(&local).addr()));
    }
}
