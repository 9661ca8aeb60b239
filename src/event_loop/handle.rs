//! The handle by which the library knows a loop.

use crate::abi::ae::*;
use crate::abi::profile;
use core::ffi::c_int;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicI32, Ordering::Relaxed};

/// A live loop that this thread may use. A pointer becomes one where it comes in from C, and is not doubted further
/// down.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(transparent)]
pub(crate) struct Loop(NonNull<aeEventLoop>);

impl Loop {
    /// # Safety
    /// `el` is a live loop. No other thread uses it meanwhile, except as docs/api.md allows. It stays live while the
    /// handle and its copies are used.
    #[inline(always)]
    pub(crate) unsafe fn new(el: NonNull<aeEventLoop>) -> Self {
        Self(el)
    }

    /// What C knows it by.
    #[inline(always)]
    pub(crate) fn as_ptr(self) -> *mut aeEventLoop {
        self.0.as_ptr()
    }
}

/// A member of the struct, read and written. C code may do so as well between any two callbacks, so that no reference
/// is made.
macro_rules! member {
    ($(#[$doc:meta])* $get:ident, $set:ident: $member:ident: $type:ty) => {
        $(#[$doc])*
        #[inline(always)]
        pub(crate) fn $get(self) -> $type {
            // SAFETY: the loop is live.
            unsafe { (*self.as_ptr()).$member }
        }

        $(#[$doc])*
        #[inline(always)]
        pub(crate) fn $set(self, value: $type) {
            // SAFETY: the loop is live.
            unsafe { (*self.as_ptr()).$member = value };
        }
    };
}

/// A member that other threads touch while the loop runs.
macro_rules! atomic_member {
    ($(#[$doc:meta])* $get:ident, $set:ident: $member:ident) => {
        $(#[$doc])*
        #[inline(always)]
        pub(crate) fn $get(self) -> c_int {
            // SAFETY: the loop is live, and the library reads and writes the member in no other way. C code stores it
            // whole.
            unsafe { AtomicI32::from_ptr(&raw mut (*self.as_ptr()).$member) }.load(Relaxed)
        }

        $(#[$doc])*
        #[inline(always)]
        pub(crate) fn $set(self, value: c_int) {
            // SAFETY: as above.
            unsafe { AtomicI32::from_ptr(&raw mut (*self.as_ptr()).$member) }.store(value, Relaxed);
        }
    };
}

impl Loop {
    member!(
        /// Descriptors below this number can be watched.
        setsize, set_setsize: setsize: c_int
    );
    member!(
        /// `AE_DONT_WAIT`, and in some profiles `AE_PROTECT_POLL`.
        flags, set_flags: flags: c_int
    );
    member!(
        /// Runs before the loop sleeps; may be NULL.
        before_sleep, set_before_sleep: beforesleep: *mut aeBeforeSleepProc
    );
    member!(
        /// The newest time event, from which the list of all starts.
        timer_list, set_timer_list: timeEventHead: *mut aeTimeEvent
    );
    member!(
        /// The id of the next time event.
        next_timer_id, set_next_timer_id: timeEventNextId: core::ffi::c_longlong
    );

    atomic_member!(
        /// The highest descriptor that is watched, -1 without any. Read by whatever thread makes the waker.
        maxfd, set_maxfd: maxfd
    );
    atomic_member!(
        /// Not 0: `run` returns after the current iteration. Any thread and any signal handler may store that.
        stop, set_stop: stop
    );

    /// The least number above all that are watched, for a descriptor of the loop's own: the program may have closed some
    /// of these without a word, and what it does with their numbers afterwards must not reach the loop's. Where the limit
    /// leaves none, such a descriptor takes a free one below: then only a program that deletes first is safe.
    pub(super) fn unwatched_number(self) -> c_int {
        self.maxfd().saturating_add(1).max(0)
    }

    /// Sets or clears one of the flags.
    pub(crate) fn set_flag(self, flag: c_int, on: bool) {
        self.set_flags(if on { self.flags() | flag } else { self.flags() & !flag });
    }

    /// Where the loop's own polls store what fired.
    pub(super) fn set_fired(self, fired: *mut aeFiredEvent) {
        // SAFETY: the loop is live.
        unsafe { (*self.as_ptr()).fired = fired };
    }

    /// Stores where the events are and how many.
    pub(super) fn set_events(self, events: *mut aeFileEvent, count: usize) {
        // SAFETY: the loop is live.
        unsafe { profile::set_events(self.as_ptr(), events, count) };
    }
}
