//! A descriptor that any thread can make readable: an eventfd, elsewhere the two ends of a pipe.

use super::{Errno, fd};
use core::ffi::c_int;

/// The end that becomes readable, and the one that is written to: on Linux they are one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Waker {
    pub(crate) read: c_int,
    pub(crate) write: c_int,
}

impl Waker {
    /// Both ends are close-on-exec and do not block.
    pub(crate) fn new() -> Result<Self, Errno> {
        #[cfg(poller = "epoll")]
        {
            // SAFETY: takes no pointer.
            let fd = Errno::result(unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) })?;
            Ok(Self { read: fd, write: fd })
        }
        #[cfg(not(poller = "epoll"))]
        {
            let [read, write] = fd::pipe()?;
            let waker = Self { read, write };
            for end in [read, write] {
                let nonblocking =
                    fd::status_flags(end).and_then(|flags| fd::set_status_flags(end, flags | libc::O_NONBLOCK));
                nonblocking.inspect_err(|_| waker.close())?;
            }
            Ok(waker)
        }
    }

    /// The same with its readable end under a number from `least` on, if there is one.
    pub(crate) fn numbered_from(self, least: c_int) -> Self {
        let Self { read, write } = self;
        let moved = fd::numbered_from(read, least);
        Self { read: moved, write: if read == write { moved } else { write } }
    }

    /// Makes it readable. A signal handler may do so, as far as errno is not looked at.
    pub(crate) fn wake(self) -> Result<(), Errno> {
        loop {
            // What an eventfd takes; of a pipe it is so many bytes.
            match fd::write_from(self.write, &1u64.to_ne_bytes()) {
                Err(Errno::EINTR) => {}
                // As much has been written as there is room for: it is readable.
                Err(Errno::EAGAIN) => return Ok(()),
                result => return result.map(drop),
            }
        }
    }

    /// Makes it unreadable again.
    pub(crate) fn clear(self) {
        let mut room = [0; 1024];
        // An eventfd gives its eight bytes and is at its end; a pipe is when it does not fill the room.
        while fd::read_into(self.read, &mut room).is_ok_and(|count| count == room.len()) {}
    }

    pub(crate) fn close(self) {
        // Nothing is left to do when it fails.
        let _ = fd::close(self.read);
        if self.write != self.read {
            let _ = fd::close(self.write);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::poll::{READ, poll};

    fn is_readable(waker: Waker) -> bool {
        let mut entries = [libc::pollfd { fd: waker.read, events: READ, revents: 0 }];
        poll(&mut entries, 0).unwrap() == 1
    }

    #[test]
    fn many_wakes_are_one_and_one_clear_ends_them() {
        let waker = Waker::new().unwrap();
        assert!(!is_readable(waker));
        for _ in 0..100_000 {
            waker.wake().unwrap();
        }
        assert!(is_readable(waker));
        waker.clear();
        assert!(!is_readable(waker));
        waker.clear();
        waker.wake().unwrap();
        assert!(is_readable(waker));
        waker.close();
    }
}
