//! Which loop is a thread's current one, when the host does not say.
//!
//! A loop may be deleted by another thread than its creator, so there is one list for all threads. A thread
//! remembers what it found there until the list changes.

use super::file_event;
use crate::abi::ae::{AE_NONE, aeEventLoop};
use crate::sys::Errno;
use core::cell::Cell;
use core::ffi::{c_int, c_void};
use core::ptr;
use core::sync::atomic::{AtomicU64, Ordering::Acquire, Ordering::Relaxed, Ordering::Release};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A loop and the thread that created it.
struct Entry {
    thread: u64,
    el: *mut aeEventLoop,
}

// SAFETY: the pointer is only followed by the thread that created the loop.
unsafe impl Send for Entry {}

/// Every loop, the newest last.
static LOOPS: Mutex<Vec<Entry>> = Mutex::new(Vec::new());
/// How often the list has changed, from 1 on.
static CHANGES: AtomicU64 = AtomicU64::new(1);
static THREADS: AtomicU64 = AtomicU64::new(1);

/// What a thread found in the list.
#[derive(Clone, Copy)]
struct Seen {
    changes: u64,
    newest: *mut aeEventLoop,
    several: bool,
}

thread_local! {
    static THREAD: Cell<u64> = const { Cell::new(0) };
    static SEEN: Cell<Seen> = const { Cell::new(Seen { changes: 0, newest: ptr::null_mut(), several: false }) };
    /// The loop that [`with_current`] made the current one.
    static CHOSEN: Cell<Option<*mut aeEventLoop>> = const { Cell::new(None) };
}

fn list() -> MutexGuard<'static, Vec<Entry>> {
    LOOPS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// This thread's number. Not its address or handle, which a later thread may get again.
fn thread() -> u64 {
    if THREAD.get() == 0 {
        THREAD.set(THREADS.fetch_add(1, Relaxed));
    }
    THREAD.get()
}

/// A fork waits until nobody holds the list: a child that another thread's lock was copied into could make no loop.
mod forks {
    use super::{Entry, list};
    use crate::sys::thread::at_fork;
    use core::cell::UnsafeCell;
    use core::sync::atomic::{AtomicBool, Ordering::Relaxed};
    use std::sync::MutexGuard;

    /// The list while a fork is under way.
    struct Held(UnsafeCell<Option<MutexGuard<'static, Vec<Entry>>>>);

    // SAFETY: it is touched only by the thread that forks, between its `hold` and `release`, with the lock held.
    unsafe impl Sync for Held {}

    static HELD: Held = Held(UnsafeCell::new(None));
    static ARE_GUARDED: AtomicBool = AtomicBool::new(false);

    unsafe extern "C" fn hold() {
        let list = list();
        // SAFETY: the lock is this thread's.
        unsafe { *HELD.0.get() = Some(list) };
    }

    unsafe extern "C" fn release() {
        // SAFETY: the lock is this thread's, in the child as well.
        drop(unsafe { (*HELD.0.get()).take() });
    }

    pub(super) fn guard() {
        if !ARE_GUARDED.swap(true, Relaxed) {
            // Without memory for that, the next loop tries again.
            ARE_GUARDED.store(at_fork(hold, release).is_ok(), Relaxed);
        }
    }
}

/// Adds a new loop of this thread.
pub(super) fn add(el: *mut aeEventLoop) -> Result<(), Errno> {
    forks::guard();
    let mut list = list();
    list.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
    list.push(Entry { thread: thread(), el });
    CHANGES.fetch_add(1, Release);
    Ok(())
}

/// Takes a loop out, whatever thread created it.
pub(super) fn remove(el: *mut aeEventLoop) {
    let mut list = list();
    list.retain(|entry| entry.el != el);
    CHANGES.fetch_add(1, Release);
}

/// A number that changes whenever a loop is created or deleted.
#[cfg(feature = "tls")]
pub(crate) fn generation() -> u64 {
    CHANGES.load(Acquire)
}

/// Whether it is a loop of this thread that has not been deleted.
#[cfg(feature = "tls")]
pub(crate) fn is_own(el: *mut aeEventLoop) -> bool {
    let thread = thread();
    list().iter().any(|entry| entry.el == el && entry.thread == thread)
}

fn look() -> Seen {
    let seen = SEEN.get();
    let changes = CHANGES.load(Acquire);
    if seen.changes == changes {
        return seen;
    }
    let (list, thread) = (list(), thread());
    let mut own = list.iter().rev().filter(|entry| entry.thread == thread).map(|entry| entry.el);
    let seen = Seen { changes, newest: own.next().unwrap_or(ptr::null_mut()), several: own.next().is_some() };
    SEEN.set(seen);
    seen
}

/// The loop for a descriptor's events with this client data (None: any): the loop of this thread that they are
/// registered with, else its newest, NULL when it has none.
///
/// # Safety
/// The loops that this thread created are live.
pub(crate) unsafe fn current_for(fd: c_int, data: Option<*mut c_void>) -> *mut aeEventLoop {
    if let Some(chosen) = CHOSEN.get() {
        return chosen;
    }
    let seen = look();
    if !seen.several {
        return seen.newest;
    }
    let (list, thread) = (list(), thread());
    // SAFETY: the caller vouches for the loops, and nobody deletes one while the list is locked.
    let registered = |el: &*mut aeEventLoop| unsafe {
        file_event(*el, fd).is_some_and(|(mask, owner)| mask != AE_NONE && data.is_none_or(|data| data == owner))
    };
    let mut own = list.iter().rev().filter(|entry| entry.thread == thread).map(|entry| entry.el);
    own.find(registered).unwrap_or(seen.newest)
}

/// Runs `body` with `el` (NULL: none) as this thread's current loop.
pub(crate) fn with_current<T>(el: *mut aeEventLoop, body: impl FnOnce() -> T) -> T {
    /// Puts the one before back, also when `body` panics.
    struct Before(Option<*mut aeEventLoop>);

    impl Drop for Before {
        fn drop(&mut self) {
            CHOSEN.set(self.0);
        }
    }

    let _before = Before(CHOSEN.replace(Some(el)));
    body()
}
