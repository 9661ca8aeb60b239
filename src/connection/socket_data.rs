//! Reading and writing over stream sockets.

use super::errors::noted;
use super::handle::Conn;
use super::sync::SyncStream;
use crate::abi::connection::*;
use crate::sys::{Errno, fd};
use core::ffi::{c_int, c_void};

/// The most that a count of type `int` can tell.
pub(super) const MAX_TRANSFER: usize = c_int::MAX as usize;

/// Reads; 0 is the end, or there was no room.
///
/// # Safety
/// `buf` has room for `len` bytes, or is an address for which the kernel answers `EFAULT`.
#[inline]
pub(super) unsafe fn read(conn: Conn, buf: *mut c_void, len: usize) -> Result<usize, Errno> {
    // SAFETY: that much room, or the kernel refuses it.
    let result = unsafe { fd::read(conn.fd(), buf, len.min(MAX_TRANSFER)) };
    if result == Ok(0) && len > 0 {
        conn.set_state(CONN_STATE_CLOSED);
    }
    noted(conn, result)
}

/// Writes; returns how much was taken.
///
/// # Safety
/// `data` holds `len` bytes.
#[inline]
pub(super) unsafe fn write(conn: Conn, data: *const c_void, len: usize) -> Result<usize, Errno> {
    // SAFETY: that much data.
    noted(conn, unsafe { fd::write(conn.fd(), data, len.min(MAX_TRANSFER)) })
}

/// Writes from several buffers; returns how much was taken.
///
/// # Safety
/// `iov` holds `count` buffers.
#[inline]
pub(super) unsafe fn writev(conn: Conn, iov: *const libc::iovec, count: c_int) -> Result<usize, Errno> {
    // SAFETY: that many buffers.
    noted(conn, unsafe { fd::writev(conn.fd(), iov, count) })
}

impl SyncStream for Conn {
    unsafe fn of(conn: *mut connection) -> Self {
        // SAFETY: as the trait demands.
        unsafe { Self::new(conn) }
    }

    fn base(self) -> Conn {
        self
    }

    fn read(self, room: &mut [u8]) -> Result<usize, Errno> {
        fd::read_into(self.fd(), room)
    }

    fn write(self, data: &[u8]) -> Result<usize, Errno> {
        fd::write_from(self.fd(), data)
    }
}
