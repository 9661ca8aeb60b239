//! A poller of the kernel's that follows what poll or select watches, for those who wait for one descriptor instead.

use crate::abi::ae::{AE_READABLE, AE_WRITABLE};
#[cfg(poller = "epoll")]
use crate::sys::epoll::{self, Change, Events};
#[cfg(poller = "kqueue")]
use crate::sys::kqueue::{self, Action};
use crate::sys::{Errno, fd};
use core::ffi::c_int;

/// The poller, once somebody has asked for it.
#[derive(Default)]
pub(super) struct Mirror(Option<c_int>);

impl Mirror {
    /// The poller, which watches what is `watched`, descriptors with their masks, when it is made. A file that the
    /// kernel does not poll, because it is always ready, is left out.
    #[cfg(not(poller = "none"))]
    pub(super) fn descriptor(&mut self, watched: impl Iterator<Item = (c_int, c_int)>) -> Result<c_int, Errno> {
        if let Some(poller) = self.0 {
            return Ok(poller);
        }
        #[cfg(poller = "epoll")]
        let poller = epoll::create()?;
        #[cfg(poller = "kqueue")]
        let poller = kqueue::create()?;
        self.0 = Some(poller);
        watched.for_each(|(fd, mask)| self.follow(fd, mask));
        Ok(poller)
    }

    /// There is none that could be waited for.
    #[cfg(poller = "none")]
    pub(super) fn descriptor(&mut self, _watched: impl Iterator<Item = (c_int, c_int)>) -> Result<c_int, Errno> {
        Err(Errno::EOPNOTSUPP)
    }

    /// Watches a descriptor for what the mask says, and nothing else.
    pub(super) fn follow(&mut self, fd: c_int, mask: c_int) {
        if let Some(poller) = self.0 {
            Self::tell(poller, fd, mask & (AE_READABLE | AE_WRITABLE));
        }
    }

    #[cfg(poller = "epoll")]
    #[cold]
    fn tell(poller: c_int, fd: c_int, mask: c_int) {
        let mut events: Events = 0;
        if mask & AE_READABLE != 0 {
            events |= epoll::READ;
        }
        if mask & AE_WRITABLE != 0 {
            events |= epoll::WRITE;
        }
        if events == 0 {
            // It fails for what was left out, or has been closed.
            let _ = epoll::control(poller, Change::Delete, fd, 0);
        } else if epoll::control(poller, Change::Modify, fd, events).is_err() {
            let _ = epoll::control(poller, Change::Add, fd, events);
        }
    }

    #[cfg(poller = "kqueue")]
    #[cold]
    fn tell(poller: c_int, fd: c_int, mask: c_int) {
        for (bit, filter) in [(AE_READABLE, kqueue::READ), (AE_WRITABLE, kqueue::WRITE)] {
            let action = if mask & bit != 0 { Action::Add } else { Action::Delete };
            // It fails for what was left out, has been closed, or is not watched.
            let _ = kqueue::submit(poller, &[kqueue::change(fd, filter, action)]);
        }
    }

    #[cfg(poller = "none")]
    fn tell(_poller: c_int, _fd: c_int, _mask: c_int) {}
}

impl Drop for Mirror {
    fn drop(&mut self) {
        if let Some(poller) = self.0 {
            // Nothing is left to do when it fails.
            let _ = fd::close(poller);
        }
    }
}
