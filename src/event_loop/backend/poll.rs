//! poll: a dense array of entries, and where each descriptor's is. The first is the loop's waker.

use super::contract::{Applied, Fired, HELD};
use super::mirror::Mirror;
use crate::abi::ae::{AE_READABLE, AE_WRITABLE};
use crate::host::memory::{Zeroable, ZeroedArray};
use crate::sys::poll::{ERROR, HANGUP, INVALID, READ, WRITE, milliseconds, poll};
use crate::sys::{Errno, fd::descriptor_flags};
use core::ffi::{CStr, c_int};
use libc::pollfd;

pub(super) const NAME: &CStr = c"poll";

/// One more than the index of a descriptor's entry, 0 for none.
struct EntryNumber(u32);

// SAFETY: a plain integer.
unsafe impl Zeroable for EntryNumber {}

pub(in crate::event_loop) struct Backend {
    entries: Vec<pollfd>,
    /// One for each descriptor below the set size.
    positions: ZeroedArray<EntryNumber>,
    /// Where the next poll starts to report, so that a full `fired` starves nobody.
    start: usize,
    mirror: Mirror,
}

impl Backend {
    pub(super) fn new(setsize: usize) -> Result<Self, Errno> {
        let mut entries = Vec::new();
        entries.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
        // One below 0 is passed over.
        entries.push(pollfd { fd: -1, events: READ, revents: 0 });
        Ok(Self { entries, positions: ZeroedArray::new(setsize)?, start: 0, mirror: Mirror::default() })
    }

    pub(super) fn poller(&self) -> Option<c_int> {
        None
    }

    pub(super) fn set_waker(&mut self, fd: c_int) -> Result<(), Errno> {
        self.entries[0].fd = fd;
        Ok(())
    }

    pub(super) fn descriptor(&mut self) -> Result<c_int, Errno> {
        let watched = self.entries.iter().map(|entry| {
            let read = if entry.events & READ != 0 { AE_READABLE } else { 0 };
            (entry.fd, if entry.events & WRITE != 0 { read | AE_WRITABLE } else { read })
        });
        self.mirror.descriptor(watched)
    }

    pub(super) fn resize(&mut self, setsize: usize, maxfd: c_int) -> Result<(), Errno> {
        self.positions = self.positions.resized(setsize, (maxfd + 1) as usize)?;
        Ok(())
    }

    fn position(&mut self, fd: c_int) -> &mut u32 {
        &mut self.positions.as_mut_slice()[fd as usize].0
    }

    pub(super) fn apply(&mut self, fd: c_int, old: c_int, new: c_int, heals: bool) -> Result<Applied, Errno> {
        let result = self.change(fd, old, new, heals);
        self.mirror.follow(fd, if result.is_ok() { new } else { 0 });
        result
    }

    fn change(&mut self, fd: c_int, old: c_int, new: c_int, heals: bool) -> Result<Applied, Errno> {
        let mut events = 0;
        if new & AE_READABLE != 0 {
            events |= READ;
        }
        if new & AE_WRITABLE != 0 {
            events |= WRITE;
        }
        let position = *self.position(fd) as usize;
        // poll itself would only say so later.
        let open = if events == 0 { Ok(0) } else { descriptor_flags(fd) };
        if position > 0 && (events == 0 || open.is_err()) {
            self.remove(position - 1);
        }
        open?;
        if events == 0 {
            return Ok(Applied::Changed);
        }
        if position > 0 {
            self.entries[position - 1].events = events;
            return Ok(Applied::Changed);
        }
        if !heals && old != HELD {
            return Err(Errno::ENOENT);
        }
        self.entries.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
        self.entries.push(pollfd { fd, events, revents: 0 });
        *self.position(fd) = self.entries.len() as u32;
        Ok(Applied::Added)
    }

    fn remove(&mut self, index: usize) {
        let removed = self.entries.swap_remove(index);
        *self.position(removed.fd) = 0;
        if let Some(moved) = self.entries.get(index) {
            *self.position(moved.fd) = index as u32 + 1;
        }
    }

    #[inline(never)]
    pub(super) fn poll(&mut self, timeout_us: Option<u64>, mut fired: Fired) -> Result<c_int, Errno> {
        let mut left = poll(&mut self.entries, milliseconds(timeout_us))?;
        if left == 0 {
            return Ok(0);
        }
        let mut closed = false;
        let count = self.entries.len();
        let start = self.start % count;
        for offset in 0..count {
            let index = (start + offset) % count;
            let pollfd { fd, revents, .. } = self.entries[index];
            if revents == 0 {
                continue;
            }
            if fired.is_full() {
                self.start = index;
                break;
            }
            let mut mask = 0;
            if revents & (READ | ERROR | HANGUP) != 0 {
                mask |= AE_READABLE;
            }
            if revents & (WRITE | ERROR | HANGUP) != 0 {
                mask |= AE_WRITABLE;
            }
            if revents & INVALID != 0 {
                closed = true;
            } else {
                fired.push(fd, mask);
            }
            left -= 1;
            if left == 0 {
                break;
            }
        }
        if closed {
            self.drop_closed();
        }
        Ok(fired.count)
    }

    fn drop_closed(&mut self) {
        for index in (1..self.entries.len()).rev() {
            if self.entries[index].revents & INVALID != 0 {
                self.remove(index);
            }
        }
        // A program may close what it does not know.
        if self.entries[0].revents & INVALID != 0 {
            self.entries[0].fd = -1;
        }
    }
}
