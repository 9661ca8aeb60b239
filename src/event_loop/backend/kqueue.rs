//! kqueue.

use super::contract::{Applied, Fired};
use crate::abi::ae::{AE_READABLE, AE_WRITABLE};
use crate::host::memory::{Zeroable, ZeroedArray};
use crate::sys::kqueue::{self, READ, WRITE};
use crate::sys::{Errno, fd};
use core::ffi::{CStr, c_int};
use core::time::Duration;

pub(super) const NAME: &CStr = c"kqueue";

// SAFETY: plain integers and a pointer.
unsafe impl Zeroable for libc::kevent {}

pub(in crate::event_loop) struct Backend {
    queue: c_int,
    /// Room for a read and a write event of every descriptor.
    events: ZeroedArray<libc::kevent>,
    /// What fired for each descriptor in the running poll: the two filters come as two events, and the order
    /// of the handlers is decided on both.
    masks: Vec<u8>,
}

impl Backend {
    pub(super) fn new(setsize: usize) -> Result<Self, Errno> {
        let mut backend = Self { queue: -1, events: ZeroedArray::new(1)?, masks: Vec::new() };
        backend.resize(setsize, -1)?;
        backend.queue = kqueue::create()?;
        Ok(backend)
    }

    pub(super) fn resize(&mut self, setsize: usize, _maxfd: c_int) -> Result<(), Errno> {
        self.masks.try_reserve_exact(setsize.saturating_sub(self.masks.len())).map_err(|_| Errno::ENOMEM)?;
        self.events = ZeroedArray::new(setsize.saturating_mul(2).min(c_int::MAX as usize))?;
        self.masks.resize(setsize, 0);
        Ok(())
    }

    pub(super) fn poller(&self) -> Option<c_int> {
        Some(self.queue)
    }

    pub(super) fn set_waker(&mut self, fd: c_int) -> Result<(), Errno> {
        watch(self.queue, fd)
    }

    pub(super) fn descriptor(&mut self) -> Result<c_int, Errno> {
        Ok(self.queue)
    }

    pub(super) fn apply(&mut self, fd: c_int, old: c_int, new: c_int, heals: bool) -> Result<Applied, Errno> {
        for (bit, filter) in [(AE_READABLE, READ), (AE_WRITABLE, WRITE)] {
            if new & bit != 0 {
                // Adding what is there already changes nothing, and renews it for a descriptor opened again.
                if heals || old & bit == 0 {
                    kqueue::change(self.queue, fd, filter, true).inspect_err(|_| {
                        // What this call has added before goes with it.
                        if bit == AE_WRITABLE && new & !old & AE_READABLE != 0 {
                            let _ = kqueue::change(self.queue, fd, READ, false);
                        }
                    })?;
                }
            } else if old & bit != 0 {
                match kqueue::change(self.queue, fd, filter, false) {
                    Err(Errno::ENOENT) => {}
                    result => result?,
                }
            }
        }
        Ok(if old == 0 { Applied::Added } else { Applied::Changed })
    }

    pub(super) fn poll(&mut self, timeout_us: Option<u64>, mut fired: Fired) -> Result<c_int, Errno> {
        let capacity = fired.capacity.min(self.events.len() as c_int);
        let events = self.events.as_mut_ptr();
        // SAFETY: the buffer has that room.
        let count = unsafe { kqueue::wait(self.queue, events, capacity, timeout_us.map(Duration::from_micros)) }?;
        // SAFETY: the kernel filled `count` elements.
        let events = unsafe { core::slice::from_raw_parts(events, count) };
        for event in events {
            if let Some(mask) = self.masks.get_mut(event.ident as usize) {
                *mask |= fires(event.filter as i16, event.flags as u32);
            }
        }
        for event in events {
            // The loop's own descriptors may be above the set size.
            let mask = self.masks.get_mut(event.ident as usize).map_or(AE_READABLE as u8, core::mem::take);
            if mask != 0 {
                fired.push(event.ident as c_int, mask.into());
            }
        }
        Ok(fired.count)
    }
}

/// What an event of a filter fires as. Each filter tells of the end by itself, and only if it is watched.
fn fires(filter: i16, flags: u32) -> u8 {
    let mask = match filter {
        _ if flags & kqueue::ERROR_OR_END != 0 => AE_READABLE | AE_WRITABLE,
        READ => AE_READABLE,
        _ => AE_WRITABLE,
    };
    mask as u8
}

/// Has a queue watch one more descriptor for readable.
pub(super) fn watch(queue: c_int, fd: c_int) -> Result<(), Errno> {
    kqueue::change(queue, fd, READ, true)
}

impl Drop for Backend {
    fn drop(&mut self) {
        if self.queue != -1 {
            // Nothing is left to do when it fails.
            let _ = fd::close(self.queue);
        }
    }
}
