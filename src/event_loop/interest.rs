//! What the backend is told to watch for, and when.

use super::backend::{Applied, Backend};
use super::polls::Polls;
use super::priority::HighPriority;
use super::slots::{Slot, Slots};
use crate::sys::Errno;
use core::ffi::c_int;

/// What a loop's backend has been told to watch for, and what it is still to be told.
pub(super) struct InterestTable {
    slots: Slots,
    /// Descriptors whose interest may differ from what the backend was told.
    changed: Vec<c_int>,
    /// Descriptors that rest.
    pub(super) pauses: Vec<Pause>,
    /// What is watched by priority besides.
    pub(super) high: HighPriority,
}

/// A descriptor that is not watched for readable until a time, in microseconds of the monotonic clock.
#[derive(Clone, Copy)]
pub(super) struct Pause {
    pub(super) fd: c_int,
    pub(super) until: u64,
    /// It could not be ended in time, and the log has been told.
    pub(super) failed: bool,
}

impl InterestTable {
    pub(super) fn new(setsize: usize) -> Result<Self, Errno> {
        let (changed, pauses) = (Vec::new(), Vec::new());
        Ok(Self { slots: Slots::new(setsize)?, changed, pauses, high: HighPriority::new() })
    }

    /// Forgets the slots of descriptors that no longer belong to the set.
    pub(super) fn forget_above(&mut self, setsize: usize) {
        self.slots.forget(setsize);
    }

    pub(super) fn slot(&mut self, fd: c_int) -> &mut Slot {
        self.slots.get(fd)
    }

    /// Gives a descriptor below the set size a slot.
    pub(super) fn make_room(&mut self, fd: c_int, setsize: c_int) -> Result<(), Errno> {
        self.slots.make_room(fd, setsize)
    }

    /// Makes stale what polls up to this one have found.
    pub(super) fn settle(&mut self, polls: &Polls, fd: c_int, poll: u64) {
        let slot = self.slots.get(fd);
        slot.settled = slot.settled.max(poll);
        polls.settle(poll);
    }

    /// Makes the backend watch a descriptor for what `mask` says, at once. Only with `creates`, for an event that is
    /// being created, may the descriptor's file be added: otherwise a file that the backend does not know is another
    /// one, which has got the number of one that was closed.
    #[inline(always)] // Or else it is a call more for creating and deleting, which are all that is frequent.
    pub(super) fn arm(
        &mut self,
        backend: &mut Backend,
        polls: &Polls,
        fd: c_int,
        mask: c_int,
        creates: bool,
    ) -> Result<(), Errno> {
        let slot = self.slots.get(fd);
        let (wanted, armed) = (slot.wanted(mask), c_int::from(slot.armed));
        if armed == 0 && (wanted == 0 || !creates) {
            return Ok(());
        }
        let applied = backend.apply(fd, armed, wanted, creates);
        let slot = self.slots.get(fd);
        match applied {
            Ok(applied) => {
                slot.armed = wanted as u8;
                if applied == Applied::Added {
                    slot.settled = polls.latest();
                    polls.settle(slot.settled);
                }
                if self.high.is_there() { self.watch_high(fd, mask, creates) } else { Ok(()) }
            }
            Err(errno) => {
                slot.told = false;
                // The kernel may still watch what had the number before: with another descriptor for it, it is still
                // open.
                if wanted == 0 {
                    slot.armed = 0;
                }
                let _ = self.watch_high(fd, mask, creates);
                Err(errno)
            }
        }
    }

    /// Watches a descriptor by priority as `mask` says, without a change to what else it is watched for.
    #[cold]
    #[inline(never)]
    pub(super) fn watch_high(&mut self, fd: c_int, mask: c_int, creates: bool) -> Result<(), Errno> {
        let watched = self.high.watch(fd, mask, self.slots.get(fd), creates);
        // What is changed or removed may have been closed, which removed it.
        if creates { watched } else { Ok(()) }
    }

    /// Notes that a descriptor is to be looked at before the next poll. False when there is no room to.
    pub(super) fn arm_later(&mut self, fd: c_int) -> bool {
        if self.slots.get(fd).listed {
            return true;
        }
        if self.changed.try_reserve(1).is_err() {
            return false;
        }
        self.changed.push(fd);
        self.slots.get(fd).listed = true;
        true
    }

    /// Whether descriptors have been noted.
    #[inline(always)]
    pub(super) fn has_changes(&self) -> bool {
        !self.changed.is_empty()
    }

    /// Takes one of these.
    pub(super) fn next_change(&mut self) -> Option<c_int> {
        self.changed.pop()
    }

    /// Makes a descriptor rest until a time. It has one pause: that of an earlier file of the same number must not end
    /// this one.
    pub(super) fn pause(&mut self, fd: c_int, until: u64) -> Result<(), Errno> {
        self.pauses.retain(|pause| pause.fd != fd);
        self.pauses.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
        self.pauses.push(Pause { fd, until, failed: false });
        self.slots.get(fd).paused = true;
        Ok(())
    }

    /// When the first pause ends.
    pub(super) fn first_pause_end(&self) -> Option<u64> {
        self.pauses.iter().map(|pause| pause.until).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_descriptor_has_one_pause() {
        let mut interest = InterestTable::new(64).unwrap();
        interest.make_room(6, 64).unwrap();
        for (fd, until) in [(5, 100), (5, 300), (6, 200)] {
            interest.pause(fd, until).unwrap();
            assert!(interest.slot(fd).paused);
        }
        assert_eq!(interest.pauses.len(), 2);
        assert_eq!(interest.first_pause_end(), Some(200));
    }

    #[test]
    fn a_descriptor_is_listed_once() {
        let mut interest = InterestTable::new(64).unwrap();
        assert!(interest.arm_later(5) && interest.arm_later(5));
        assert_eq!(interest.next_change(), Some(5));
        assert!(!interest.has_changes());
    }
}
