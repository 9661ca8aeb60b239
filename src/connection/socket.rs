//! The functions that the tables of all types over stream sockets share, whatever the socket's family.

use super::errors::{accept_status, count, status};
use super::handle::Conn;
use super::{lifecycle, socket_data, socket_events, sync};
use crate::abi::connection::*;
use crate::sys::errno::quietly;
use crate::sys::text::{ERROR_TEXT_LEN, error_text_into};
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
    accept_status(lifecycle::accept(conn, handler))
}

unsafe extern "C" fn write(conn: *mut connection, data: *const c_void, len: usize) -> c_int {
    // SAFETY: called through a live connection's table with that much data.
    count(|| unsafe { socket_data::write(Conn::new(conn), data, len) })
}

#[allow(dead_code)] // The tables of redis-6.2 have none.
pub(super) unsafe extern "C" fn writev(conn: *mut connection, iov: *const libc::iovec, parts: c_int) -> c_int {
    // SAFETY: called through a live connection's table with that many buffers.
    count(|| unsafe { socket_data::writev(Conn::new(conn), iov, parts) })
}

unsafe extern "C" fn read(conn: *mut connection, buf: *mut c_void, len: usize) -> c_int {
    // SAFETY: called through a live connection's table with that much room.
    count(|| unsafe { socket_data::read(Conn::new(conn), buf, len) })
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
