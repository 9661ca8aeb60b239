//! The mutex that C code sees in a loop.

use super::Errno;
use core::mem::MaybeUninit;

fn check(code: libc::c_int) -> Result<(), Errno> {
    if code == 0 { Ok(()) } else { Err(Errno::from_raw(code)) }
}

/// Initialises a mutex that reports a deadlock with its own thread, and that (on Linux) passes on when the thread that
/// holds it ends.
///
/// # Safety
/// `mutex` is valid, at the address where it stays, and not in use.
pub(crate) unsafe fn init(mutex: *mut libc::pthread_mutex_t) -> Result<(), Errno> {
    let mut attributes = MaybeUninit::uninit();
    // SAFETY: the attributes are initialised first and destroyed last; the mutex is valid and not in use.
    unsafe {
        check(libc::pthread_mutexattr_init(attributes.as_mut_ptr()))?;
        let result = check(libc::pthread_mutexattr_settype(attributes.as_mut_ptr(), libc::PTHREAD_MUTEX_ERRORCHECK))
            .and_then(|()| set_robust(&mut attributes))
            .and_then(|()| check(libc::pthread_mutex_init(mutex, attributes.as_ptr())));
        libc::pthread_mutexattr_destroy(attributes.as_mut_ptr());
        result
    }
}

fn set_robust(attributes: &mut MaybeUninit<libc::pthread_mutexattr_t>) -> Result<(), Errno> {
    #[cfg(target_os = "linux")]
    // SAFETY: initialised by the caller.
    return check(unsafe { libc::pthread_mutexattr_setrobust(attributes.as_mut_ptr(), libc::PTHREAD_MUTEX_ROBUST) });
    #[cfg(not(target_os = "linux"))]
    {
        let _ = attributes;
        Ok(())
    }
}

/// Destroys a mutex that nobody holds.
///
/// # Safety
/// `mutex` came from [`init`] and is not used afterwards.
pub(crate) unsafe fn destroy(mutex: *mut libc::pthread_mutex_t) {
    // SAFETY: from `init`, held by nobody, and no longer used.
    unsafe { libc::pthread_mutex_destroy(mutex) };
}

/// A mutex that is held until this is dropped.
pub(crate) struct Held(*mut libc::pthread_mutex_t);

impl Held {
    /// Waits for the mutex; `EDEADLK` when this thread holds it already.
    ///
    /// # Safety
    /// `mutex` came from [`init`] and stays for as long as the result.
    pub(crate) unsafe fn lock(mutex: *mut libc::pthread_mutex_t) -> Result<Self, Errno> {
        // SAFETY: from `init`, and still there.
        match check(unsafe { libc::pthread_mutex_lock(mutex) }) {
            #[cfg(target_os = "linux")]
            // The thread that held it was waiting for events, so it left nothing half done.
            // SAFETY: as above.
            Err(Errno::EOWNERDEAD) => check(unsafe { libc::pthread_mutex_consistent(mutex) })?,
            locked => locked?,
        }
        Ok(Self(mutex))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // SAFETY: `lock` locked it in this thread, and it stays for as long as this.
        unsafe { libc::pthread_mutex_unlock(self.0) };
    }
}
