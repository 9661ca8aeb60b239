//! Polls, and what is done with what they find. Where the profile allows it, another thread may poll the loop
//! (`aePoll`) while `AE_PROTECT_POLL` is set: then the loop's mutex is held by whoever polls or changes events.

use super::backend::Fired;
use super::dispatch::dispatch_all;
use super::interest::apply_changes;
#[cfg(abi_valkey)]
use super::state::hold;
use super::state::{State, state};
use super::{nesting, pauses};
use crate::abi::ae::*;
use crate::abi::profile;
use crate::host::memory::ZeroedArray;
use crate::sys::{Errno, clock};
use core::ffi::c_int;
use core::sync::atomic::Ordering::Relaxed;

/// Says whether another thread may poll the loop from now on.
///
/// # Safety
/// `el` is a live loop of this thread.
#[cfg(abi_valkey)]
pub(crate) unsafe fn set_protected(el: *mut aeEventLoop, protect: bool) {
    // SAFETY: the caller vouches for the loop.
    unsafe {
        if protect {
            // Nothing is put off any more, and what has been is not left to the other thread.
            apply_changes(el);
            (*el).flags |= AE_PROTECT_POLL;
        } else {
            (*el).flags &= !AE_PROTECT_POLL;
        }
    }
}

/// Polls, without calling anybody; returns how many descriptors fired. A custom poll calls this, in the loop's
/// thread or, while the loop is protected, in another.
///
/// # Safety
/// `el` is a live loop of this thread, or protected.
#[cfg(abi_valkey)]
pub(crate) unsafe fn poll(el: *mut aeEventLoop, timeout: Option<u64>) -> Result<c_int, Errno> {
    // SAFETY: the caller vouches for the loop. The buffer is the loop's own: nobody reads it before this returns.
    unsafe {
        let _held = hold(el)?;
        let state = (*el).apidata.cast::<State>();
        let (fired, capacity) = ((*state).fired.as_mut_ptr(), (*state).fired.len());
        poll_into(el, timeout, fired, capacity).or_else(unless_interrupted)
    }
}

/// Polls for at most `timeout` microseconds (None: without end); `EINTR` when a signal came.
///
/// # Safety
/// `el` is a live loop, nobody else polls it, `fired` has room for `capacity` elements.
unsafe fn poll_into(
    el: *mut aeEventLoop,
    timeout: Option<u64>,
    fired: *mut aeFiredEvent,
    capacity: usize,
) -> Result<c_int, Errno> {
    // SAFETY: the caller vouches for the loop and the buffer; no callback runs here but the log. The loop's thread may be
    // using the rest of its state meanwhile, so that no reference is made but to the fields that a poll is about; these
    // change only while the mutex is held.
    unsafe {
        let state = (*el).apidata.cast::<State>();
        if !(*state).changed.is_empty() {
            apply_changes(el);
        }
        (*state).polls += 1;
        (*state).polling.store(true, Relaxed);
        let polled = (*state).backend.poll(timeout, Fired::new(fired, capacity));
        (*state).polling.store(false, Relaxed);
        polled
    }
}

/// A signal ends a poll that has found nothing.
#[cold]
fn unless_interrupted(errno: Errno) -> Result<c_int, Errno> {
    if errno == Errno::EINTR { Ok(0) } else { Err(errno) }
}

/// How long the poll of an iteration may wait, in microseconds; None for without end.
///
/// # Safety
/// `el` is a live loop of this thread.
unsafe fn poll_timeout(el: *mut aeEventLoop, flags: c_int) -> Option<u64> {
    // SAFETY: the caller vouches for the loop. Its own flags are read here, after the before-sleep hook, which
    // may have changed them.
    let (state, flags) = unsafe { (state(el), flags | (*el).flags) };
    if flags & AE_DONT_WAIT != 0 || state.deleted {
        return Some(0);
    }
    // SAFETY: as above.
    let timer = if flags & AE_TIME_EVENTS != 0 { unsafe { state.timers.next_deadline(el) } } else { None };
    if timer.is_none() && state.pauses.is_empty() {
        return None;
    }
    let deadline = timer.into_iter().chain(state.first_pause_end()).min();
    deadline.map(|deadline| deadline.saturating_sub(clock::now_us()))
}

/// Polls, calls the after-sleep hook and the handlers; returns how many descriptors were processed.
///
/// # Safety
/// `el` is a live loop of this thread, inside a call.
pub(super) unsafe fn poll_and_dispatch(el: *mut aeEventLoop, flags: c_int) -> Result<c_int, Errno> {
    // SAFETY: the caller vouches for the loop, and no reference lives across a callback.
    unsafe {
        pauses::end_pauses(el);
        if let Some(custom_poll) = profile::custom_poll(el) {
            // It may wait for the backend's own descriptor.
            if !state(el).changed.is_empty() {
                apply_changes(el);
            }
            let count = custom_poll(el);
            return after_custom_poll(el, flags, count);
        }
        if state(el).calls.depth() > 1 {
            nesting::lend(el)?;
        }
        let (fired, capacity) = fired_buffer(el);
        let polled = poll_into(el, poll_timeout(el, flags), fired, capacity);
        match polled {
            Ok(found) => {
                let poll = state(el).polls;
                let found = if flags & AE_FILE_EVENTS != 0 { found } else { 0 };
                call_after_sleep(el, flags, found);
                dispatch_all(el, fired, found, poll);
                Ok(found)
            }
            Err(errno) => {
                call_after_sleep(el, flags, 0);
                unless_interrupted(errno)
            }
        }
    }
}

/// The loop's buffer for what a poll finds, as large as the set.
///
/// # Safety
/// `el` is a live loop of this thread.
unsafe fn fired_buffer(el: *mut aeEventLoop) -> (*mut aeFiredEvent, usize) {
    // SAFETY: the caller vouches for the loop.
    unsafe {
        if state(el).fired.len() < state(el).events.len() {
            grow_buffer(el);
        }
        (state(el).fired.as_mut_ptr(), state(el).fired.len())
    }
}

/// # Safety
/// As for [`fired_buffer`].
#[cold]
unsafe fn grow_buffer(el: *mut aeEventLoop) {
    // SAFETY: the caller vouches for the loop.
    unsafe {
        // A smaller buffer works too: what does not fit fires again.
        if let Ok(larger) = ZeroedArray::new(state(el).events.len()) {
            nesting::set_buffer(el, larger);
        }
    }
}

/// The same for what a custom poll says the last poll has found.
///
/// # Safety
/// As for [`poll_and_dispatch`].
unsafe fn after_custom_poll(el: *mut aeEventLoop, flags: c_int, count: c_int) -> Result<c_int, Errno> {
    // SAFETY: the caller vouches for the loop, and no reference lives across a callback.
    unsafe {
        if count < 0 {
            call_after_sleep(el, flags, 0);
            return Err(Errno::last());
        }
        let count = if flags & AE_FILE_EVENTS != 0 { count.min(state(el).fired.len() as c_int) } else { 0 };
        if count == 0 {
            call_after_sleep(el, flags, 0);
            return Ok(0);
        }
        // A copy: handlers may have the loop polled again, by whatever thread.
        let found = state(el).fired.resized(count as usize, count as usize)?;
        let (first, poll) = (found.as_mut_ptr(), state(el).polls);
        state(el).calls.keep(found);
        call_after_sleep(el, flags, count);
        dispatch_all(el, first, count, poll);
        Ok(count)
    }
}

/// # Safety
/// As for [`poll_and_dispatch`].
unsafe fn call_after_sleep(el: *mut aeEventLoop, flags: c_int, found: c_int) {
    // SAFETY: the caller vouches for the loop. At its end what the hook uses may be gone.
    unsafe {
        if flags & AE_CALL_AFTER_SLEEP != 0 && !state(el).deleted {
            profile::call_after_sleep(el, found);
        }
    }
}
