//! The mutex that C code sees in a loop, and those of the library's own.

use super::Errno;
use core::cell::UnsafeCell;
use core::fmt::{self, Debug, Formatter};
use core::marker::PhantomData;
use core::mem::MaybeUninit;
use core::ops::{Deref, DerefMut};

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

/// Data that one thread at a time reaches, for moments in which nobody is called. Its mutex is the C library's, so that
/// tools that look for data races know that what a thread did before it came is done for the thread that comes next.
pub(crate) struct Locked<T> {
    mutex: UnsafeCell<libc::pthread_mutex_t>,
    data: UnsafeCell<T>,
}

// SAFETY: the data is reached with the mutex held alone.
unsafe impl<T: Send> Sync for Locked<T> {}

impl<T> Debug for Locked<T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Locked").finish_non_exhaustive()
    }
}

impl<T> Locked<T> {
    pub(crate) const fn new(data: T) -> Self {
        Self { mutex: UnsafeCell::new(libc::PTHREAD_MUTEX_INITIALIZER), data: UnsafeCell::new(data) }
    }

    /// Waits for the data, which is this thread's until the guard goes. Who has it does not ask for it again.
    pub(crate) fn lock(&self) -> Guard<'_, T> {
        self.hold();
        Guard(self, PhantomData)
    }

    /// The same for a call.
    pub(crate) fn with<R>(&self, body: impl FnOnce(&mut T) -> R) -> R {
        body(&mut self.lock())
    }

    /// The same if nobody else is at it; None otherwise.
    pub(crate) fn try_with<R>(&self, body: impl FnOnce(&mut T) -> R) -> Option<R> {
        // SAFETY: as for `hold`.
        let locked = unsafe { libc::pthread_mutex_trylock(self.mutex.get()) } == 0;
        locked.then(|| body(&mut Guard(self, PhantomData)))
    }

    /// Locks it, for [`Locked::release`].
    pub(crate) fn hold(&self) {
        // SAFETY: the initializer's mutex is one from its first use on, after which it stays where it is. It is of the
        // kind for which locking cannot fail.
        unsafe { libc::pthread_mutex_lock(self.mutex.get()) };
    }

    /// # Safety
    /// This thread has called [`Locked::hold`], or this is the child of a fork of such a thread.
    pub(crate) unsafe fn release(&self) {
        // SAFETY: it is locked by this thread.
        unsafe { libc::pthread_mutex_unlock(self.mutex.get()) };
    }

    /// The guard of what [`Locked::hold`] has locked.
    ///
    /// # Safety
    /// As for [`Locked::release`]; it is the only one.
    pub(crate) unsafe fn held(&self) -> Guard<'_, T> {
        Guard(self, PhantomData)
    }
}

/// The data of a [`Locked`], which this thread has locked, and is to release.
pub(crate) struct Guard<'a, T>(&'a Locked<T>, PhantomData<*mut T>);

impl<T> Deref for Guard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the mutex is held.
        unsafe { &*self.0.data.get() }
    }
}

impl<T> DerefMut for Guard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the mutex is held.
        unsafe { &mut *self.0.data.get() }
    }
}

impl<T> Drop for Guard<'_, T> {
    fn drop(&mut self) {
        // SAFETY: this thread has locked it.
        unsafe { self.0.release() };
    }
}
