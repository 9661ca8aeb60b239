//! What connections over stream sockets do, whatever the socket's family.

#[cfg(feature = "tls")]
pub(super) use super::connecting::{start_tcp_connect, wait_tcp_connect};
use super::errors::{note_error, status};
use super::handlers::call_handler;
use super::lifecycle::close as free;
use super::socket_events;
use super::sync::{self, SyncStream};
use crate::abi::connection::*;
use crate::sys::errno::{call, quietly};
use crate::sys::text::{ERROR_TEXT_LEN, error_text_into};
use crate::sys::{Errno, fd};
use core::cell::UnsafeCell;
use core::ffi::{c_char, c_int, c_void};

/// What every type over a stream socket does in the same way, in every profile.
pub(super) const STREAM: ConnectionType = ConnectionType {
    ae_handler: Some(socket_events::ae_handler),
    close: Some(close),
    accept: Some(accept),
    write: Some(write),
    read: Some(read),
    set_write_handler: Some(set_write_handler),
    set_read_handler: Some(set_read_handler),
    get_last_error: Some(get_last_error),
    sync_write: Some(sync::write::<Plain>),
    sync_read: Some(sync::read::<Plain>),
    sync_readline: Some(sync::readline::<Plain>),
    ..ConnectionType::NONE
};

unsafe extern "C" fn close(conn: *mut connection) {
    // SAFETY: called through a live connection's table.
    quietly(|| unsafe { free(conn) })
}

unsafe extern "C" fn accept(conn: *mut connection, handler: ConnectionCallbackFunc) -> c_int {
    // SAFETY: called through a live connection's table. The second count in `refs` is the caller's, who closes
    // the connection when the handler has.
    unsafe {
        if (*conn).state != CONN_STATE_ACCEPTING {
            return status(|| Err(Errno::EINVAL));
        }
        (*conn).state = CONN_STATE_CONNECTED;
        (*conn).refs += 1;
        let open = call_handler(conn, handler);
        (*conn).refs -= 1;
        if open { C_OK } else { C_ERR }
    }
}

/// The result of a read or write: its count, or why it failed.
///
/// # Safety
/// `conn` is a live connection of this thread.
pub(super) unsafe fn transferred(conn: *mut connection, result: Result<usize, Errno>) -> c_int {
    if let Err(errno) = result
        && errno != Errno::EAGAIN
    {
        // SAFETY: the caller vouches for the connection.
        unsafe { note_error(conn, errno) };
    }
    call(-1, || result.map(|count| count as c_int))
}

/// The most that a count of type `int` can tell.
pub(super) const MAX_TRANSFER: usize = c_int::MAX as usize;

unsafe extern "C" fn write(conn: *mut connection, data: *const c_void, len: usize) -> c_int {
    // SAFETY: called through a live connection's table with that much data.
    unsafe { transferred(conn, fd::write((*conn).fd, data, len.min(MAX_TRANSFER))) }
}

pub(super) unsafe extern "C" fn writev(conn: *mut connection, iov: *const libc::iovec, count: c_int) -> c_int {
    // SAFETY: called through a live connection's table with that many buffers.
    unsafe { transferred(conn, fd::writev((*conn).fd, iov, count)) }
}

unsafe extern "C" fn read(conn: *mut connection, buf: *mut c_void, len: usize) -> c_int {
    // SAFETY: called through a live connection's table with that much room.
    unsafe {
        let result = fd::read((*conn).fd, buf, len.min(MAX_TRANSFER));
        if result == Ok(0) && len > 0 {
            (*conn).state = CONN_STATE_CLOSED;
        }
        transferred(conn, result)
    }
}

unsafe extern "C" fn set_write_handler(
    conn: *mut connection,
    handler: ConnectionCallbackFunc,
    barrier: c_int,
) -> c_int {
    // SAFETY: called through a live connection's table.
    status(|| unsafe { socket_events::set_write_handler(conn, handler, barrier != 0) })
}

unsafe extern "C" fn set_read_handler(conn: *mut connection, handler: ConnectionCallbackFunc) -> c_int {
    // SAFETY: called through a live connection's table.
    status(|| unsafe { socket_events::set_read_handler(conn, handler) })
}

thread_local! {
    static ERROR_TEXT: UnsafeCell<[c_char; ERROR_TEXT_LEN]> = const { UnsafeCell::new([0; ERROR_TEXT_LEN]) };
}

unsafe extern "C" fn get_last_error(conn: *mut connection) -> *const c_char {
    // SAFETY: called through a live connection's table.
    let errno = unsafe { (*conn).last_errno };
    // SAFETY: the text is this thread's, and the reference ends with the call.
    ERROR_TEXT.with(|text| error_text_into(errno, unsafe { &mut *text.get() }).as_ptr())
}

/// Sync reads and writes of a plain socket.
pub(super) struct Plain;

impl SyncStream for Plain {
    unsafe fn read(conn: *mut connection, room: &mut [u8]) -> Result<usize, Errno> {
        // SAFETY: `conn` is live, by the trait's contract.
        fd::read_into(unsafe { (*conn).fd }, room)
    }

    unsafe fn write(conn: *mut connection, data: &[u8]) -> Result<usize, Errno> {
        // SAFETY: `conn` is live, by the trait's contract.
        fd::write_from(unsafe { (*conn).fd }, data)
    }
}
