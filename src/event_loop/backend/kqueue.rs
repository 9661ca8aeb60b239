//! kqueue.

use super::contract::{Applied, Fired, HELD};
use crate::abi::ae::{AE_READABLE, AE_WRITABLE};
use crate::host::memory::{Zeroable, ZeroedArray};
use crate::sys::kqueue::{self, Action, Event, READ, WRITE};
use crate::sys::{Errno, fd};
use core::ffi::{CStr, c_int};
use core::mem::take;
use core::time::Duration;

pub(super) const NAME: &CStr = c"kqueue";

const FILTERS: [(c_int, i16); 2] = [(AE_READABLE, READ), (AE_WRITABLE, WRITE)];

// SAFETY: plain integers and a pointer.
unsafe impl Zeroable for Event {}

/// What fired for a descriptor in the running poll, between polls 0.
struct Mask(u8);

// SAFETY: a plain integer.
unsafe impl Zeroable for Mask {}

pub(in crate::event_loop) struct Backend {
    queue: c_int,
    events: ZeroedArray<Event>,
    /// One for each descriptor: the two filters come as two events, and the order of the handlers is decided on both.
    masks: ZeroedArray<Mask>,
}

impl Backend {
    pub(super) fn new(setsize: usize) -> Result<Self, Errno> {
        let (events, masks) = Self::arrays(setsize)?;
        Ok(Self { queue: kqueue::create()?, events, masks })
    }

    pub(super) fn resize(&mut self, setsize: usize, _maxfd: c_int) -> Result<(), Errno> {
        (self.events, self.masks) = Self::arrays(setsize)?;
        Ok(())
    }

    fn arrays(setsize: usize) -> Result<(ZeroedArray<Event>, ZeroedArray<Mask>), Errno> {
        Ok((ZeroedArray::new(setsize)?, ZeroedArray::new(setsize)?))
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
        match self.switch(fd, old, new) {
            // The descriptor was closed, which removed it, and is another file now.
            Err(Errno::ENOENT) if heals && old != 0 && new != 0 => self.switch(fd, 0, new).map(|()| Applied::Added),
            result => result.map(|()| if old == 0 { Applied::Added } else { Applied::Changed }),
        }
    }

    /// Changes what a descriptor is watched for; `ENOENT` if what the kernel has under this number is another file than
    /// that which is watched for `old`.
    fn switch(&self, fd: c_int, old: c_int, new: c_int) -> Result<(), Errno> {
        let (had, has) = (filters(old), filters(new));
        let mut changes = [kqueue::change(fd, READ, Action::Add); FILTERS.len()];
        let mut count = 0;
        let mut note = |filter, action| {
            changes[count] = kqueue::change(fd, filter, action);
            count += 1;
        };
        // What should be there goes first. The kernel stops at the first change that fails, so that it adds nothing for
        // a file that it does not know.
        for (bit, filter) in FILTERS {
            match (had & bit != 0, has & bit != 0) {
                (true, true) => note(filter, if new == HELD { Action::Hold } else { Action::Release }),
                (true, false) => note(filter, Action::Delete),
                (false, _) => {}
            }
        }
        for (bit, filter) in FILTERS {
            if has & !had & bit != 0 {
                note(filter, if new == HELD { Action::AddHeld } else { Action::Add });
            }
        }
        kqueue::submit(self.queue, &changes[..count]).inspect_err(|_| {
            if old == 0 {
                // What has been added before goes as well.
                let _ = kqueue::submit(self.queue, &[kqueue::change(fd, READ, Action::Delete)]);
            } else if new == 0 {
                let _ = kqueue::submit(self.queue, &changes[1..count]);
            }
        })
    }

    pub(super) fn poll(&mut self, timeout_us: Option<u64>, mut fired: Fired) -> Result<c_int, Errno> {
        // The kernel goes on with what does not fit. If that is one event of a pair, the next poll fires it by itself.
        let capacity = (fired.capacity as usize).min(self.events.len());
        let events = &mut self.events.as_mut_slice()[..capacity];
        let count = kqueue::wait(self.queue, events, timeout_us.map(Duration::from_micros))?;
        let (events, masks) = (&events[..count], self.masks.as_mut_slice());
        for event in events {
            if let Some(mask) = masks.get_mut(event.ident as usize) {
                mask.0 |= fires(event);
            }
        }
        for event in events {
            // The loop's own descriptors may be above the set size.
            let mask = masks.get_mut(event.ident as usize).map_or(AE_READABLE as u8, |mask| take(&mut mask.0));
            if mask != 0 {
                fired.push(event.ident as c_int, mask.into());
            }
        }
        Ok(fired.count)
    }
}

/// The filters that a mask stands for: a held descriptor has one that does not fire.
fn filters(mask: c_int) -> c_int {
    if mask == HELD { AE_READABLE } else { mask }
}

/// What an event fires as.
fn fires(event: &Event) -> u8 {
    let mask = match event.filter as i16 {
        _ if kqueue::is_failure(event) => AE_READABLE | AE_WRITABLE,
        READ => AE_READABLE,
        _ => AE_WRITABLE,
    };
    mask as u8
}

/// Has a queue watch one more descriptor for readable.
pub(super) fn watch(queue: c_int, fd: c_int) -> Result<(), Errno> {
    kqueue::submit(queue, &[kqueue::change(fd, READ, Action::Add)])
}

impl Drop for Backend {
    fn drop(&mut self) {
        // Nothing is left to do when it fails.
        let _ = fd::close(self.queue);
    }
}
