//! Handlers called for the descriptors that fired.

use super::state::{State, entry, state};
use crate::abi::ae::*;
use core::ffi::c_int;
use core::mem::transmute;

/// # Safety
/// As for [`poll_and_dispatch`]; `fired` has `count` elements.
pub(super) unsafe fn dispatch_all(el: *mut aeEventLoop, fired: *const aeFiredEvent, count: c_int, poll: u64) {
    // SAFETY: the caller vouches for the loop and the elements.
    unsafe {
        if state(el).calls.depth() > 1 {
            take_over(el, fired, count, poll);
        }
        for index in 0..count as usize {
            dispatch(el, fired.add(index).read(), poll);
        }
    }
}

/// Makes what outer calls are still to dispatch for these descriptors wait: the nested one that calls this serves them, and
/// if they are still ready they fire again.
///
/// # Safety
/// `el` is a live loop of this thread; `fired` has `count` elements, which `poll` found.
#[cold]
unsafe fn take_over(el: *mut aeEventLoop, fired: *const aeFiredEvent, count: c_int, poll: u64) {
    for index in 0..count as usize {
        // SAFETY: the caller vouches for the loop and the elements.
        unsafe {
            let fd = (*fired.add(index)).fd;
            if entry(el, fd).is_some() {
                state(el).settle(fd, poll - 1);
            }
        }
    }
}

/// Calls the handlers of a descriptor that `poll` found ready.
///
/// # Safety
/// `el` is a live loop of this thread, inside a call.
unsafe fn dispatch(el: *mut aeEventLoop, fired: aeFiredEvent, poll: u64) {
    let aeFiredEvent { fd, mask } = fired;
    // SAFETY: the caller vouches for the loop. Every access looks the entry up again, since the handler before
    // may have deleted the event, closed the descriptor or moved the array.
    unsafe {
        let Some(event) = fresh_entry(el, fd, poll) else { return };
        if mask != AE_READABLE | AE_WRITABLE {
            if (*event).mask & mask != 0 {
                call_handler(el, event, fd, mask, mask);
            }
            return;
        }
        dispatch_both(el, event, fd, poll);
    }
}

/// # Safety
/// As for [`dispatch`]; `event` is the entry of `fd`.
#[inline(never)]
unsafe fn dispatch_both(el: *mut aeEventLoop, event: *mut aeFileEvent, fd: c_int, poll: u64) {
    let mask = AE_READABLE | AE_WRITABLE;
    // SAFETY: as for `dispatch`.
    unsafe {
        let barrier = (*event).mask & AE_BARRIER != 0;
        let (first, second) = if barrier { (AE_WRITABLE, AE_READABLE) } else { (AE_READABLE, AE_WRITABLE) };
        let called = (*event).mask & first != 0;
        if called {
            call_handler(el, event, fd, mask, first);
        }
        let Some(event) = fresh_entry(el, fd, poll) else { return };
        let same = (*event).rfileProc == (*event).wfileProc;
        if (*event).mask & second != 0 && !(called && same) {
            call_handler(el, event, fd, mask, second);
        }
    }
}

/// The entry of a descriptor, unless what `poll` found is no business of its handlers; see [`Slot::settled`]. None also
/// when the loop is at its end.
///
/// # Safety
/// `el` is a live loop of this thread.
unsafe fn fresh_entry(el: *mut aeEventLoop, fd: c_int, poll: u64) -> Option<*mut aeFileEvent> {
    // SAFETY: the caller vouches for the loop.
    unsafe {
        let event = entry(el, fd)?;
        let state = state(el);
        let stale = state.settled >= poll && is_settled(state, fd, poll);
        (!stale).then_some(event)
    }
}

#[inline(never)]
fn is_settled(state: &mut State, fd: c_int, poll: u64) -> bool {
    state.deleted || state.slot(fd).settled >= poll
}

/// # Safety
/// `el` is a live loop; `event` its entry for `fd`, with a handler for `which`.
unsafe fn call_handler(el: *mut aeEventLoop, event: *mut aeFileEvent, fd: c_int, mask: c_int, which: c_int) {
    // SAFETY: the opaque pointer is a function of that type; all is read before it runs.
    unsafe {
        let proc = if which == AE_READABLE { (*event).rfileProc } else { (*event).wfileProc };
        let data = (*event).clientData;
        transmute::<*mut aeFileProc, AeFileProc>(proc)(el, fd, data, mask);
    }
}
