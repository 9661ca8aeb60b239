//! The descriptors of high priority: besides being in the loop's backend, as all are, they are in a second instance of
//! the same kind, so that they can be asked for alone.

use super::backend::{Backend, Fired};
use super::slots::Slot;
use crate::abi::ae::{AE_HIGH_PRIORITY, aeFiredEvent};
use crate::sys::Errno;
use core::ffi::{CStr, c_int};

pub(super) struct HighPriority {
    /// None until the first is created.
    backend: Option<Backend>,
    /// How many there are.
    pub(super) count: u32,
}

impl HighPriority {
    pub(super) fn new() -> Self {
        Self { backend: None, count: 0 }
    }

    /// Whether there has been any.
    #[inline(always)]
    pub(super) fn is_there(&self) -> bool {
        self.backend.is_some()
    }

    /// Makes room for some, below `setsize`.
    #[cold]
    pub(super) fn make(&mut self, name: &CStr, setsize: c_int) -> Result<(), Errno> {
        if self.backend.is_none() {
            self.backend = Some(Backend::new(name, setsize as usize)?);
        }
        Ok(())
    }

    /// Watches a descriptor, whose event's mask is `mask`, if it is of high priority, and else not. Only with `creates`
    /// may its file be added.
    #[cold]
    pub(super) fn watch(&mut self, fd: c_int, mask: c_int, slot: &mut Slot, creates: bool) -> Result<(), Errno> {
        let Some(backend) = &mut self.backend else { return Ok(()) };
        let (wanted, told) = (if mask & AE_HIGH_PRIORITY != 0 { slot.wanted(mask) } else { 0 }, c_int::from(slot.high));
        if told == 0 && (wanted == 0 || !creates) {
            return Ok(());
        }
        let result = backend.apply(fd, told, wanted, creates);
        if result.is_ok() || wanted == 0 {
            slot.high = wanted as u8;
            self.count = self.count + u32::from(told == 0) - u32::from(wanted == 0);
        }
        result.map(drop)
    }

    /// Changes the set size together with the loop's backend: what `resize_other` does happens to both or to neither.
    pub(super) fn resize(
        &mut self,
        size: usize,
        maxfd: c_int,
        grows: bool,
        resize_other: impl FnOnce() -> Result<(), Errno>,
    ) -> Result<(), Errno> {
        let Some(backend) = &mut self.backend else { return resize_other() };
        if grows {
            // Too large does no harm.
            backend.resize(size, maxfd)?;
            return resize_other();
        }
        resize_other()?;
        let _ = backend.resize(size, maxfd);
        Ok(())
    }

    /// Stores those that are ready now, as far as there is room, and says how many.
    #[cold]
    #[inline(never)]
    pub(super) fn poll(&mut self, fired: &mut [aeFiredEvent]) -> Result<c_int, Errno> {
        let Some(backend) = &mut self.backend else { return Ok(0) };
        // SAFETY: the room is there while this runs.
        backend.poll(Some(0), unsafe { Fired::new(fired.as_mut_ptr(), fired.len()) })
    }
}
