//! What connections over stream sockets do, whatever the socket's family.

use super::errors::{note_error, status};
use super::handle::Conn;
use super::handlers::{call_handler, held};
use super::sync::{self, SyncStream};
use super::{lifecycle, socket_events};
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
    sync_write: Some(sync::write::<Conn>),
    sync_read: Some(sync::read::<Conn>),
    sync_readline: Some(sync::readline::<Conn>),
    ..ConnectionType::NONE
};

unsafe extern "C" fn close(conn: *mut connection) {
    // SAFETY: called through a live connection's table, by the one who frees it.
    quietly(|| unsafe { lifecycle::close(Conn::new(conn)) })
}

unsafe extern "C" fn accept(conn: *mut connection, handler: ConnectionCallbackFunc) -> c_int {
    // SAFETY: called through a live connection's table.
    let conn = unsafe { Conn::new(conn) };
    if conn.state() != CONN_STATE_ACCEPTING {
        return status(|| Err(Errno::EINVAL));
    }
    conn.set_state(CONN_STATE_CONNECTED);
    if held(conn, |conn| call_handler(conn, handler)) { C_OK } else { C_ERR }
}

/// The result of a read or write: its count, or why it failed.
pub(super) fn transferred(conn: Conn, result: Result<usize, Errno>) -> c_int {
    if let Err(errno) = result
        && errno != Errno::EAGAIN
    {
        note_error(conn, errno);
    }
    call(-1, || result.map(|count| count as c_int))
}

/// The most that a count of type `int` can tell.
pub(super) const MAX_TRANSFER: usize = c_int::MAX as usize;

unsafe extern "C" fn write(conn: *mut connection, data: *const c_void, len: usize) -> c_int {
    // SAFETY: called through a live connection's table.
    let conn = unsafe { Conn::new(conn) };
    // SAFETY: called with that much data.
    transferred(conn, unsafe { fd::write(conn.fd(), data, len.min(MAX_TRANSFER)) })
}

pub(super) unsafe extern "C" fn writev(conn: *mut connection, iov: *const libc::iovec, count: c_int) -> c_int {
    // SAFETY: called through a live connection's table.
    let conn = unsafe { Conn::new(conn) };
    // SAFETY: called with that many buffers.
    transferred(conn, unsafe { fd::writev(conn.fd(), iov, count) })
}

unsafe extern "C" fn read(conn: *mut connection, buf: *mut c_void, len: usize) -> c_int {
    // SAFETY: called through a live connection's table.
    let conn = unsafe { Conn::new(conn) };
    // SAFETY: the buffer has that much room.
    let result = unsafe { fd::read(conn.fd(), buf, len.min(MAX_TRANSFER)) };
    if result == Ok(0) && len > 0 {
        conn.set_state(CONN_STATE_CLOSED);
    }
    transferred(conn, result)
}

unsafe extern "C" fn set_write_handler(
    conn: *mut connection,
    handler: ConnectionCallbackFunc,
    barrier: c_int,
) -> c_int {
    // SAFETY: called through a live connection's table.
    let conn = unsafe { Conn::new(conn) };
    status(|| socket_events::set_write_handler(conn, handler, barrier != 0))
}

unsafe extern "C" fn set_read_handler(conn: *mut connection, handler: ConnectionCallbackFunc) -> c_int {
    // SAFETY: called through a live connection's table.
    let conn = unsafe { Conn::new(conn) };
    status(|| socket_events::set_read_handler(conn, handler))
}

thread_local! {
    static ERROR_TEXT: UnsafeCell<[c_char; ERROR_TEXT_LEN]> = const { UnsafeCell::new([0; ERROR_TEXT_LEN]) };
}

/// The text for an errno, valid until the next call in this thread.
pub(super) fn text_of(errno: c_int) -> *const c_char {
    // SAFETY: the text is this thread's, and the reference ends with the call.
    ERROR_TEXT.with(|text| error_text_into(errno, unsafe { &mut *text.get() }).as_ptr())
}

unsafe extern "C" fn get_last_error(conn: *mut connection) -> *const c_char {
    // SAFETY: called through a live connection's table.
    text_of(unsafe { Conn::new(conn) }.last_errno())
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
