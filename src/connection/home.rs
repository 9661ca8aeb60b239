//! Which loop a connection belongs to.
//!
//! Where connections have a member for their loop, that member tells. Elsewhere, while events of the connection are
//! registered, it is the loop that they are registered with. Else it is the loop that the host names; without such a
//! host, the one where the connection was accepted or registered last, if that was in this thread; else this thread's
//! newest.
//!
//! A loop that is gone is none, whatever is at its address now. What is known stands behind the public struct, in the
//! memory of every connection that the library makes. A program's own connection types allocate their connections
//! themselves: of these, what is known stands in a table. A type of the library's and a mark in the struct's padding
//! tell the two apart.

use super::handle::Conn;
use crate::abi::ae::{AE_NONE, aeEventLoop};
use crate::abi::connection::{ConnectionType, connection};
use crate::event_loop::{self, Loop, LoopId};
use crate::host;
use crate::sys::Errno;
use crate::sys::shared::Shared;
use core::ffi::{c_int, c_void};
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicPtr, Ordering::Relaxed};
use std::collections::BTreeMap;

/// A connection in the library's memory.
#[repr(C)]
pub(super) struct Allocated {
    pub(super) base: connection,
    pub(super) home: Home,
    /// The client data of the accept handler that took it.
    pub(super) accept_data: *mut c_void,
}

/// What is known of a connection's loop.
#[derive(Clone, Copy)]
pub(super) struct Home {
    el: LoopId,
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
    const UNKNOWN: Self = Self { el: LoopId::NONE, thread: 0, is_registered: false, is_safe_apis: false };

    /// Of a connection that `el` has accepted; of an unknown loop for None.
    pub(super) fn of(el: Option<Loop>) -> Self {
        Self { el: el.map_or(LoopId::NONE, LoopId::of), thread: event_loop::thread(), ..Self::UNKNOWN }
    }
}

/// What is known of programs' own connections whose events are registered, and of which descriptor.
static OTHERS: Shared<BTreeMap<usize, (c_int, Home)>> = Shared::new(BTreeMap::new());

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
        OTHERS.with(|others| _ = others.remove(&key(conn)));
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

/// Where the client data of the accept handler is kept that took a connection.
#[allow(dead_code)] // Up to redis-7.0 the host accepts.
fn place_of_accept_data(conn: Conn) -> Option<*mut *mut c_void> {
    // SAFETY: the mark says that it is an `Allocated`.
    is_allocated_here(conn).then(|| unsafe { &raw mut (*conn.as_ptr().cast::<Allocated>()).accept_data })
}

/// Keeps the client data of the accept handler that has taken a connection.
#[allow(dead_code)] // As above.
pub(super) fn set_accept_data(conn: Conn, data: *mut c_void) {
    if let Some(place) = place_of_accept_data(conn) {
        // SAFETY: live with its connection.
        unsafe { *place = data };
    }
}

/// The client data of the accept handler that has taken a connection, else NULL.
#[allow(dead_code)] // As above.
pub(crate) fn accept_data(conn: Conn) -> *mut c_void {
    // SAFETY: live with its connection.
    place_of_accept_data(conn).map_or(ptr::null_mut(), |place| unsafe { *place })
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
    OTHERS.with(|others| match others.get(&key(conn)) {
        Some((fd, home)) if *fd == conn.fd() => *home,
        _ => Home::UNKNOWN,
    })
}

fn put(conn: Conn, home: Home) {
    if let Some(place) = allocated(conn) {
        // SAFETY: live with its connection.
        unsafe { *place = home };
    } else if home.is_registered {
        OTHERS.with(|others| _ = others.insert(key(conn), (conn.fd(), home)));
    } else {
        OTHERS.with(|others| _ = others.remove(&key(conn)));
    }
}

/// The loop that C names, None for NULL.
///
/// # Safety
/// `el` is NULL, or as for [`Loop::new`].
pub(super) unsafe fn named(el: *mut aeEventLoop) -> Option<Loop> {
    // SAFETY: not NULL, so live.
    NonNull::new(el).map(|el| unsafe { Loop::new(el) })
}

/// The loop for the events of a connection's descriptor; `EINVAL` when there is none.
pub(super) fn loop_of(conn: Conn) -> Result<Loop, Errno> {
    let el = match conn.own_loop() {
        Some(el) => own(conn, el),
        None => find(conn),
    };
    el.ok_or(Errno::EINVAL)
}

/// The loop that the connection's member names, None when it is gone: the member is NULL then.
fn own(conn: Conn, el: *mut aeEventLoop) -> Option<Loop> {
    if el.is_null() || !is_allocated_here(conn) {
        // SAFETY: a program's own connection names NULL or a live loop of its thread.
        return unsafe { named(el) };
    }
    let mut home = get(conn);
    if !home.el.is_at(el) {
        home.el = LoopId::at(el);
    }
    // SAFETY: a connection is used by the thread of its loop.
    let there = unsafe { home.el.get() };
    put(conn, home);
    if there.is_none() {
        conn.set_own_loop(ptr::null_mut());
    }
    there
}

/// The loop of a connection without such a member, None when there is none.
fn find(conn: Conn) -> Option<Loop> {
    // SAFETY: the host names a live loop of this thread.
    let hosts = || host::current_loop().and_then(|el| unsafe { named(el) });
    if !is_allocated_here(conn)
        && let Some(el) = hosts()
    {
        return Some(el);
    }
    let mut home = get(conn);
    // SAFETY: a connection is used by the thread of its loop.
    let known = unsafe { home.el.get() };
    home.is_registered &= known.is_some();
    put(conn, home);
    if home.is_registered || home.is_safe_apis {
        return known;
    }
    if let Some(el) = hosts() {
        return Some(el);
    }
    // SAFETY: this thread's loops are used by no other.
    let newest = unsafe { event_loop::newest() };
    match known {
        Some(_) if newest.is_none() || home.thread == event_loop::thread() => known,
        _ => newest,
    }
}

/// Whether somebody else knows the connection's loop: its own member, or the host.
fn is_told(conn: Conn) -> bool {
    conn.own_loop().is_some() || !is_allocated_here(conn) && host::current_loop().is_some()
}

/// Notes that events of the connection are registered with a loop.
pub(super) fn registered(conn: Conn, el: Loop) {
    if is_told(conn) {
        return;
    }
    let home = get(conn);
    if !home.is_registered || !home.el.is_at(el.as_ptr()) {
        put(conn, Home { is_registered: true, is_safe_apis: home.is_safe_apis, ..Home::of(Some(el)) });
    }
}

/// Notes whether events of the connection are still registered with a loop that has been told to forget some.
pub(super) fn unregistered(conn: Conn, el: Loop) {
    if is_told(conn) {
        return;
    }
    let event = event_loop::file_event(el, conn.fd());
    let is_left = event.is_some_and(|(mask, owner)| mask != AE_NONE && owner == conn.client_data());
    let home = get(conn);
    if home.is_registered && home.el.is_at(el.as_ptr()) && !is_left {
        put(conn, Home { is_registered: false, ..home });
    }
}

/// Gives the connection another loop, or none.
#[allow(dead_code)] // Only Redis 8 asks for it.
pub(super) fn moved(conn: Conn, el: Option<Loop>) {
    conn.set_own_loop(el.map_or(ptr::null_mut(), Loop::as_ptr));
    if is_allocated_here(conn) {
        put(conn, Home { is_safe_apis: get(conn).is_safe_apis, ..Home::of(el) });
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
        && own(conn, el).is_none()
    {
        return 0;
    }
    get(conn).el.number()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::zeroed;

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
