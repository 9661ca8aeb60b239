//! select, for any number of descriptors.

use super::contract::{Applied, Fired, HELD};
use super::mirror::Mirror;
use crate::abi::ae::{AE_READABLE, AE_WRITABLE};
use crate::sys::poll::{FdSet, select};
use crate::sys::{Errno, fd::descriptor_flags};
use core::ffi::{CStr, c_int};
use core::time::Duration;

pub(super) const NAME: &CStr = c"select";

pub(in crate::event_loop) struct Backend {
    /// What is watched.
    read: FdSet,
    write: FdSet,
    /// What was found ready.
    ready_read: FdSet,
    ready_write: FdSet,
    /// One more than the highest descriptor that is watched.
    end: usize,
    /// Where the next poll starts to report, so that a full `fired` starves nobody.
    start: usize,
    /// The loop's waker, -1 before there is one.
    waker: c_int,
    mirror: Mirror,
}

impl Backend {
    pub(super) fn new(setsize: usize) -> Result<Self, Errno> {
        let none = FdSet::default;
        let mut backend = Self {
            read: none(),
            write: none(),
            ready_read: none(),
            ready_write: none(),
            end: 0,
            start: 0,
            waker: -1,
            mirror: Mirror::default(),
        };
        backend.resize(setsize, -1)?;
        Ok(backend)
    }

    pub(super) fn resize(&mut self, setsize: usize, _maxfd: c_int) -> Result<(), Errno> {
        let end_of_waker = (self.waker + 1) as usize;
        for set in [&mut self.read, &mut self.write, &mut self.ready_read, &mut self.ready_write] {
            set.resize(setsize.max(end_of_waker))?;
        }
        Ok(())
    }

    pub(super) fn poller(&self) -> Option<c_int> {
        None
    }

    pub(super) fn set_waker(&mut self, fd: c_int) -> Result<(), Errno> {
        for set in [&mut self.read, &mut self.write, &mut self.ready_read, &mut self.ready_write] {
            set.make_room(fd as usize)?;
        }
        self.waker = fd;
        self.set(fd as usize, true, false);
        Ok(())
    }

    pub(super) fn descriptor(&mut self) -> Result<c_int, Errno> {
        let (read, write) = (&self.read, &self.write);
        let watched = (0..self.end).filter_map(|fd| {
            let mask =
                if read.contains(fd) { AE_READABLE } else { 0 } | if write.contains(fd) { AE_WRITABLE } else { 0 };
            (mask != 0).then_some((fd as c_int, mask))
        });
        self.mirror.descriptor(watched)
    }

    pub(super) fn apply(&mut self, fd: c_int, old: c_int, new: c_int, heals: bool) -> Result<Applied, Errno> {
        let result = self.change(fd, old, new, heals);
        self.mirror.follow(fd, if result.is_ok() { new } else { 0 });
        result
    }

    fn change(&mut self, fd: c_int, old: c_int, new: c_int, heals: bool) -> Result<Applied, Errno> {
        let (read, write) = (new & AE_READABLE != 0, new & AE_WRITABLE != 0);
        let known = self.watches(fd as usize);
        let open = match read || write {
            false => Ok(0),
            true if !known && !heals && old != HELD => Err(Errno::ENOENT),
            // select itself would only say so later.
            true => descriptor_flags(fd),
        };
        self.set(fd as usize, read && open.is_ok(), write && open.is_ok());
        open.map(|_| if known { Applied::Changed } else { Applied::Added })
    }

    fn watches(&self, fd: usize) -> bool {
        self.read.contains(fd) || self.write.contains(fd)
    }

    fn set(&mut self, fd: usize, read: bool, write: bool) {
        self.read.set(fd, read);
        self.write.set(fd, write);
        if read || write {
            self.end = self.end.max(fd + 1);
        } else {
            while self.end > 0 && !self.watches(self.end - 1) {
                self.end -= 1;
            }
        }
    }

    #[inline(never)]
    pub(super) fn poll(&mut self, timeout_us: Option<u64>, mut fired: Fired) -> Result<c_int, Errno> {
        let ready = loop {
            self.ready_read.copy_from(&self.read, self.end);
            self.ready_write.copy_from(&self.write, self.end);
            let timeout = timeout_us.map(Duration::from_micros);
            match select(self.end, &mut self.ready_read, &mut self.ready_write, timeout) {
                // A watched descriptor was closed; epoll would have dropped it too.
                Err(Errno::EBADF) => self.drop_closed(),
                result => break result?,
            }
        };
        if ready == 0 {
            return Ok(0);
        }
        let start = self.start;
        for offset in 0..self.end {
            let fd = (start + offset) % self.end;
            let mut mask = 0;
            if self.ready_read.contains(fd) {
                mask |= AE_READABLE;
            }
            if self.ready_write.contains(fd) {
                mask |= AE_WRITABLE;
            }
            if mask == 0 {
                continue;
            }
            if fired.is_full() {
                self.start = fd;
                break;
            }
            fired.push(fd as c_int, mask);
        }
        Ok(fired.count)
    }

    fn drop_closed(&mut self) {
        for fd in 0..self.end {
            if self.watches(fd) && descriptor_flags(fd as c_int).is_err() {
                self.set(fd, false, false);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_that_of_what_is_watched() {
        let mut backend = Backend::new(4096).unwrap();
        backend.set(0, true, false);
        backend.set(2000, true, true);
        backend.set(2000, false, true);
        assert_eq!(backend.end, 2001);
        backend.set(2000, false, false);
        assert_eq!(backend.end, 1);
        // Nobody has opened it.
        backend.set(3000, true, false);
        backend.drop_closed();
        assert_eq!(backend.end, 1);
        // So that a smaller set has room for all.
        backend.resize(64, 0).unwrap();
        backend.ready_read.copy_from(&backend.read, backend.end);
        assert!(backend.ready_read.contains(0));
    }
}
