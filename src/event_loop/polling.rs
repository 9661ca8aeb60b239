//! Polls, and what is done with what they find. Where the profile allows it, another thread may poll the loop
//! (`aePoll`) while `AE_PROTECT_POLL` is set: then the loop's mutex is held by whoever polls or changes events.

use super::backend::Fired;
use super::file_events::apply_changes;
use super::handle::Loop;
use super::{dispatch, looks, nesting, pauses, timers, waking};
use crate::abi::ae::*;
use crate::abi::profile;
use crate::host::memory::ZeroedArray;
use crate::sys::{Errno, clock};
use core::ffi::c_int;
use core::sync::atomic::Ordering::Relaxed;

/// Says whether another thread may poll the loop from now on.
#[cfg(abi_valkey)]
pub(crate) fn set_protected(el: Loop, protect: bool) {
    if protect {
        // From now on nothing is put off. What has been is not left to the other thread.
        apply_changes(el);
    }
    el.set_flag(AE_PROTECT_POLL, protect);
}

/// Polls, without calling anybody; returns how many descriptors fired. A custom poll calls this, in the loop's
/// thread or, while the loop is protected, in another.
#[cfg(abi_valkey)]
pub(crate) fn poll(el: Loop, timeout: Option<u64>) -> Result<c_int, Errno> {
    let _held = el.hold()?;
    let (fired, capacity) = el.state().fired();
    // SAFETY: the buffer is the loop's own: nobody reads or replaces it before this returns.
    unsafe { poll_into(el, timeout, fired, capacity) }.or_else(unless_interrupted)
}

/// Polls for at most `timeout` microseconds (None: forever); `EINTR` when a signal came.
///
/// # Safety
/// `fired` has room for `capacity` elements, and nobody else uses it.
unsafe fn poll_into(el: Loop, timeout: Option<u64>, fired: *mut aeFiredEvent, capacity: usize) -> Result<c_int, Errno> {
    let state = el.state();
    if state.has_changes() {
        apply_changes(el);
    }
    state.polls.count_one();
    state.polling.store(true, Relaxed);
    // SAFETY: no callback runs here. The loop's thread may be using the rest of its state meanwhile, but not the
    // backend: for that it takes the mutex.
    let polled = unsafe { state.backend().poll(timeout, Fired::new(fired, capacity)) };
    state.polling.store(false, Relaxed);
    polled
}

/// A signal ends a poll that has found nothing.
#[cold]
fn unless_interrupted(errno: Errno) -> Result<c_int, Errno> {
    if errno == Errno::EINTR { Ok(0) } else { Err(errno) }
}

/// How long the poll of an iteration may wait, in microseconds; None for forever. The loop's own flags are read here,
/// after the before-sleep hook, which may have changed them.
fn poll_timeout(el: Loop, flags: c_int) -> Option<u64> {
    let flags = flags | el.flags();
    if flags & (AE_DONT_WAIT | STOPS_WHEN_IDLE) != 0 || el.state().deleted.get() {
        if flags & AE_DONT_WAIT != 0 || el.state().deleted.get() {
            return Some(0);
        }
        if is_idle(el, flags) {
            el.set_stop(1);
            return Some(0);
        }
    }
    let timer = if flags & AE_TIME_EVENTS != 0 { timers::next_deadline(el) } else { None };
    // SAFETY: the reference ends before this returns.
    let interest = unsafe { el.interest() };
    if timer.is_none() && interest.pauses.is_empty() {
        return None;
    }
    let deadline = timer.into_iter().chain(interest.first_pause_end()).min();
    deadline.map(|deadline| deadline.saturating_sub(clock::now_us()))
}

/// A flag of a loop's own, beside those that C knows: `run` ends when nothing is registered.
const STOPS_WHEN_IDLE: c_int = 1 << 30;

/// Says whether `run` ends when nothing is registered.
pub(crate) fn set_stops_when_idle(el: Loop, on: bool) {
    el.set_flag(STOPS_WHEN_IDLE, on);
}

/// Whether an iteration over all events has nothing to wait for.
#[cold]
fn is_idle(el: Loop, flags: c_int) -> bool {
    flags & AE_TIME_EVENTS != 0
        && el.maxfd() == -1
        && timers::next_deadline(el).is_none()
        && el.state().signals.is_empty()
        && el.state().requests.is_empty()
        && !waking::is_told(el)
}

/// Polls, calls the after-sleep hook and the handlers; returns how many descriptors were processed.
///
/// # Safety
/// A call is inside the loop, so that no callback frees it.
pub(super) unsafe fn poll_and_dispatch(el: Loop, flags: c_int) -> Result<c_int, Errno> {
    pauses::end_pauses(el);
    // SAFETY: the loop is live, and its custom poll a function of that type.
    if let Some(custom_poll) = unsafe { profile::custom_poll(el.as_ptr()) } {
        // It may wait for the backend's own descriptor.
        if el.state().has_changes() {
            apply_changes(el);
        }
        // SAFETY: a call is inside, and no reference is alive.
        return unsafe { after_custom_poll(el, flags, custom_poll(el.as_ptr())) };
    }
    if el.depth() > 1 {
        nesting::lend(el)?;
    }
    let (fired, capacity) = fired_buffer(el);
    // SAFETY: the buffer is this call's until it ends: a nested one gets another.
    match unsafe { poll_into(el, poll_timeout(el, flags), fired, capacity) } {
        Ok(found) => {
            let poll = el.state().polls.latest();
            let found = if flags & AE_FILE_EVENTS != 0 { found } else { 0 };
            call_after_sleep(el, flags, found);
            if found == 0 {
                return Ok(0);
            }
            // SAFETY: a call is inside, and the buffer is this call's.
            Ok(found + unsafe { serve(el, fired, found, poll) })
        }
        Err(errno) => {
            call_after_sleep(el, flags, 0);
            unless_interrupted(errno)
        }
    }
}

/// The loop's buffer for what a poll finds, as large as the set.
fn fired_buffer(el: Loop) -> (*mut aeFiredEvent, usize) {
    let state = el.state();
    let (fired, capacity) = state.fired();
    if capacity < state.event_count() { larger_buffer(el) } else { (fired, capacity) }
}

#[cold]
fn larger_buffer(el: Loop) -> (*mut aeFiredEvent, usize) {
    // A smaller buffer works too: what does not fit fires again.
    if let Ok(larger) = ZeroedArray::new(el.state().event_count()) {
        drop(el.replace_fired(larger));
    }
    el.state().fired()
}

/// The same for what a custom poll says the last poll has found.
///
/// # Safety
/// As for [`poll_and_dispatch`].
unsafe fn after_custom_poll(el: Loop, flags: c_int, count: c_int) -> Result<c_int, Errno> {
    if count < 0 {
        call_after_sleep(el, flags, 0);
        // A C function has said why in errno.
        return Err(Errno::last());
    }
    let (_, capacity) = el.state().fired();
    let count = if flags & AE_FILE_EVENTS != 0 { count.min(capacity as c_int) } else { 0 };
    if count == 0 {
        call_after_sleep(el, flags, 0);
        return Ok(0);
    }
    // A copy: handlers may have the loop polled again, by whatever thread.
    let found = el.state().copy_of_fired(count as usize)?;
    let (first, poll) = (found.as_mut_ptr(), el.state().polls.latest_whole());
    // SAFETY: the reference ends here.
    unsafe { el.calls() }.keep(found);
    call_after_sleep(el, flags, count);
    // SAFETY: a call is inside, and keeps the copy.
    Ok(count + unsafe { serve(el, first, count, poll) })
}

/// Calls the handlers of the descriptors that `poll` has found ready; returns how many more were processed.
///
/// # Safety
/// As for [`dispatch::dispatch_all`].
#[inline(always)]
unsafe fn serve(el: Loop, fired: *const aeFiredEvent, count: c_int, poll: u64) -> c_int {
    // SAFETY: the reference ends here; the rest is the caller's promise.
    unsafe {
        if el.interest().high.count > 0 {
            return looks::dispatch_all(el, fired, count, poll);
        }
        dispatch::dispatch_all(el, fired, count, poll);
    }
    0
}

/// Calls the after-sleep hook, if it is asked for. At the loop's end what the hook uses may be gone.
fn call_after_sleep(el: Loop, flags: c_int, found: c_int) {
    if flags & AE_CALL_AFTER_SLEEP != 0 && !el.state().deleted.get() {
        // SAFETY: whoever has set the hook lets it be called with the loop; no reference is alive.
        unsafe { profile::call_after_sleep(el.as_ptr(), found) };
    }
}
