//! poll: a dense array of entries, and where each descriptor's is.

use super::{Applied, Fired, milliseconds};
use crate::abi::ae::{AE_READABLE, AE_WRITABLE};
use crate::sys::poll::{ERROR, HANGUP, INVALID, READ, WRITE, poll};
use crate::sys::{Errno, fd::descriptor_flags};
use core::ffi::{CStr, c_int};
use libc::pollfd;

pub(super) const NAME: &CStr = c"poll";

pub(in crate::event_loop) struct Backend {
    entries: Vec<pollfd>,
    /// For each descriptor one more than the index of its entry, 0 for none.
    positions: Vec<u32>,
    /// Where the next poll starts to report, so that a full `fired` starves nobody.
    start: usize,
}

impl Backend {
    pub(super) fn new(setsize: usize) -> Result<Self, Errno> {
        let mut backend = Self { entries: Vec::new(), positions: Vec::new(), start: 0 };
        backend.resize(setsize, -1)?;
        Ok(backend)
    }

    pub(super) fn resize(&mut self, setsize: usize, _maxfd: c_int) -> Result<(), Errno> {
        let more = setsize.saturating_sub(self.positions.len());
        self.positions.try_reserve_exact(more).map_err(|_| Errno::ENOMEM)?;
        self.positions.resize(setsize, 0);
        Ok(())
    }

    pub(super) fn apply(&mut self, fd: c_int, _old: c_int, new: c_int) -> Result<Applied, Errno> {
        let mut events = 0;
        if new & AE_READABLE != 0 {
            events |= READ;
        }
        if new & AE_WRITABLE != 0 {
            events |= WRITE;
        }
        let position = self.positions[fd as usize] as usize;
        if new == 0 {
            if position > 0 {
                self.remove(position - 1);
            }
            return Ok(Applied::Changed);
        }
        // poll itself would only say so later.
        descriptor_flags(fd)?;
        if position > 0 {
            self.entries[position - 1].events = events;
            return Ok(Applied::Changed);
        }
        self.entries.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
        self.entries.push(pollfd { fd, events, revents: 0 });
        self.positions[fd as usize] = self.entries.len() as u32;
        Ok(Applied::Added)
    }

    fn remove(&mut self, index: usize) {
        let removed = self.entries.swap_remove(index);
        self.positions[removed.fd as usize] = 0;
        if let Some(moved) = self.entries.get(index) {
            self.positions[moved.fd as usize] = index as u32 + 1;
        }
    }

    pub(super) fn poll(&mut self, timeout_us: Option<u64>, fired: &mut Fired) -> Result<(), Errno> {
        let mut left = poll(&mut self.entries, milliseconds(timeout_us))?;
        if left == 0 {
            return Ok(());
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
        Ok(())
    }

    fn drop_closed(&mut self) {
        for index in (0..self.entries.len()).rev() {
            if self.entries[index].revents & INVALID != 0 {
                self.remove(index);
            }
        }
    }
}
