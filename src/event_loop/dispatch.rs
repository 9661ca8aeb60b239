//! Handlers called for the descriptors that fired.

use super::handle::Loop;
use super::{embedding, waking};
use crate::abi::ae::*;
use core::ffi::c_int;
use core::mem::transmute;
use core::sync::atomic::Ordering::Relaxed;

/// Calls the handlers of the descriptors that `poll` has found ready.
///
/// # Safety
/// A call is inside the loop, so that no callback frees it. `fired` has `count` elements, which stay until this
/// returns.
pub(super) unsafe fn dispatch_all(el: Loop, fired: *const aeFiredEvent, count: c_int, poll: u64) {
    if el.depth() > 1 {
        // SAFETY: the elements are there.
        unsafe { take_over(el, fired, count, poll) };
    }
    for index in 0..count as usize {
        // SAFETY: the elements are there, and a call is inside.
        unsafe { dispatch(el, fired.add(index).read(), poll) };
    }
}

/// Makes what outer calls are still to dispatch for these descriptors wait: the nested one that calls this serves them,
/// and if they are still ready they fire again.
///
/// # Safety
/// `fired` has `count` elements, which `poll` found.
#[cold]
pub(super) unsafe fn take_over(el: Loop, fired: *const aeFiredEvent, count: c_int, poll: u64) {
    for index in 0..count as usize {
        // SAFETY: below the count.
        let fd = unsafe { (*fired.add(index)).fd };
        if el.entry(fd).is_some() {
            // SAFETY: the reference ends here.
            unsafe { el.interest() }.settle(&el.state().polls, fd, poll - 1);
        }
    }
}

/// [`dispatch`] for callers that need not be fast: only one has it inline.
///
/// # Safety
/// As there.
#[cold]
#[inline(never)]
pub(super) unsafe fn dispatch_one(el: Loop, fired: aeFiredEvent, poll: u64) {
    // SAFETY: as promised.
    unsafe { dispatch(el, fired, poll) };
}

/// Calls the handlers of a descriptor that `poll` found ready. Every access looks the entry up again, since the handler
/// before may have deleted the event, closed the descriptor or moved the array.
///
/// # Safety
/// A call is inside the loop, so that no callback frees it.
#[inline(always)]
unsafe fn dispatch(el: Loop, fired: aeFiredEvent, poll: u64) {
    let aeFiredEvent { fd, mask } = fired;
    // SAFETY: a call is inside.
    let Some(event) = fresh_entry(el, fd, poll) else { return unsafe { without_handler(el, fd) } };
    // SAFETY: the entry has just been looked up, and has a handler for what is in its mask.
    unsafe {
        if mask == AE_READABLE | AE_WRITABLE {
            dispatch_both(el, event, fd, poll);
        } else if (*event).mask & mask != 0 {
            call_handler(el, event, fd, mask, mask);
        } else {
            without_handler(el, fd);
        }
    }
}

/// Looks whether it is a descriptor of the loop's own.
///
/// # Safety
/// As for [`dispatch`].
#[cold]
unsafe fn without_handler(el: Loop, fd: c_int) {
    // SAFETY: a call is inside.
    if !unsafe { waking::fired(el, fd) } {
        embedding::fired(el, fd);
    }
}

/// # Safety
/// As for [`dispatch`]; `event` is the entry of `fd`.
#[inline(never)]
unsafe fn dispatch_both(el: Loop, event: *mut aeFileEvent, fd: c_int, poll: u64) {
    let mask = AE_READABLE | AE_WRITABLE;
    // SAFETY: the entry has just been looked up, and has a handler for what is in its mask.
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

/// The entry of a descriptor, unless what `poll` found is stale; see `Slot::settled`. In a loop that breaks off all is
/// stale.
fn fresh_entry(el: Loop, fd: c_int, poll: u64) -> Option<*mut aeFileEvent> {
    let event = el.entry(fd)?;
    let stale = el.state().polls.may_be_stale(poll) && is_stale(el, fd, poll);
    (!stale).then_some(event)
}

#[inline(never)]
fn is_stale(el: Loop, fd: c_int, poll: u64) -> bool {
    // SAFETY: the reference ends here.
    el.state().breaks.load(Relaxed) || unsafe { el.interest() }.slot(fd).settled >= poll
}

/// # Safety
/// As for [`dispatch`]; `event` is its entry for `fd`, with a handler for `which`.
unsafe fn call_handler(el: Loop, event: *mut aeFileEvent, fd: c_int, mask: c_int, which: c_int) {
    // SAFETY: the opaque pointer is a function of that type; all is read before it runs.
    unsafe {
        let proc = if which == AE_READABLE { (*event).rfileProc } else { (*event).wfileProc };
        let data = (*event).clientData;
        transmute::<*mut aeFileProc, AeFileProc>(proc)(el.as_ptr(), fd, data, mask);
    }
}
