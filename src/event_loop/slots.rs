//! What the loop keeps for each descriptor beside its `aeFileEvent`: as many as the highest descriptor that has been
//! watched needs, so that a large set costs nothing until it is used.

use super::backend::HELD;
use crate::abi::ae::{AE_READABLE, AE_WRITABLE};
use crate::host::memory::{Zeroable, ZeroedArray, zeroed};
use crate::sys::Errno;
use core::ffi::c_int;

/// The bits that a backend knows.
pub(super) const POLLED: c_int = AE_READABLE | AE_WRITABLE;

/// What we keep for each descriptor beside its `aeFileEvent`.
pub(super) struct Slot {
    /// What polls up to this one found is stale: the descriptor has been added to the backend since, maybe for another
    /// file, or a nested run has served it.
    pub(super) settled: u64,
    /// What the backend was last told to watch for.
    pub(super) armed: u8,
    /// What it is watched for beside that, by priority.
    pub(super) high: u8,
    /// Listed among the changes that the backend is still to be told.
    pub(super) listed: bool,
    /// The backend has been told since the changes were last applied, and took the descriptor's file for its own.
    pub(super) told: bool,
    /// Not watched for readable for now; see `pause_readable`.
    pub(super) paused: bool,
}

// SAFETY: integers and bools, for which zero is false.
unsafe impl Zeroable for Slot {}

impl Slot {
    /// What the backend has to watch for when the event's mask is `mask`.
    pub(super) fn wanted(&self, mask: c_int) -> c_int {
        if self.paused { Self::wanted_while_paused(mask) } else { mask & POLLED }
    }

    #[cold]
    fn wanted_while_paused(mask: c_int) -> c_int {
        match mask & POLLED {
            AE_READABLE => HELD,
            polled => polled & !AE_READABLE,
        }
    }
}

/// How many there are at first.
const FEW: usize = 64;

/// The slots. A descriptor that has none is not watched.
pub(super) struct Slots {
    array: ZeroedArray<Slot>,
    /// What the others have.
    none: Slot,
}

impl Slots {
    pub(super) fn new(setsize: usize) -> Result<Self, Errno> {
        Ok(Self { array: ZeroedArray::new(setsize.min(FEW))?, none: zeroed() })
    }

    /// The slot of a descriptor; for one without it, what is written is forgotten.
    pub(super) fn get(&mut self, fd: c_int) -> &mut Slot {
        match self.array.as_mut_slice().get_mut(fd as usize) {
            Some(slot) => slot,
            None => {
                self.none = zeroed();
                &mut self.none
            }
        }
    }

    /// Gives a descriptor below the set size a slot.
    pub(super) fn make_room(&mut self, fd: c_int, setsize: c_int) -> Result<(), Errno> {
        let (now, needed) = (self.array.len(), fd as usize + 1);
        if needed > now {
            self.array = self.array.resized((now * 2).max(needed).min(setsize as usize), now)?;
        }
        Ok(())
    }

    /// Forgets those at and above a new set size, which nobody watches.
    pub(super) fn forget(&mut self, setsize: usize) {
        for slot in self.array.as_mut_slice().iter_mut().skip(setsize) {
            *slot = zeroed();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grow_keep_and_forget() {
        let mut slots = Slots::new(1000).unwrap();
        assert_eq!(slots.array.len(), FEW);
        slots.get(5).settled = 7;
        slots.get(500).settled = 7;
        assert_eq!(slots.get(500).settled, 0, "it has no slot yet");
        slots.make_room(70, 1000).unwrap();
        assert_eq!(slots.array.len(), 2 * FEW);
        slots.make_room(999, 1000).unwrap();
        assert_eq!(slots.array.len(), 1000);
        slots.get(999).settled = 7;
        slots.forget(900);
        assert_eq!(slots.get(999).settled, 0);
        assert_eq!(slots.get(5).settled, 7);
    }
}
