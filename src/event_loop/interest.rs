//! What the backend is told to watch for, and when.

use super::backend::Applied;
use super::slots::Slot;
use super::state::{State, entry, state};
use crate::abi::ae::aeEventLoop;
use crate::sys::Errno;
use crate::sys::mutex::Held;
use core::ffi::c_int;
use core::sync::atomic::Ordering::Relaxed;

impl State {
    /// When the first pause ends.
    pub(super) fn first_pause_end(&self) -> Option<u64> {
        self.pauses.iter().map(|pause| pause.until).min()
    }

    pub(super) fn slot(&mut self, fd: c_int) -> &mut Slot {
        self.slots.get(fd)
    }

    /// Makes what polls up to this one found no business of the handlers any more.
    pub(super) fn settle(&mut self, fd: c_int, poll: u64) {
        let slot = self.slot(fd);
        slot.settled = slot.settled.max(poll);
        self.settled = self.settled.max(poll);
    }

    /// Makes the backend watch a descriptor for what `mask` says, at once. Only one who creates an event may have the
    /// descriptor's file added: to everybody else a file that the backend does not know is a stranger's, which has
    /// got the number of one that was closed.
    #[inline(always)] // Or else it is a call more for creating and deleting, which are all that is frequent.
    pub(super) fn arm(&mut self, fd: c_int, mask: c_int, creates: bool) -> Result<(), Errno> {
        let slot = self.slot(fd);
        let (wanted, armed) = (slot.wanted(mask), c_int::from(slot.armed));
        if armed == 0 && (wanted == 0 || !creates) {
            return Ok(());
        }
        let applied = self.backend.apply(fd, armed, wanted, creates);
        let polls = self.polls;
        let slot = self.slot(fd);
        match applied {
            Ok(applied) => {
                slot.armed = wanted as u8;
                if applied == Applied::Added {
                    slot.settled = polls;
                    self.settled = self.settled.max(polls);
                }
                Ok(())
            }
            Err(errno) => {
                slot.told = false;
                // The kernel may still watch what had the number before: with another descriptor for it, it is still
                // open.
                if wanted == 0 {
                    slot.armed = 0;
                }
                Err(errno)
            }
        }
    }

    /// Whether a change can wait until the next poll: that is to come in the call that is running, nobody is in the
    /// middle of one, and it is this thread that will.
    pub(super) fn may_defer(&self, held: &Option<Held>) -> bool {
        self.calls.depth() > 0 && !self.polling.load(Relaxed) && held.is_none()
    }

    /// Notes that a descriptor is to be looked at before the next poll. False when there is no room to.
    pub(super) fn arm_later(&mut self, fd: c_int) -> bool {
        if self.slot(fd).listed {
            return true;
        }
        if self.changed.try_reserve(1).is_err() {
            return false;
        }
        self.changed.push(fd);
        self.slot(fd).listed = true;
        true
    }
}

/// Tells the backend what is no longer watched for since this was last done.
///
/// # Safety
/// `el` is a live loop of this thread.
#[inline(never)]
pub(super) unsafe fn apply_changes(el: *mut aeEventLoop) {
    // SAFETY: the caller vouches for the loop; no callback runs here.
    unsafe {
        while let Some(fd) = state(el).changed.pop() {
            let Some(event) = entry(el, fd) else { continue };
            let mask = (*event).mask;
            let state = state(el);
            let slot = state.slot(fd);
            (slot.listed, slot.told) = (false, false);
            if slot.wanted(mask) != c_int::from(slot.armed) {
                // It fails when the descriptor was closed first, which removed it as well.
                let _ = state.arm(fd, mask, false);
            }
        }
    }
}
