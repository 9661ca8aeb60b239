//! The table's reads and writes that wait, over a non-blocking descriptor, for every type that can read and write once.
//! Times are milliseconds; one that is over is `ETIMEDOUT`.

use crate::abi::ae::{AE_READABLE, AE_WRITABLE};
use crate::abi::connection::connection;
use crate::event_loop::wait;
use crate::sys::errno::call;
use crate::sys::{Errno, clock};
use core::ffi::{c_char, c_int, c_longlong};

/// Until when to wait.
pub(super) struct Deadline(u64);

impl Deadline {
    fn after(timeout: c_longlong) -> Self {
        Self(clock::now_us().saturating_add((timeout.max(0) as u64).saturating_mul(1000)))
    }

    /// How many milliseconds are left, None for forever; `ETIMEDOUT` when none are.
    pub(super) fn left(&self) -> Result<Option<u64>, Errno> {
        match self.0.saturating_sub(clock::now_us()) {
            0 => Err(Errno::ETIMEDOUT),
            _ if self.0 == u64::MAX => Ok(None),
            left => Ok(Some(left.div_ceil(1000))),
        }
    }

    /// As [`Deadline::after`], but never for a timeout below 0.
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

/// How a type of connection reads and writes once, without waiting.
pub(super) trait SyncStream {
    /// Reads what is there; 0 is the end.
    ///
    /// # Safety
    /// `conn` is a live connection of the type that no other thread uses.
    unsafe fn read(conn: *mut connection, room: &mut [u8]) -> Result<usize, Errno>;

    /// # Safety
    /// As for [`SyncStream::read`].
    unsafe fn write(conn: *mut connection, data: &[u8]) -> Result<usize, Errno>;
}

/// The table's `sync_write`: writes all of `size` bytes.
pub(super) unsafe extern "C" fn write<S: SyncStream>(
    conn: *mut connection,
    ptr: *mut c_char,
    size: isize,
    timeout: c_longlong,
) -> isize {
    // SAFETY: called through a live connection's table with that much data.
    unsafe {
        synced(conn, ptr, size, |fd, data| {
            let deadline = Deadline::after(timeout);
            let mut done = 0;
            while done < data.len() {
                match S::write(conn, &data[done..]) {
                    Ok(count) => done += count,
                    Err(Errno::EAGAIN) => deadline.wait(fd, AE_WRITABLE)?,
                    Err(Errno::EINTR) => {}
                    Err(errno) => return Err(errno),
                }
            }
            Ok(done)
        })
    }
}

/// The table's `sync_read`: reads `size` bytes; the end of the input before that is `ECONNRESET`.
pub(super) unsafe extern "C" fn read<S: SyncStream>(
    conn: *mut connection,
    ptr: *mut c_char,
    size: isize,
    timeout: c_longlong,
) -> isize {
    // SAFETY: called through a live connection's table with that much room.
    unsafe { synced(conn, ptr, size, |fd, room| fill::<S>(conn, fd, room, timeout)) }
}

/// The table's `sync_readline`: reads up to a newline, or as much as fits with a NUL behind it. Leaves the line without
/// the newline and a carriage return before it, terminated. Returns the length, in which that carriage return counts as
/// it does upstream. The time is for each byte.
pub(super) unsafe extern "C" fn readline<S: SyncStream>(
    conn: *mut connection,
    ptr: *mut c_char,
    size: isize,
    timeout: c_longlong,
) -> isize {
    // SAFETY: called through a live connection's table with that much room.
    unsafe {
        synced(conn, ptr, size, |fd, buf| {
            let room = buf.len().checked_sub(1).ok_or(Errno::EINVAL)?;
            let mut len = 0;
            while len < room {
                // One by one: what follows the line belongs to the next read.
                fill::<S>(conn, fd, &mut buf[len..=len], timeout)?;
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
        })
    }
}

/// Fills the room.
///
/// # Safety
/// As for [`SyncStream::read`]; `fd` is the connection's.
unsafe fn fill<S: SyncStream>(
    conn: *mut connection,
    fd: c_int,
    room: &mut [u8],
    timeout: c_longlong,
) -> Result<usize, Errno> {
    let deadline = Deadline::after(timeout);
    let mut done = 0;
    while done < room.len() {
        // SAFETY: by this function's own contract.
        match unsafe { S::read(conn, &mut room[done..]) } {
            Ok(0) => return Err(Errno::ECONNRESET),
            Ok(count) => done += count,
            Err(Errno::EAGAIN) => deadline.wait(fd, AE_READABLE)?,
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(done)
}

/// Runs a sync call with the connection's descriptor and the buffer, which must be there (`EINVAL`); notes its error.
///
/// # Safety
/// `conn` is a live connection that no other thread uses; `ptr` is NULL or valid for `size` bytes during the call.
unsafe fn synced(
    conn: *mut connection,
    ptr: *mut c_char,
    size: isize,
    body: impl FnOnce(c_int, &mut [u8]) -> Result<usize, Errno>,
) -> isize {
    call(-1, || {
        let buffer = match usize::try_from(size) {
            // SAFETY: not NULL, and valid for `size` bytes, by this function's own contract.
            Ok(size) if !ptr.is_null() => Ok(unsafe { core::slice::from_raw_parts_mut(ptr.cast(), size) }),
            _ => Err(Errno::EINVAL),
        };
        // SAFETY: the connection is live before and after `body`, which runs no handler.
        let result = buffer.and_then(|buffer| body(unsafe { (*conn).fd }, buffer));
        // SAFETY: as above.
        result.map(|count| count as isize).inspect_err(|errno| unsafe { (*conn).last_errno = *errno as c_int })
    })
}
