//! Which loop a connection belongs to.
//!
//! Where connections have a member for their loop, that member tells. Elsewhere, while events of the connection are
//! registered, it is the loop that they are registered with. Else it is the loop that the host names; without such a
//! host, the one where the connection was accepted or registered last, if that was in this thread; else this thread's
//! newest.
//!
//! A loop that is gone is none, whatever is at its address now. What is known stands behind the public struct, in the
//! memory of every connection that the library makes. A program's own connection types allocate their connections
//! themselves: of these, what is known stands in a table. A mark in the struct's padding tells the two apart.

use super::client_data;
use crate::abi::ae::{AE_NONE, aeEventLoop};
use crate::abi::connection::connection;
use crate::event_loop::{self, Loop, LoopHandle};
use crate::host;
use crate::sys::Errno;
use core::ffi::c_int;
use core::ptr::NonNull;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A connection in the library's memory.
#[repr(C)]
pub(super) struct Allocated {
    pub(super) base: connection,
    pub(super) home: Home,
}

/// What is known of a connection's loop.
#[derive(Clone, Copy)]
pub(super) struct Home {
    el: LoopHandle,
    /// The thread in which it was accepted or registered.
    thread: u64,
    /// Its events are registered with the loop.
    is_registered: bool,
    /// It is the safe API's: it has this loop or none, and the safer kind of sockets.
    is_safe_apis: bool,
}

// SAFETY: it goes with its connection; the loop is followed by the thread that uses both.
unsafe impl Send for Home {}

impl Home {
    const UNKNOWN: Self = Self { el: LoopHandle::NONE, thread: 0, is_registered: false, is_safe_apis: false };

    /// Of a connection that `el` has accepted; of an unknown loop for None.
    pub(super) fn of(el: Option<Loop>) -> Self {
        Self { el: el.map_or(LoopHandle::NONE, LoopHandle::of), thread: event_loop::thread(), ..Self::UNKNOWN }
    }
}

/// What is known of programs' own connections whose events are registered, and of which descriptor.
static OTHERS: Mutex<BTreeMap<usize, (c_int, Home)>> = Mutex::new(BTreeMap::new());

fn others() -> MutexGuard<'static, BTreeMap<usize, (c_int, Home)>> {
    OTHERS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The mark of a connection in the library's memory: another one at each address, so that a copy does not have it.
fn mark(conn: *mut connection) -> u32 {
    ((conn.addr() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as u32 | 1
}

/// Where the mark is, if there is room for one.
///
/// # Safety
/// `conn` is a live connection.
unsafe fn place_of_mark(conn: *mut connection) -> Option<*mut u32> {
    // SAFETY: the padding is inside the struct, and aligned.
    connection::PADDING.map(|offset| unsafe { conn.byte_add(offset).cast() })
}

/// Marks a connection.
///
/// # Safety
/// `conn` is the live connection of an [`Allocated`].
pub(super) unsafe fn set_mark(conn: *mut connection) {
    // SAFETY: the caller vouches for the connection.
    unsafe {
        if let Some(place) = place_of_mark(conn) {
            place.write(mark(conn));
        }
    }
}

/// Forgets a connection whose memory is to be freed, and may become a program's own.
///
/// # Safety
/// `conn` is a live connection of this thread.
pub(super) unsafe fn forget(conn: *mut connection) {
    // SAFETY: the caller vouches for the connection. Volatile: nobody reads the mark before the memory is freed.
    unsafe {
        if !is_allocated_here(conn) {
            others().remove(&conn.addr());
        } else if let Some(place) = place_of_mark(conn) {
            place.write_volatile(0);
        }
    }
}

/// # Safety
/// `conn` is a live connection.
unsafe fn is_allocated_here(conn: *mut connection) -> bool {
    // SAFETY: the caller vouches for the connection. No member is there that anybody else writes.
    unsafe { place_of_mark(conn).is_some_and(|place| place.read() == mark(conn)) }
}

/// # Safety
/// `conn` is a live connection of this thread.
unsafe fn get(conn: *mut connection) -> Home {
    // SAFETY: the caller vouches for the connection, and the mark for what is behind it.
    unsafe {
        if is_allocated_here(conn) {
            return (*conn.cast::<Allocated>()).home;
        }
        match others().get(&conn.addr()) {
            Some((fd, home)) if *fd == (*conn).fd => *home,
            _ => Home::UNKNOWN,
        }
    }
}

/// # Safety
/// `conn` is a live connection of this thread.
unsafe fn put(conn: *mut connection, home: Home) {
    // SAFETY: the caller vouches for the connection, and the mark for what is behind it.
    unsafe {
        if is_allocated_here(conn) {
            (*conn.cast::<Allocated>()).home = home;
        } else if home.is_registered {
            others().insert(conn.addr(), ((*conn).fd, home));
        } else {
            others().remove(&conn.addr());
        }
    }
}

/// The loop for the events of a connection's descriptor; `EINVAL` when there is none.
///
/// # Safety
/// `conn` is a live connection of this thread.
pub(super) unsafe fn loop_of(conn: *mut connection) -> Result<Loop, Errno> {
    // SAFETY: the caller vouches for the connection.
    let el = unsafe {
        match (*conn).own_loop() {
            Some(el) => own(conn, el),
            None => find(conn),
        }
    };
    el.ok_or(Errno::EINVAL)
}

/// The loop that the connection's member names, None when it is gone: the member is NULL then.
///
/// # Safety
/// `conn` is a live connection of this thread with such a member.
unsafe fn own(conn: *mut connection, el: *mut aeEventLoop) -> Option<Loop> {
    // SAFETY: the caller vouches for the connection.
    unsafe {
        if el.is_null() || !is_allocated_here(conn) {
            return named(el);
        }
        let mut home = get(conn);
        if !home.el.is_at(el) {
            home.el = LoopHandle::at(el);
        }
        let there = home.el.get();
        put(conn, home);
        if there.is_none() {
            (*conn).forget_loop();
        }
        there
    }
}

/// The loop that C names, None for NULL.
///
/// # Safety
/// `el` is NULL or a live loop of this thread.
pub(super) unsafe fn named(el: *mut aeEventLoop) -> Option<Loop> {
    // SAFETY: not NULL, thus live.
    NonNull::new(el).map(|el| unsafe { Loop::new(el) })
}

/// # Safety
/// `conn` is a live connection of this thread without such a member.
unsafe fn find(conn: *mut connection) -> Option<Loop> {
    // SAFETY: the caller vouches for the connection.
    unsafe {
        if !is_allocated_here(conn)
            && let Some(el) = host::current_loop()
        {
            return named(el);
        }
        let mut home = get(conn);
        let known = home.el.get();
        home.is_registered &= known.is_some();
        put(conn, home);
        if home.is_registered || home.is_safe_apis {
            return known;
        }
        if let Some(el) = host::current_loop() {
            return named(el);
        }
        let newest = event_loop::newest();
        match known {
            Some(_) if newest.is_none() || home.thread == event_loop::thread() => known,
            _ => newest,
        }
    }
}

/// Notes that events of the connection are registered with a loop.
///
/// # Safety
/// `conn` is a live connection of this thread.
pub(super) unsafe fn registered(conn: *mut connection, el: Loop) {
    // SAFETY: the caller vouches for both.
    unsafe {
        if (*conn).own_loop().is_some() || !is_allocated_here(conn) && host::current_loop().is_some() {
            return;
        }
        let home = get(conn);
        if !home.is_registered || !home.el.is_at(el.as_ptr()) {
            put(conn, Home { is_registered: true, is_safe_apis: home.is_safe_apis, ..Home::of(Some(el)) });
        }
    }
}

/// Notes whether events of the connection are still registered with a loop that has been told to forget some.
///
/// # Safety
/// As for [`registered`].
pub(super) unsafe fn unregistered(conn: *mut connection, el: Loop) {
    // SAFETY: the caller vouches for both.
    unsafe {
        if (*conn).own_loop().is_some() || !is_allocated_here(conn) && host::current_loop().is_some() {
            return;
        }
        let is_left = event_loop::file_event(el, (*conn).fd)
            .is_some_and(|(mask, owner)| mask != AE_NONE && owner == client_data(conn));
        let home = get(conn);
        if home.is_registered && home.el.is_at(el.as_ptr()) && !is_left {
            put(conn, Home { is_registered: false, ..home });
        }
    }
}

/// The connection has been given to another loop.
///
/// # Safety
/// `conn` is a live connection of this thread, `el` NULL or a live loop.
#[allow(dead_code)] // Only Redis 8 asks for it.
pub(super) unsafe fn moved(conn: *mut connection, el: *mut aeEventLoop) {
    // SAFETY: the caller vouches for both.
    unsafe {
        if is_allocated_here(conn) {
            put(conn, Home { is_safe_apis: get(conn).is_safe_apis, ..Home::of(named(el)) });
        }
    }
}

/// Makes a new connection the safe API's.
///
/// # Safety
/// `conn` is a live connection of this thread, made by the library.
pub(crate) unsafe fn make_safe_apis(conn: *mut connection) {
    // SAFETY: the caller vouches for the connection.
    unsafe { put(conn, Home { is_safe_apis: true, ..get(conn) }) };
}

/// Whether the connection is the safe API's.
///
/// # Safety
/// `conn` is a live connection of this thread.
pub(super) unsafe fn is_safe_apis(conn: *mut connection) -> bool {
    // SAFETY: the caller vouches for the connection.
    unsafe { is_allocated_here(conn) && get(conn).is_safe_apis }
}

/// The number of the connection's loop, 0 when it is not known.
///
/// # Safety
/// `conn` is a live connection that no other thread uses.
#[cfg(feature = "tls")]
pub(super) unsafe fn loop_number(conn: *mut connection) -> u64 {
    // SAFETY: the caller vouches for the connection.
    unsafe {
        if let Some(el) = (*conn).own_loop()
            && own(conn, el).is_none()
        {
            return 0;
        }
        get(conn).el.number()
    }
}
