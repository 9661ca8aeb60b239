//! Descriptors of high priority served: before the others, and again while those have their turn.

use super::dispatch::{dispatch_one, take_over};
use super::handle::Loop;
use crate::abi::ae::*;
use crate::abi::embedding::LIBAE_ORDINARY_PER_LOOK;
use core::ffi::c_int;
use core::sync::atomic::Ordering::Relaxed;

/// How many descriptors a look can find; the next one finds the others. On the stack, since a handler may be left.
const PER_LOOK: usize = 64;

/// Calls the handlers of the descriptors that `poll` has found ready, and of those that looks find meanwhile; returns
/// how many these are.
///
/// # Safety
/// As for [`super::dispatch::dispatch_all`].
#[cold]
#[inline(never)]
pub(super) unsafe fn dispatch_all(el: Loop, fired: *const aeFiredEvent, count: c_int, poll: u64) -> c_int {
    if el.depth() > 1 {
        // SAFETY: the elements are there.
        unsafe { take_over(el, fired, count, poll) };
    }
    // SAFETY: the elements are there.
    let fired = |index: c_int| unsafe { fired.add(index as usize).read() };
    for index in 0..count {
        let one = fired(index);
        if mask_of(el, one.fd) & AE_HIGH_PRIORITY != 0 {
            // SAFETY: a call is inside.
            unsafe { dispatch_one(el, one, poll) };
            // Whatever priority it has by now, this was its turn.
            // SAFETY: the reference ends here.
            unsafe { el.interest() }.settle(&el.state().polls, one.fd, poll);
        }
    }
    let (mut found, mut served) = (0, 0);
    for index in 0..count {
        let one = fired(index);
        // SAFETY: the reference ends here.
        if unsafe { el.interest() }.slot(one.fd).settled >= poll {
            continue;
        }
        if served == LIBAE_ORDINARY_PER_LOOK {
            served = 0;
            // SAFETY: a call is inside.
            found += unsafe { look(el) };
        }
        // SAFETY: a call is inside.
        unsafe { dispatch_one(el, one, poll) };
        served += 1;
    }
    found
}

fn mask_of(el: Loop, fd: c_int) -> c_int {
    // SAFETY: the entry is there.
    el.entry(fd).map_or(AE_NONE, |event| unsafe { (*event).mask })
}

/// Serves the descriptors of high priority that are ready now; returns how many.
///
/// # Safety
/// As for [`dispatch_one`].
unsafe fn look(el: Loop) -> c_int {
    let mut found = [aeFiredEvent { fd: -1, mask: AE_NONE }; PER_LOOK];
    let Some((count, poll)) = poll_high(el, &mut found) else { return 0 };
    // As in a nested call: what this serves is not served by those that found it before.
    // SAFETY: the elements are there.
    unsafe { take_over(el, found.as_ptr(), count, poll) };
    for aeFiredEvent { fd, mut mask } in found.into_iter().take(count as usize) {
        // After readable, which the iteration may have served, writable is not to fire.
        if mask_of(el, fd) & AE_BARRIER != 0 {
            mask &= AE_READABLE;
        }
        if mask & mask_of(el, fd) != 0 {
            // SAFETY: a call is inside.
            unsafe { dispatch_one(el, aeFiredEvent { fd, mask }, poll) };
        }
    }
    count
}

/// Polls for them; says how many there are, and the number of the poll. None if that cannot be now.
fn poll_high(el: Loop, found: &mut [aeFiredEvent]) -> Option<(c_int, u64)> {
    let state = el.state();
    // Another thread's poll has the mutex, maybe for long.
    if state.breaks.load(Relaxed) || state.polling.load(Relaxed) {
        return None;
    }
    let _held = el.hold().ok()?;
    // SAFETY: the reference ends before a callback runs, and the mutex is held.
    let high = unsafe { &mut el.interest().high };
    if high.count == 0 {
        return None;
    }
    state.polls.count_look();
    let count = high.poll(found).ok()?;
    Some((count, state.polls.latest()))
}
