//! Connections that hold data no poll of their socket will announce: records that came together with others.
//!
//! Each belongs to a home: its loop where connections know theirs, else the thread that it was accepted or connected
//! in. I/O threads may read from it, so that the list is behind a lock, and they leave it under its home.

use super::TlsConnection;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Where connections wait, in the order in which they came.
struct Waiting {
    connections: BTreeMap<(usize, u64), Pointer>,
    next: u64,
}

struct Pointer(*mut TlsConnection);

// SAFETY: only a home's own thread follows its pointers.
unsafe impl Send for Pointer {}

static WAITING: Mutex<Waiting> = Mutex::new(Waiting { connections: BTreeMap::new(), next: 1 });
/// How many there are: nobody takes the lock to learn that there are none.
static COUNT: AtomicUsize = AtomicUsize::new(0);

fn waiting() -> MutexGuard<'static, Waiting> {
    WAITING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A connection's place in the list, not to be copied.
#[derive(Default, Debug)]
pub(super) struct Place(Option<(usize, u64)>);

impl Place {
    pub(super) fn is_taken(&self) -> bool {
        self.0.is_some()
    }

    /// Enters the connection, at the end, if it is not there.
    pub(super) fn enter(&mut self, home: usize, conn: *mut TlsConnection) {
        if self.is_taken() {
            return;
        }
        let mut waiting = waiting();
        let place = (home, waiting.next);
        waiting.next += 1;
        waiting.connections.insert(place, Pointer(conn));
        COUNT.store(waiting.connections.len(), Relaxed);
        self.0 = Some(place);
    }

    /// Takes the connection out, if it is there.
    pub(super) fn leave(&mut self) {
        if let Some(place) = self.0.take() {
            let mut waiting = waiting();
            waiting.connections.remove(&place);
            COUNT.store(waiting.connections.len(), Relaxed);
        }
    }
}

/// Whether a connection of that home waits.
pub(super) fn any(home: usize) -> bool {
    COUNT.load(Relaxed) > 0 && waiting().connections.range((home, 0)..=(home, u64::MAX)).next().is_some()
}

/// Behind everybody who waits now.
pub(super) fn end() -> u64 {
    waiting().next
}

/// The first connection of a home that is in front of `end`. It is still in the list.
pub(super) fn first(home: usize, end: u64) -> Option<*mut TlsConnection> {
    if COUNT.load(Relaxed) == 0 {
        return None;
    }
    waiting().connections.range((home, 0)..(home, end)).next().map(|(_, pointer)| pointer.0)
}

/// The home of connections that do not know their loop: this thread.
pub(super) fn thread() -> usize {
    thread_local! {
        static TOKEN: u8 = const { 0 };
    }
    TOKEN.with(|token| core::ptr::from_ref(token) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::ptr;

    #[test]
    fn each_home_has_its_own_in_order() {
        let conns = [1, 2, 3].map(ptr::without_provenance_mut);
        let [mut a, mut b, mut c] = [Place::default(), Place::default(), Place::default()];
        a.enter(8, conns[0]);
        b.enter(16, conns[1]);
        c.enter(8, conns[2]);
        c.enter(8, conns[2]);
        let end = end();
        assert_eq!(first(8, end), Some(conns[0]));
        a.leave();
        a.enter(8, conns[0]);
        assert_eq!(first(8, end), Some(conns[2]));
        c.leave();
        assert_eq!(first(8, end), None);
        assert!(any(8) && any(16) && !any(24));
        a.leave();
        b.leave();
        b.leave();
        assert!(!any(8) && !any(16));
    }
}
