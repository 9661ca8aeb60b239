//! epoll.

use super::contract::{Applied, Fired, HELD};
use crate::abi::ae::{AE_READABLE, AE_WRITABLE, aeFiredEvent};
use crate::host::memory::{Zeroable, ZeroedArray};
use crate::sys::epoll::{self, Change, Events};
use crate::sys::{Errno, fd};
use core::ffi::{CStr, c_int};

pub(super) const NAME: &CStr = c"epoll";

/// The most that one call may be asked for (the kernel's own bound on the buffer).
const MAX_EVENTS: usize = i32::MAX as usize / size_of::<libc::epoll_event>();

// SAFETY: plain integers.
unsafe impl Zeroable for libc::epoll_event {}

pub(in crate::event_loop) struct Backend {
    epoll: c_int,
    events: ZeroedArray<libc::epoll_event>,
}

impl Backend {
    pub(super) fn new(setsize: usize) -> Result<Self, Errno> {
        let events = ZeroedArray::new(setsize.min(MAX_EVENTS))?;
        Ok(Self { epoll: epoll::create()?, events })
    }

    pub(super) fn resize(&mut self, setsize: usize, _maxfd: c_int) -> Result<(), Errno> {
        self.events = ZeroedArray::new(setsize.min(MAX_EVENTS))?;
        Ok(())
    }

    pub(super) fn poller(&self) -> Option<c_int> {
        Some(self.epoll)
    }

    pub(super) fn set_waker(&mut self, fd: c_int) -> Result<(), Errno> {
        watch(self.epoll, fd)
    }

    pub(super) fn descriptor(&mut self) -> Result<c_int, Errno> {
        Ok(self.epoll)
    }

    #[inline(always)]
    pub(super) fn apply(&mut self, fd: c_int, old: c_int, new: c_int, heals: bool) -> Result<Applied, Errno> {
        let mut events: Events = 0;
        if new & AE_READABLE != 0 {
            events |= epoll::READ;
        }
        if new & AE_WRITABLE != 0 {
            events |= epoll::WRITE;
        }
        if new == HELD {
            // Errors and hang-ups are told whatever is asked for, but once at most.
            events |= epoll::ONCE;
        }
        if new == 0 {
            return epoll::control(self.epoll, Change::Delete, fd, 0).map(|()| Applied::Changed);
        }
        let (first, mut applied) =
            if old == 0 { (Change::Add, Applied::Added) } else { (Change::Modify, Applied::Changed) };
        match (first, epoll::control(self.epoll, first, fd, events)) {
            // The descriptor was closed, which removed it, and is another file now.
            (Change::Modify, Err(Errno::ENOENT)) if heals => {
                applied = Applied::Added;
                epoll::control(self.epoll, Change::Add, fd, events)?;
            }
            // The descriptor was closed while a copy of it, in a child process say, kept it here.
            (Change::Add, Err(Errno::EEXIST)) => epoll::control(self.epoll, Change::Modify, fd, events)?,
            (_, result) => result?,
        }
        Ok(applied)
    }

    #[inline(always)]
    pub(super) fn poll(&mut self, timeout_us: Option<u64>, fired: Fired) -> Result<c_int, Errno> {
        let capacity = fired.capacity.min(self.events.len() as c_int);
        let events = self.events.as_mut_ptr();
        // SAFETY: the buffer has that room.
        let count = unsafe { epoll::wait(self.epoll, events, capacity, timeout_us) }?;
        Ok(fired.fill(count, |index| {
            // SAFETY: the kernel filled `count` elements.
            let event = unsafe { events.add(index).read() };
            aeFiredEvent { fd: event.u64 as c_int, mask: MASKS[event.events as usize % MASKS.len()].into() }
        }))
    }
}

/// Has a poller watch one more descriptor for readable.
pub(super) fn watch(poller: c_int, fd: c_int) -> Result<(), Errno> {
    epoll::control(poller, Change::Add, fd, epoll::READ)
}

/// What each combination of the kernel's event bits fires as.
const MASKS: [u8; 32] = {
    let mut masks = [0; 32];
    let mut events = 0;
    while events < masks.len() {
        let bits = events as Events;
        let failed = bits & (epoll::ERROR | epoll::HANGUP) != 0;
        if failed || bits & epoll::READ != 0 {
            masks[events] |= AE_READABLE as u8;
        }
        if failed || bits & epoll::WRITE != 0 {
            masks[events] |= AE_WRITABLE as u8;
        }
        events += 1;
    }
    masks
};
const _: () = assert!(epoll::READ | epoll::WRITE | epoll::ERROR | epoll::HANGUP < MASKS.len() as Events);

impl Drop for Backend {
    fn drop(&mut self) {
        // Nothing is left to do when it fails.
        let _ = fd::close(self.epoll);
    }
}
