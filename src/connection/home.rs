//! Which loop a connection belongs to.
//!
//! Where connections have a member for their loop, that member tells. Elsewhere, while events of the connection are
//! registered, it is the loop that they are registered with. Else it is the loop that the host names; without such a
//! host, the one where the connection was accepted or registered last, if that was in this thread; else this thread's
//! newest.
//!
//! A loop that is gone is none, whatever is at its address now. What is known stands behind the public struct, in the
//! memory of every connection that the library makes. A program's own connection types allocate their connections
//! themselves: of these, what is known stands in a table. A type of the library's and a mark in the struct's padding tell
//! the two apart.

use super::handle::Conn;
use crate::abi::ae::{AE_NONE, aeEventLoop};
use crate::abi::connection::{ConnectionType, connection};
use crate::event_loop::{self, LoopHandle};
use crate::host;
use crate::sys::Errno;
use core::ffi::c_int;
use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering::Relaxed};
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

    /// Of a connection that `el` has accepted; unknown for NULL.
    ///
    /// # Safety
    /// `el` is NULL or a live loop.
    pub(super) unsafe fn of(el: *mut aeEventLoop) -> Self {
        // SAFETY: NULL or a live loop.
        Self { el: unsafe { LoopHandle::of(el) }, thread: event_loop::thread(), ..Self::UNKNOWN }
    }
}

/// What is known of programs' own connections whose events are registered, and of which descriptor.
static OTHERS: Mutex<BTreeMap<usize, (c_int, Home)>> = Mutex::new(BTreeMap::new());

fn others() -> MutexGuard<'static, BTreeMap<usize, (c_int, Home)>> {
    OTHERS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The types of the connections that the library has made.
static TYPES: [AtomicPtr<ConnectionType>; 8] = [const { AtomicPtr::new(ptr::null_mut()) }; 8];

/// Remembers a type whose connections the library makes.
pub(super) fn note_type(ct: &'static ConnectionType) {
    let ct = ptr::from_ref(ct).cast_mut();
    let is_noted = TYPES.iter().any(|place| match place.compare_exchange(ptr::null_mut(), ct, Relaxed, Relaxed) {
        Ok(_) => true,
        Err(other) => other == ct,
    });
    debug_assert!(is_noted, "there are more types than places for them");
}

fn is_noted(ct: *mut ConnectionType) -> bool {
    TYPES.iter().map(|place| place.load(Relaxed)).take_while(|noted| !noted.is_null()).any(|noted| noted == ct)
}

/// The mark of a connection in the library's memory: another one at each address, so that a copy does not have it.
fn mark(conn: Conn) -> u32 {
    ((conn.as_ptr().addr() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as u32 | 1
}

/// Where the mark is, if there is room for one.
fn place_of_mark(conn: Conn) -> Option<*mut u32> {
    // SAFETY: the padding is inside the struct, and aligned.
    connection::PADDING.map(|offset| unsafe { conn.as_ptr().byte_add(offset).cast() })
}

/// Marks a connection.
///
/// # Safety
/// It is that of an [`Allocated`].
pub(super) unsafe fn set_mark(conn: Conn) {
    if let Some(place) = place_of_mark(conn) {
        // SAFETY: padding of a live connection.
        unsafe { place.write(mark(conn)) };
    }
}

/// Forgets a connection whose memory is to be freed, and may become a program's own.
pub(super) fn forget(conn: Conn) {
    if !is_allocated_here(conn) {
        others().remove(&key(conn));
    } else if let Some(place) = place_of_mark(conn) {
        // SAFETY: padding of a live connection. Volatile: nobody reads the mark before the memory is freed.
        unsafe { place.write_volatile(0) };
    }
}

/// Whether the library has allocated the connection. One of a program's own type may be uninitialised where the mark
/// would be: of it, only the type is read.
fn is_allocated_here(conn: Conn) -> bool {
    // SAFETY: padding of a live connection of the library's type, to which nobody else writes.
    is_noted(conn.r#type()) && place_of_mark(conn).is_some_and(|place| unsafe { place.read() } == mark(conn))
}

/// What is known of a connection in the library's memory.
fn allocated(conn: Conn) -> Option<*mut Home> {
    // SAFETY: the mark says that it is an `Allocated`.
    is_allocated_here(conn).then(|| unsafe { &raw mut (*conn.as_ptr().cast::<Allocated>()).home })
}

/// The key of a program's own connection.
fn key(conn: Conn) -> usize {
    conn.as_ptr().addr()
}

fn get(conn: Conn) -> Home {
    if let Some(home) = allocated(conn) {
        // SAFETY: live with its connection.
        return unsafe { *home };
    }
    match others().get(&key(conn)) {
        Some((fd, home)) if *fd == conn.fd() => *home,
        _ => Home::UNKNOWN,
    }
}

fn put(conn: Conn, home: Home) {
    if let Some(place) = allocated(conn) {
        // SAFETY: live with its connection.
        unsafe { *place = home };
    } else if home.is_registered {
        others().insert(key(conn), (conn.fd(), home));
    } else {
        others().remove(&key(conn));
    }
}

/// The loop for the events of a connection's descriptor, live and this thread's; `EINVAL` when there is none.
pub(super) fn loop_of(conn: Conn) -> Result<*mut aeEventLoop, Errno> {
    let el = match conn.own_loop() {
        Some(el) => own(conn, el),
        None => find(conn),
    };
    if el.is_null() { Err(Errno::EINVAL) } else { Ok(el) }
}

/// The loop that the connection's member names, NULL when it is gone: the member is NULL then, too.
fn own(conn: Conn, el: *mut aeEventLoop) -> *mut aeEventLoop {
    if el.is_null() || !is_allocated_here(conn) {
        return el;
    }
    let mut home = get(conn);
    if !home.el.is_at(el) {
        home.el = LoopHandle::at(el);
    }
    let there = home.el.get();
    put(conn, home);
    there.unwrap_or_else(|| {
        conn.set_own_loop(ptr::null_mut());
        ptr::null_mut()
    })
}

/// The loop of a connection without such a member, NULL when there is none.
fn find(conn: Conn) -> *mut aeEventLoop {
    if !is_allocated_here(conn)
        && let Some(el) = host::current_loop()
    {
        return el;
    }
    let mut home = get(conn);
    let known = home.el.get();
    home.is_registered &= known.is_some();
    put(conn, home);
    if home.is_registered || home.is_safe_apis {
        return known.unwrap_or(ptr::null_mut());
    }
    if let Some(el) = host::current_loop() {
        return el;
    }
    let newest = event_loop::newest();
    match known {
        Some(known) if newest.is_null() || home.thread == event_loop::thread() => known,
        _ => newest,
    }
}

/// Whether somebody else knows the connection's loop: its own member, or the host.
fn is_told(conn: Conn) -> bool {
    conn.own_loop().is_some() || !is_allocated_here(conn) && host::current_loop().is_some()
}

/// Notes that events of the connection are registered with a loop.
///
/// # Safety
/// `el` is a live loop.
pub(super) unsafe fn registered(conn: Conn, el: *mut aeEventLoop) {
    if is_told(conn) {
        return;
    }
    let home = get(conn);
    if !home.is_registered || !home.el.is_at(el) {
        // SAFETY: a live loop.
        let el = unsafe { Home::of(el) };
        put(conn, Home { is_registered: true, is_safe_apis: home.is_safe_apis, ..el });
    }
}

/// Notes whether events of the connection are still registered with a loop that has been told to forget some.
///
/// # Safety
/// `el` is a live loop of this thread.
pub(super) unsafe fn unregistered(conn: Conn, el: *mut aeEventLoop) {
    if is_told(conn) {
        return;
    }
    // SAFETY: a live loop.
    let event = unsafe { event_loop::file_event(el, conn.fd()) };
    let is_left = event.is_some_and(|(mask, owner)| mask != AE_NONE && owner == conn.client_data());
    let home = get(conn);
    if home.is_registered && home.el.is_at(el) && !is_left {
        put(conn, Home { is_registered: false, ..home });
    }
}

/// Gives the connection another loop, or none.
///
/// # Safety
/// `el` is NULL or a live loop.
#[allow(dead_code)] // Only Redis 8 asks for it.
pub(super) unsafe fn moved(conn: Conn, el: *mut aeEventLoop) {
    conn.set_own_loop(el);
    if is_allocated_here(conn) {
        // SAFETY: NULL or a live loop.
        let el = unsafe { Home::of(el) };
        put(conn, Home { is_safe_apis: get(conn).is_safe_apis, ..el });
    }
}

/// Makes a new connection the safe API's. The library has made it.
pub(crate) fn make_safe_apis(conn: Conn) {
    put(conn, Home { is_safe_apis: true, ..get(conn) });
}

/// Whether the connection is the safe API's.
pub(super) fn is_safe_apis(conn: Conn) -> bool {
    is_allocated_here(conn) && get(conn).is_safe_apis
}

/// The number of the connection's loop, 0 when it is not known.
#[cfg(feature = "tls")]
pub(super) fn loop_number(conn: Conn) -> u64 {
    if let Some(el) = conn.own_loop()
        && own(conn, el).is_null()
    {
        return 0;
    }
    get(conn).el.number()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event_loop::memory::zeroed;

    static OURS: ConnectionType = ConnectionType::NONE;
    static STRANGERS: ConnectionType = ConnectionType { close: Some(never_called), ..ConnectionType::NONE };

    unsafe extern "C" fn never_called(_conn: *mut connection) {}

    #[test]
    fn a_strangers_connection_is_not_ours_whatever_its_padding_holds() {
        if connection::PADDING.is_none() {
            return;
        }
        note_type(&OURS);
        let is_ours = |ct: *const ConnectionType| {
            let mut base: connection = zeroed();
            base.r#type = ct.cast_mut();
            // SAFETY: live and this test's alone; nobody looks behind it.
            unsafe {
                let conn = Conn::new(&mut base);
                set_mark(conn);
                is_allocated_here(conn)
            }
        };
        assert!(is_ours(&OURS));
        assert!(!is_ours(&STRANGERS));
        assert!(!is_ours(ptr::null()));
    }
}
