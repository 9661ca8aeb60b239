//! The list of connections with data that no poll of their socket will announce: records that came together with
//! others.
//!
//! Each waits under the number of its loop until it is served or closed; a closed connection must leave, or the list
//! would keep its address. I/O threads read from waiting connections, so the list is behind a lock.

use crate::abi::connection::connection;
use crate::sys::shared::{Shared, Taken};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// A loop's number, and a number that grows with each entry.
type Place = (u64, u64);

struct Waiting {
    connections: BTreeMap<Place, Pointer>,
    next: u64,
}

struct Pointer(*mut connection);

// SAFETY: only the loop's own thread follows its pointers.
unsafe impl Send for Pointer {}

static WAITING: Shared<Waiting> = Shared::new(Waiting { connections: BTreeMap::new(), next: 1 });
/// How many wait. Read without the lock, to find out cheaply that none do.
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// A parent's connections are not a child's to serve.
fn waiting() -> Taken<Waiting> {
    WAITING.lock_own(|waiting| {
        waiting.connections.clear();
        COUNT.store(0, Relaxed);
    })
}

/// A connection's entry in the list. Not to be copied.
#[derive(Default, Debug)]
pub(super) struct Listing(Option<Place>);

impl Listing {
    pub(super) fn is_taken(&self) -> bool {
        self.0.is_some()
    }

    /// Puts the connection behind the others of its loop, unless it waits there already.
    pub(super) fn enter(&mut self, el: u64, conn: *mut connection) {
        if self.0.is_some_and(|(now, _)| now == el) {
            return;
        }
        self.leave();
        let mut list = waiting();
        let place = (el, list.next);
        list.next += 1;
        list.connections.insert(place, Pointer(conn));
        COUNT.store(list.connections.len(), Relaxed);
        self.0 = Some(place);
    }

    /// Takes the connection off the list, if it is there.
    pub(super) fn leave(&mut self) {
        if let Some(place) = self.0.take() {
            let mut list = waiting();
            list.connections.remove(&place);
            COUNT.store(list.connections.len(), Relaxed);
        }
    }
}

/// The number of the first loop from `from` on for which a connection waits.
pub(super) fn first_loop(from: u64) -> Option<u64> {
    if COUNT.load(Relaxed) == 0 {
        return None;
    }
    waiting().connections.range((from, 0)..).next().map(|((el, _), _)| *el)
}

/// A position behind all that wait now.
pub(super) fn end() -> u64 {
    waiting().next
}

/// The first waiting connection of a loop from position `from` on, before `end`, and its position. It stays on the
/// list.
pub(super) fn first(el: u64, from: u64, end: u64) -> Option<(u64, *mut connection)> {
    if COUNT.load(Relaxed) == 0 || from >= end {
        return None;
    }
    waiting().connections.range((el, from)..(el, end)).next().map(|((_, place), pointer)| (*place, pointer.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::ptr;

    #[test]
    fn each_loop_has_its_own_in_order() {
        let conns = [1, 2, 3].map(ptr::without_provenance_mut);
        let [mut a, mut b, mut c] = [Listing::default(), Listing::default(), Listing::default()];
        a.enter(8, conns[0]);
        b.enter(16, conns[1]);
        c.enter(8, conns[2]);
        c.enter(8, conns[2]);
        let end = end();
        let (place, conn) = first(8, 0, end).unwrap();
        assert_eq!(conn, conns[0]);
        assert_eq!(first(8, place + 1, end).unwrap().1, conns[2]);
        a.leave();
        a.enter(8, conns[0]);
        assert_eq!(first(8, 0, end).unwrap().1, conns[2]);
        assert_eq!((first_loop(0), first_loop(9), first_loop(17)), (Some(8), Some(16), None));
        // It moves to another loop.
        c.enter(16, conns[2]);
        assert_eq!(first(8, 0, end), None);
        a.leave();
        b.leave();
        b.leave();
        assert_eq!(first_loop(0), Some(16));
        c.leave();
        assert_eq!(first_loop(0), None);
    }
}
