//! Reads and writes that wait, over a non-blocking descriptor, with functions that do one read or write of it. Times are milliseconds; one that is over is
//! `ETIMEDOUT`.

use crate::abi::ae::{AE_READABLE, AE_WRITABLE};
use crate::event_loop::wait;
use crate::sys::{Errno, clock};
use core::ffi::{c_int, c_longlong};

/// Until when to wait.
pub(super) struct Deadline(u64);

impl Deadline {
    fn after(timeout: c_longlong) -> Self {
        Self(clock::now_us().saturating_add((timeout.max(0) as u64).saturating_mul(1000)))
    }

    /// How many milliseconds are left, None for no end; `ETIMEDOUT` when none are.
    pub(super) fn left(&self) -> Result<Option<u64>, Errno> {
        match self.0.saturating_sub(clock::now_us()) {
            0 => Err(Errno::ETIMEDOUT),
            _ if self.0 == u64::MAX => Ok(None),
            left => Ok(Some(left.div_ceil(1000))),
        }
    }

    /// The same, but without end for a timeout below 0.
    pub(super) fn unless_below_0(timeout: c_longlong) -> Self {
        if timeout < 0 { Self(u64::MAX) } else { Self::after(timeout) }
    }

    /// Waits until the descriptor is ready, or may be.
    pub(super) fn wait(&self, fd: c_int, mask: c_int) -> Result<(), Errno> {
        let left = self.left()?.unwrap_or(u64::MAX);
        match wait(fd, mask, left.try_into().unwrap_or(c_longlong::MAX)) {
            Ok(_) | Err(Errno::EINTR) => Ok(()),
            Err(errno) => Err(errno),
        }
    }
}

/// Writes all of `data`.
pub(super) fn write(
    fd: c_int,
    data: &[u8],
    timeout: c_longlong,
    mut write: impl FnMut(&[u8]) -> Result<usize, Errno>,
) -> Result<usize, Errno> {
    let deadline = Deadline::after(timeout);
    let mut done = 0;
    while done < data.len() {
        match write(&data[done..]) {
            Ok(count) => done += count,
            Err(Errno::EAGAIN) => deadline.wait(fd, AE_WRITABLE)?,
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(done)
}

/// Fills `buf`; the end of the input before that is `ECONNRESET`.
pub(super) fn read(
    fd: c_int,
    buf: &mut [u8],
    timeout: c_longlong,
    mut read: impl FnMut(&mut [u8]) -> Result<usize, Errno>,
) -> Result<usize, Errno> {
    let deadline = Deadline::after(timeout);
    let mut done = 0;
    while done < buf.len() {
        match read(&mut buf[done..]) {
            Ok(0) => return Err(Errno::ECONNRESET),
            Ok(count) => done += count,
            Err(Errno::EAGAIN) => deadline.wait(fd, AE_READABLE)?,
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(done)
}

/// Reads up to a newline, or as much as fits with a NUL behind it; leaves the line without the newline and a
/// carriage return before it, terminated. Returns the length, in which that carriage return counts as it does
/// upstream. The time is for each byte.
pub(super) fn read_line(
    fd: c_int,
    buf: &mut [u8],
    timeout: c_longlong,
    mut read_some: impl FnMut(&mut [u8]) -> Result<usize, Errno>,
) -> Result<usize, Errno> {
    let room = buf.len().checked_sub(1).ok_or(Errno::EINVAL)?;
    let mut len = 0;
    while len < room {
        // One by one: what follows the line belongs to the next read.
        read(fd, &mut buf[len..=len], timeout, &mut read_some)?;
        if buf[len] == b'\n' {
            if len > 0 && buf[len - 1] == b'\r' {
                buf[len - 1] = 0;
            }
            break;
        }
        len += 1;
    }
    buf[len] = 0;
    Ok(len)
}
