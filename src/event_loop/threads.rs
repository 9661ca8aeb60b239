//! The loops that there are: whether one is still there, and which are a thread's.
//!
//! One thread may make a loop, another run it and a third delete it, so there is one list for all threads. A thread
//! remembers what it found there until the list changes. Nothing here looks into a loop of another thread.

use super::file_events::file_event;
use super::handle::Loop;
use crate::abi::ae::{AE_NONE, aeEventLoop};
use crate::sys::Errno;
use crate::sys::shared::Shared;
use core::cell::Cell;
use core::ffi::c_int;
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicU64, Ordering::Acquire, Ordering::Relaxed, Ordering::Release};

/// A loop, the thread that created it and the one that uses it: its creator until another is seen to run or resize it.
struct KnownLoop {
    number: u64,
    el: *mut aeEventLoop,
    creator: u64,
    user: u64,
}

// SAFETY: the pointer is only followed by the thread that uses the loop.
unsafe impl Send for KnownLoop {}

/// Every loop, the newest last.
static LOOPS: Shared<Vec<KnownLoop>> = Shared::new(Vec::new());
/// The number of the next loop: no loop gets one that another has had.
static NUMBERS: AtomicU64 = AtomicU64::new(1);
/// How often the list has changed, from 1 on.
static CHANGES: AtomicU64 = AtomicU64::new(1);
/// How many loops have left it, from 1 on.
static DELETIONS: AtomicU64 = AtomicU64::new(1);
static THREADS: AtomicU64 = AtomicU64::new(1);

/// A thread's newest loop, as of so many changes.
#[derive(Clone, Copy)]
struct Seen {
    changes: u64,
    newest: *mut aeEventLoop,
}

thread_local! {
    static THREAD: Cell<u64> = const { Cell::new(0) };
    static SEEN: Cell<Seen> = const { Cell::new(Seen { changes: 0, newest: ptr::null_mut() }) };
}

/// This thread's number. Not its address or handle, which a later thread may get again.
pub(crate) fn thread() -> u64 {
    if THREAD.get() == 0 {
        THREAD.set(THREADS.fetch_add(1, Relaxed));
    }
    THREAD.get()
}

/// A number for a new loop.
pub(super) fn next_number() -> u64 {
    NUMBERS.fetch_add(1, Relaxed)
}

/// Adds a new loop of this thread.
pub(super) fn add(el: Loop, number: u64) -> Result<(), Errno> {
    let thread = thread();
    LOOPS.with(|list| {
        list.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
        list.push(KnownLoop { number, el: el.as_ptr(), creator: thread, user: thread });
        CHANGES.fetch_add(1, Release);
        Ok(())
    })
}

/// Takes a loop out, whatever thread created it.
pub(super) fn remove(el: Loop) {
    LOOPS.with(|list| {
        list.retain(|entry| entry.el != el.as_ptr());
        CHANGES.fetch_add(1, Release);
        DELETIONS.fetch_add(1, Release);
    });
}

/// Notes that this thread uses a loop.
pub(crate) fn note_user(el: Loop) {
    let thread = thread();
    let user = &el.state().user;
    if user.get() != thread {
        user.set(thread);
        LOOPS.with(|list| {
            list.iter_mut().filter(|entry| entry.el == el.as_ptr()).for_each(|entry| entry.user = thread);
            CHANGES.fetch_add(1, Release);
        });
    }
}

/// The newest of the loops that this thread uses; when it uses none, of those that it created; None when it has none.
///
/// # Safety
/// As for [`watching`].
pub(crate) unsafe fn newest() -> Option<Loop> {
    // SAFETY: a loop that is in the list is live, and no other thread uses this one.
    NonNull::new(seen_newest()).map(|el| unsafe { Loop::new(el) })
}

/// The same, NULL for none.
fn seen_newest() -> *mut aeEventLoop {
    let seen = SEEN.get();
    let changes = CHANGES.load(Acquire);
    if seen.changes == changes {
        return seen.newest;
    }
    let thread = thread();
    let newest = LOOPS.with(|list| {
        let used = list.iter().rev().find(|entry| entry.user == thread);
        let newest = used.or_else(|| list.iter().rev().find(|entry| entry.creator == thread));
        newest.map_or(ptr::null_mut(), |entry| entry.el)
    });
    SEEN.set(Seen { changes, newest });
    newest
}

/// The loop of this thread that watches a descriptor, the newest when none does.
///
/// # Safety
/// The loops that this thread has created or used last are used by no other.
#[allow(dead_code)] // Some profiles' listeners ask.
pub(crate) unsafe fn watching(fd: c_int) -> Option<Loop> {
    // SAFETY: no other thread uses them.
    let newest = unsafe { newest() };
    let thread = thread();
    LOOPS.with(|list| {
        let own = list.iter().rev().filter(|entry| entry.user == thread).filter_map(|entry| NonNull::new(entry.el));
        // SAFETY: a loop that is in the list is live, and no other thread uses these.
        let mut own = own.map(|el| unsafe { Loop::new(el) });
        own.find(|el| file_event(*el, fd).is_some_and(|(mask, _)| mask != AE_NONE)).or(newest)
    })
}

/// Whether this thread uses the loop of that number.
#[cfg(feature = "tls")]
pub(crate) fn is_used_here(number: u64) -> bool {
    let thread = thread();
    LOOPS.with(|list| list.iter().any(|entry| entry.number == number && entry.user == thread))
}

/// Calls `body` with the loop of that number, which is not freed meanwhile; None when it is gone. `body` touches only what
/// any thread may.
pub(crate) fn with_loop<T>(number: u64, body: impl FnOnce(Loop) -> T) -> Option<T> {
    LOOPS.with(|list| {
        let el = list.iter().find(|entry| entry.number == number).and_then(|entry| NonNull::new(entry.el))?;
        // SAFETY: a loop that is in the list is live.
        Some(body(unsafe { Loop::new(el) }))
    })
}

/// A loop that may be gone. Another one at its address is not mistaken for it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LoopId {
    el: *mut aeEventLoop,
    number: u64,
    /// After how many deletions it was still there.
    deletions: u64,
}

impl LoopId {
    /// No loop.
    pub(crate) const NONE: Self = Self { el: ptr::null_mut(), number: 0, deletions: 0 };

    /// The id of a loop.
    pub(crate) fn of(el: Loop) -> Self {
        let deletions = DELETIONS.load(Acquire);
        Self { el: el.as_ptr(), number: el.state().number, deletions }
    }

    /// The id of the loop that is at an address now.
    pub(crate) fn at(el: *mut aeEventLoop) -> Self {
        let number = LOOPS.with(|list| list.iter().find(|entry| entry.el == el).map(|entry| entry.number));
        number.map_or(Self::NONE, |number| Self { el, number, ..Self::NONE })
    }

    /// Whether it is the id of a loop at that address, there or gone.
    pub(crate) fn is_at(&self, el: *mut aeEventLoop) -> bool {
        self.el == el
    }

    /// The loop's number, which no other loop has or gets; 0 for none.
    #[cfg(feature = "tls")]
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// The loop, if it is still there.
    ///
    /// # Safety
    /// It is gone, or no other thread uses it.
    pub(crate) unsafe fn get(&mut self) -> Option<Loop> {
        let el = NonNull::new(self.el)?;
        let deletions = DELETIONS.load(Acquire);
        if self.deletions != deletions {
            if !LOOPS.with(|list| list.iter().any(|entry| entry.number == self.number)) {
                *self = Self::NONE;
                return None;
            }
            self.deletions = deletions;
        }
        // SAFETY: it is live, and no other thread uses it.
        Some(unsafe { Loop::new(el) })
    }
}
