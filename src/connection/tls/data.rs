//! Reading and writing. Nothing here touches a loop: I/O threads call it.

use super::announce::note_pending;
use super::buffer::WRITE_LIMIT;
use super::conn::{fail, this};
use super::failure::Failure;
use super::session::Session;
use crate::abi::connection::*;
use crate::connection::socket::{MAX_TRANSFER, transferred};
use crate::connection::sync::SyncStream;
use crate::sys::Errno;
use core::ffi::{c_int, c_void};

/// How many buffers of one `writev` are looked at.
const PARTS: usize = 64;

/// What a state other than connected answers to a read or write.
fn refusal(state: ConnectionState, last_errno: c_int) -> Errno {
    match state {
        CONN_STATE_CONNECTING | CONN_STATE_ACCEPTING => Errno::EAGAIN,
        CONN_STATE_CLOSED => Errno::EPIPE,
        CONN_STATE_ERROR if last_errno != 0 => Errno::from_raw(last_errno),
        _ => Errno::ENOTCONN,
    }
}

/// Lets the session of a connected connection read or write.
///
/// # Safety
/// `conn` is a live connection of this type that no other thread uses.
unsafe fn transfer(
    conn: *mut connection,
    body: impl FnOnce(&mut Session, c_int) -> Result<usize, Failure>,
) -> Result<usize, Errno> {
    // SAFETY: the caller vouches for the connection; no handler runs here.
    unsafe {
        let fd = (*conn).fd;
        let Some(session) = (*this(conn)).session.as_mut().filter(|_| (*conn).state == CONN_STATE_CONNECTED) else {
            return Err(refusal((*conn).state, (*conn).last_errno));
        };
        match body(session, fd) {
            Err(Failure::System(errno)) => {
                if errno != Errno::EAGAIN && errno != Errno::EINTR {
                    (*this(conn)).error = None;
                }
                Err(errno)
            }
            Err(failure) => Err(fail(conn, &failure)),
            Ok(count) => Ok(count),
        }
    }
}

/// # Safety
/// `conn` is a live connection of this type that no other thread uses; `buf` has room for `len` bytes.
unsafe fn read_some(conn: *mut connection, buf: *mut u8, len: usize) -> Result<usize, Errno> {
    // SAFETY: the caller vouches for both.
    unsafe {
        if (*conn).state == CONN_STATE_CLOSED || len == 0 {
            return Ok(0);
        }
        if buf.is_null() {
            // As the kernel says of a socket.
            return Err(Errno::EFAULT);
        }
        let room = core::slice::from_raw_parts_mut(buf, len);
        let result = transfer(conn, |session, fd| session.read(fd, room));
        if result == Ok(0) {
            (*conn).state = CONN_STATE_CLOSED;
        }
        if !(*this(conn)).postponed {
            // Entered anew: what this read gave is not answered yet.
            (*this(conn)).place.leave();
            note_pending(conn);
        }
        result
    }
}

pub(super) unsafe extern "C" fn read(conn: *mut connection, buf: *mut c_void, len: usize) -> c_int {
    // SAFETY: called through a live connection's table with that much room.
    unsafe { transferred(conn, read_some(conn, buf.cast(), len.min(MAX_TRANSFER))) }
}

pub(super) unsafe extern "C" fn write(conn: *mut connection, data: *const c_void, len: usize) -> c_int {
    // SAFETY: called through a live connection's table with that much data.
    unsafe {
        let result = buffer(data, len).and_then(|data| transfer(conn, |session, fd| session.write(fd, &[data])));
        transferred(conn, result)
    }
}

/// Small buffers go into records together.
pub(in crate::connection) unsafe extern "C" fn writev(
    conn: *mut connection,
    iov: *const libc::iovec,
    count: c_int,
) -> c_int {
    // SAFETY: called through a live connection's table with that many buffers.
    unsafe { transferred(conn, write_parts(conn, iov, count)) }
}

/// # Safety
/// As for [`writev`].
unsafe fn write_parts(conn: *mut connection, iov: *const libc::iovec, count: c_int) -> Result<usize, Errno> {
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
        // SAFETY: the caller vouches for the elements and what they lead to.
        let part = unsafe { (*iov.add(index)).iov_base.cast_const() };
        // SAFETY: as above.
        let part = unsafe { buffer(part, (*iov.add(index)).iov_len) }?;
        if !part.is_empty() {
            parts[used] = part;
            total += part.len();
            used += 1;
        }
    }
    // SAFETY: the caller vouches for the connection.
    unsafe { transfer(conn, |session, fd| session.write(fd, &parts[..used])) }
}

/// The bytes of a buffer; NULL is `EFAULT`, as the kernel says of a socket.
///
/// # Safety
/// `data` is NULL or valid for `len` bytes during the call.
unsafe fn buffer<'a>(data: *const c_void, len: usize) -> Result<&'a [u8], Errno> {
    match len {
        0 => Ok(&[]),
        _ if data.is_null() => Err(Errno::EFAULT),
        // SAFETY: not NULL, and the caller vouches for the length.
        _ => Ok(unsafe { core::slice::from_raw_parts(data.cast(), len) }),
    }
}

/// Sync reads and writes over TLS.
pub(super) struct OverTls;

impl SyncStream for OverTls {
    unsafe fn read(conn: *mut connection, room: &mut [u8]) -> Result<usize, Errno> {
        // SAFETY: `conn` is a live connection of this type, by the trait's contract.
        unsafe { read_some(conn, room.as_mut_ptr(), room.len()) }
    }

    unsafe fn write(conn: *mut connection, data: &[u8]) -> Result<usize, Errno> {
        // SAFETY: `conn` is a live connection of this type, by the trait's contract.
        unsafe { transfer(conn, |session, fd| session.write(fd, &[data])) }
    }
}
