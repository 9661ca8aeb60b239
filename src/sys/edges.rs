//! epoll as Linux has it, on Miri's, which tells of changes alone (`EPOLLET`): what is registered is registered anew before
//! each wait, which tells once more what is ready. No other build has this.

use core::ffi::c_int;
use libc::{EPOLL_CTL_DEL, EPOLL_CTL_MOD, EPOLLET, epoll_event};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// By epoll instance and descriptor: the events, and what they come with.
static REGISTERED: Mutex<BTreeMap<(c_int, c_int), (u32, u64)>> = Mutex::new(BTreeMap::new());

fn registered() -> MutexGuard<'static, BTreeMap<(c_int, c_int), (u32, u64)>> {
    REGISTERED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// # Safety
/// As for libc's.
pub(super) unsafe fn epoll_ctl(epoll: c_int, operation: c_int, fd: c_int, event: *mut epoll_event) -> c_int {
    // SAFETY: there is an event.
    let epoll_event { events, u64: data } = unsafe { event.read() };
    let mut edges = epoll_event { events: events | EPOLLET as u32, u64: data };
    // SAFETY: the event outlives the call.
    let result = unsafe { libc::epoll_ctl(epoll, operation, fd, &mut edges) };
    if operation == EPOLL_CTL_DEL || result != 0 {
        registered().remove(&(epoll, fd));
    } else {
        registered().insert((epoll, fd), (events, data));
    }
    result
}

/// # Safety
/// As for libc's.
pub(super) unsafe fn epoll_wait(epoll: c_int, events: *mut epoll_event, capacity: c_int, milliseconds: c_int) -> c_int {
    // Those of descriptors that have been closed are gone.
    registered().retain(|(of, fd), (events, data)| {
        let mut event = epoll_event { events: *events | EPOLLET as u32, u64: *data };
        // SAFETY: the event outlives the call.
        *of != epoll || unsafe { libc::epoll_ctl(epoll, EPOLL_CTL_MOD, *fd, &mut event) } == 0
    });
    // SAFETY: as promised.
    unsafe { libc::epoll_wait(epoll, events, capacity, milliseconds) }
}
