//! What a backend and the loop pass to each other.

use crate::abi::ae::aeFiredEvent;
use core::ffi::c_int;

/// In place of a mask: watched for nothing, but not removed, so that it need not be added again. A backend for which
/// a file that is not watched is the same as one that is not there may take it for no mask.
pub(in crate::event_loop) const HELD: c_int = 8;

/// Whether a descriptor was new to the kernel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::event_loop) enum Applied {
    Added,
    Changed,
}

/// Room for what fired.
pub(in crate::event_loop) struct Fired {
    first: *mut aeFiredEvent,
    pub(super) capacity: c_int,
    pub(super) count: c_int,
}

impl Fired {
    /// # Safety
    /// `first` has room for `capacity` elements while this lives.
    pub(in crate::event_loop) unsafe fn new(first: *mut aeFiredEvent, capacity: usize) -> Self {
        Self { first, capacity: capacity as c_int, count: 0 }
    }

    pub(super) fn is_full(&self) -> bool {
        self.count == self.capacity
    }

    /// Puts `count` there, as far as there is room: the others will fire again. Says how many there are.
    #[cfg(poller = "epoll")]
    pub(super) fn fill(self, count: c_int, element: impl Fn(usize) -> aeFiredEvent) -> c_int {
        let count = count.min(self.capacity);
        for index in 0..count as usize {
            // SAFETY: below the capacity that `new` was told.
            unsafe { self.first.add(index).write(element(index)) };
        }
        count
    }

    /// Adds one; ignored when full: it will fire again.
    pub(super) fn push(&mut self, fd: c_int, mask: c_int) {
        if !self.is_full() {
            // SAFETY: below the capacity that `new` was told.
            unsafe { self.first.add(self.count as usize).write(aeFiredEvent { fd, mask }) };
            self.count += 1;
        }
    }
}
