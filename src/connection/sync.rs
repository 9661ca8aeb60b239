//! The table's reads and writes that wait, over a non-blocking descriptor, for every type that can read and write once.
//! Times are milliseconds; one that is over is `ETIMEDOUT`.

use super::arguments::bytes;
use super::handle::Conn;
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

/// The handle of a type's connections, by which they read and write once, without waiting.
pub(super) trait SyncStream: Copy {
    /// # Safety
    /// As for [`Conn::new`]; the connection is of the type.
    unsafe fn of(conn: *mut connection) -> Self;

    fn base(self) -> Conn;

    /// Reads what is there; 0 is the end.
    fn read(self, room: &mut [u8]) -> Result<usize, Errno>;

    /// Writes what the socket takes.
    fn write(self, data: &[u8]) -> Result<usize, Errno>;
}

/// The table's `sync_write`: writes all of `size` bytes.
pub(super) unsafe extern "C" fn write<S: SyncStream>(
    conn: *mut connection,
    ptr: *mut c_char,
    size: isize,
    timeout: c_longlong,
) -> isize {
    // SAFETY: called through a live connection's table with that much data.
    let (conn, data) = unsafe { (S::of(conn), bytes(ptr, size)) };
    synced(conn, data, |data| {
        let deadline = Deadline::after(timeout);
        let mut done = 0;
        while done < data.len() {
            match conn.write(&data[done..]) {
                Ok(count) => done += count,
                Err(Errno::EAGAIN) => deadline.wait(conn.base().fd(), AE_WRITABLE)?,
                Err(Errno::EINTR) => {}
                Err(errno) => return Err(errno),
            }
        }
        Ok(done)
    })
}

/// The table's `sync_read`: reads `size` bytes; the end of the input before that is `ECONNRESET`.
pub(super) unsafe extern "C" fn read<S: SyncStream>(
    conn: *mut connection,
    ptr: *mut c_char,
    size: isize,
    timeout: c_longlong,
) -> isize {
    // SAFETY: called through a live connection's table with that much room.
    let (conn, room) = unsafe { (S::of(conn), bytes(ptr, size)) };
    synced(conn, room, |room| fill(conn, room, timeout))
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
    let (conn, buf) = unsafe { (S::of(conn), bytes(ptr, size)) };
    synced(conn, buf, |buf| {
        let room = buf.len().checked_sub(1).ok_or(Errno::EINVAL)?;
        let mut len = 0;
        while len < room {
            // One by one: what follows the line belongs to the next read.
            fill(conn, &mut buf[len..=len], timeout)?;
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

/// Fills the room.
fn fill(conn: impl SyncStream, room: &mut [u8], timeout: c_longlong) -> Result<usize, Errno> {
    let deadline = Deadline::after(timeout);
    let mut done = 0;
    while done < room.len() {
        match conn.read(&mut room[done..]) {
            Ok(0) => return Err(Errno::ECONNRESET),
            Ok(count) => done += count,
            Err(Errno::EAGAIN) => deadline.wait(conn.base().fd(), AE_READABLE)?,
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(done)
}

/// Runs a sync call and notes its error.
fn synced(
    conn: impl SyncStream,
    buffer: Result<&mut [u8], Errno>,
    body: impl FnOnce(&mut [u8]) -> Result<usize, Errno>,
) -> isize {
    call(-1, || {
        let count = buffer.and_then(body).inspect_err(|errno| conn.base().set_last_errno(*errno as c_int))?;
        Ok(count as isize)
    })
}
