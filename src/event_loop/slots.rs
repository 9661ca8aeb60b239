//! What the loop keeps for each descriptor beside its `aeFileEvent`: as many as the highest descriptor that has been
//! watched needs, so that a large set costs nothing until it is used.

use super::file_events::Slot;
use crate::host::memory::{ZeroedArray, zeroed};
use crate::sys::Errno;
use core::ffi::c_int;

/// So many there are at first.
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
