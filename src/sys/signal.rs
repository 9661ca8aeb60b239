//! Signals and children.

use super::Errno;
use core::ffi::c_int;
use core::mem::MaybeUninit;
use core::ptr;

/// Signals are numbers below this one.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) const END: usize = 65;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) const END: usize = 129;

/// What is done when a signal comes.
pub(crate) type Action = libc::sigaction;

/// Has a signal call `handler`, and calls that it interrupts go on; returns what was done before.
///
/// # Safety
/// `handler` does only what a signal handler may.
pub(crate) unsafe fn handle(number: c_int, handler: extern "C" fn(c_int)) -> Result<Action, Errno> {
    // SAFETY: all zero is an action without flags.
    let mut action: Action = unsafe { core::mem::zeroed() };
    action.sa_sigaction = handler as *const () as usize;
    action.sa_flags = libc::SA_RESTART;
    let mut before = MaybeUninit::uninit();
    // SAFETY: the mask is the action's; both actions outlive the call, which fills in the second when it succeeds.
    unsafe {
        libc::sigemptyset(&mut action.sa_mask);
        Errno::result(libc::sigaction(number, &action, before.as_mut_ptr()))?;
        Ok(before.assume_init())
    }
}

/// Goes back to what was done before.
pub(crate) fn restore(number: c_int, before: &Action) {
    // It cannot fail for a signal that had this action.
    // SAFETY: the action outlives the call, and was the program's own.
    unsafe { libc::sigaction(number, before, ptr::null_mut()) };
}

/// What a program that is run in the place of this one begins with: no signal is blocked. When this is dropped, this
/// thread's blocked signals are again what they were, and so is what is done when SIGPIPE comes, which whoever runs the
/// program may have changed.
pub(crate) struct ForAnotherProgram {
    blocked: libc::sigset_t,
    at_pipe: Action,
}

impl ForAnotherProgram {
    pub(crate) fn new() -> Result<Self, Errno> {
        let (mut none, mut blocked, mut at_pipe) =
            (MaybeUninit::uninit(), MaybeUninit::uninit(), MaybeUninit::uninit());
        // SAFETY: each is filled in before it is read; that of the mask cannot fail.
        unsafe {
            Errno::result(libc::sigaction(libc::SIGPIPE, ptr::null(), at_pipe.as_mut_ptr()))?;
            libc::sigemptyset(none.as_mut_ptr());
            libc::pthread_sigmask(libc::SIG_SETMASK, none.as_ptr(), blocked.as_mut_ptr());
            Ok(Self { blocked: blocked.assume_init(), at_pipe: at_pipe.assume_init() })
        }
    }
}

impl Drop for ForAnotherProgram {
    fn drop(&mut self) {
        restore(libc::SIGPIPE, &self.at_pipe);
        // SAFETY: the mask outlives the call, and was this thread's own.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &self.blocked, ptr::null_mut()) };
    }
}

/// A descriptor that becomes readable when a child ends, close-on-exec; `ENOSYS` where the system has none.
pub(crate) fn child_fd(pid: libc::pid_t) -> Result<c_int, Errno> {
    #[cfg(target_os = "linux")]
    {
        // SAFETY: takes no pointer. The descriptor is close-on-exec by itself.
        Errno::result(unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) }).map(|fd| fd as c_int)
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = pid;
        Err(Errno::ENOSYS)
    }
}

/// The status of a child that has ended; None while it runs.
pub(crate) fn status_of_child(pid: libc::pid_t) -> Result<Option<c_int>, Errno> {
    let mut status = 0;
    loop {
        // SAFETY: the status outlives the call.
        match Errno::result(unsafe { libc::waitpid(pid, &mut status, libc::WNOHANG) }) {
            Ok(0) => return Ok(None),
            Ok(_) => return Ok(Some(status)),
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno),
        }
    }
}
