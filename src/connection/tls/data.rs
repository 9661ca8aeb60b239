//! Reading and writing. Nothing here touches a loop: I/O threads call it.

use super::announce::note_pending;
use super::buffer::WRITE_LIMIT;
use super::conn::TlsConn;
use super::failure::Failure;
use super::session::Session;
use crate::abi::connection::*;
use crate::connection::arguments::buffer;
use crate::connection::errors::noted;
use crate::connection::handle::Conn;
use crate::connection::socket_data::MAX_TRANSFER;
use crate::connection::sync::SyncStream;
use crate::sys::Errno;
use core::ffi::{c_int, c_void};

/// The most buffers that one `writev` takes.
const PARTS: usize = 64;

/// The error of a read or write in any state except connected.
fn refusal(state: ConnectionState, last_errno: c_int) -> Errno {
    match state {
        CONN_STATE_CONNECTING | CONN_STATE_ACCEPTING => Errno::EAGAIN,
        CONN_STATE_CLOSED => Errno::EPIPE,
        CONN_STATE_ERROR if last_errno != 0 => Errno::from_raw(last_errno),
        _ => Errno::ENOTCONN,
    }
}

/// Lets the session of a connected connection read or write.
fn transfer(conn: TlsConn, body: impl FnOnce(&mut Session, c_int) -> Result<usize, Failure>) -> Result<usize, Errno> {
    // SAFETY: no handler runs here.
    let session = unsafe { conn.session() }.filter(|_| conn.state() == CONN_STATE_CONNECTED);
    let Some(session) = session else { return Err(refusal(conn.state(), conn.last_errno())) };
    match body(session, conn.fd()) {
        Err(Failure::System(errno)) => Err(errno),
        Err(failure) => Err(conn.fail(&failure)),
        Ok(count) => Ok(count),
    }
}

/// Reads; nothing after the end, or without room.
fn read_some(conn: TlsConn, room: &mut [u8]) -> Result<usize, Errno> {
    if conn.state() == CONN_STATE_CLOSED || room.is_empty() {
        return Ok(0);
    }
    let result = transfer(conn, |session, fd| session.read(fd, room));
    if result == Ok(0) {
        conn.set_state(CONN_STATE_CLOSED);
    }
    if !conn.postponed() {
        // Goes to the end of the list: this read's data has not been answered yet.
        conn.unlist();
        note_pending(conn);
    }
    result
}

/// Reads; 0 is the end, or there was no room.
///
/// # Safety
/// `buf` is NULL or has room for `len` bytes.
#[inline]
pub(in crate::connection) unsafe fn read(conn: TlsConn, buf: *mut c_void, len: usize) -> Result<usize, Errno> {
    let result = if conn.state() == CONN_STATE_CLOSED || len == 0 {
        Ok(0)
    } else if buf.is_null() {
        // As the kernel does for a socket.
        Err(Errno::EFAULT)
    } else {
        // SAFETY: not NULL, so there is that much room.
        read_some(conn, unsafe { core::slice::from_raw_parts_mut(buf.cast(), len.min(MAX_TRANSFER)) })
    };
    noted(*conn, result)
}

/// Writes; returns how much was taken.
///
/// # Safety
/// `data` is NULL or holds `len` bytes.
#[inline]
pub(in crate::connection) unsafe fn write(conn: TlsConn, data: *const c_void, len: usize) -> Result<usize, Errno> {
    // SAFETY: NULL, or that much data.
    let data = unsafe { buffer(data, len) };
    noted(*conn, data.and_then(|data| transfer(conn, |session, fd| session.write(fd, &[data]))))
}

/// Writes from several buffers; returns how much was taken. Small buffers are put into records together.
///
/// # Safety
/// `iov` is NULL or holds `count` buffers.
#[inline]
pub(in crate::connection) unsafe fn writev(
    conn: TlsConn,
    iov: *const libc::iovec,
    count: c_int,
) -> Result<usize, Errno> {
    // SAFETY: NULL, or that many buffers.
    noted(*conn, unsafe { write_parts(conn, iov, count) })
}

/// # Safety
/// `iov` is NULL or holds `count` buffers.
unsafe fn write_parts(conn: TlsConn, iov: *const libc::iovec, count: c_int) -> Result<usize, Errno> {
    let count = usize::try_from(count).map_err(|_| Errno::EINVAL)?;
    if iov.is_null() && count > 0 {
        return Err(Errno::EFAULT);
    }
    let mut parts = [&[][..]; PARTS];
    let (mut used, mut total) = (0, 0);
    for index in 0..count {
        if used == PARTS || total >= WRITE_LIMIT {
            break;
        }
        // SAFETY: there are that many.
        let part = unsafe { &*iov.add(index) };
        // SAFETY: each holds as much as it says.
        let part = unsafe { buffer(part.iov_base, part.iov_len) }?;
        if !part.is_empty() {
            parts[used] = part;
            total += part.len();
            used += 1;
        }
    }
    transfer(conn, |session, fd| session.write(fd, &parts[..used]))
}

impl SyncStream for TlsConn {
    unsafe fn of(conn: *mut connection) -> Self {
        // SAFETY: as the trait demands.
        unsafe { Self::new(conn) }
    }

    fn base(self) -> Conn {
        *self
    }

    fn read(self, room: &mut [u8]) -> Result<usize, Errno> {
        read_some(self, room)
    }

    fn write(self, data: &[u8]) -> Result<usize, Errno> {
        transfer(self, |session, fd| session.write(fd, &[data]))
    }
}
