//! Polls, and what is done with what they find. Where the profile allows it, another thread may poll the loop
//! (`aePoll`) while `AE_PROTECT_POLL` is set: then the loop's mutex is held by whoever polls or changes events.

use super::backend::Fired;
use super::memory::ZeroedArray;
use super::{State, file_events, state};
use crate::abi::ae::*;
use crate::abi::profile;
use crate::sys::mutex::Held;
use crate::sys::{Errno, clock};
use core::ffi::c_int;
use core::sync::atomic::Ordering::Relaxed;

/// What a nested call can be told at once; the rest fires again in the next.
const NESTED_FIRED: usize = 1024;

/// The loop's mutex, when another thread may poll it.
///
/// # Safety
/// `el` is a live loop, and stays for as long as the result.
pub(super) unsafe fn hold(el: *mut aeEventLoop) -> Result<Option<Held>, Errno> {
    // SAFETY: the caller vouches for the loop, whose mutex `create` initialised.
    unsafe {
        match profile::poll_mutex(el) {
            Some(mutex) if profile::is_poll_protected(el) => Held::lock(mutex).map(Some),
            _ => Ok(None),
        }
    }
}

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
            file_events::apply_changes(el);
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
        poll_into(el, timeout, fired, capacity).map(|count| count as c_int)
    }
}

/// Polls for at most `timeout` microseconds (None: without end).
///
/// # Safety
/// `el` is a live loop, nobody else polls it, `fired` has room for `capacity` elements.
unsafe fn poll_into(
    el: *mut aeEventLoop,
    timeout: Option<u64>,
    fired: *mut aeFiredEvent,
    capacity: usize,
) -> Result<usize, Errno> {
    // SAFETY: the caller vouches for the loop and the buffer; no callback runs here but the log. The loop's thread may be
    // using the rest of its state meanwhile, so that no reference is made but to the fields that a poll is about; these
    // change only while the mutex is held.
    unsafe {
        let state = (*el).apidata.cast::<State>();
        if !(*state).changed.is_empty() {
            file_events::apply_changes(el);
        }
        (*state).polls += 1;
        (*state).polling.store(true, Relaxed);
        let polled = (*state).backend.poll(timeout, Fired::new(fired, capacity));
        (*state).polling.store(false, Relaxed);
        match polled {
            Err(Errno::EINTR) => Ok(0),
            polled => polled,
        }
    }
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
    let timer = if flags & AE_TIME_EVENTS != 0 { state.timers.next_deadline() } else { None };
    let deadline = timer.into_iter().chain(state.first_pause_end()).min();
    deadline.map(|deadline| deadline.saturating_sub(clock::now_us()))
}

/// Polls, calls the after-sleep hook and the handlers; returns how many descriptors were processed.
///
/// # Safety
/// `el` is a live loop of this thread, inside `process_events`.
pub(super) unsafe fn poll_and_dispatch(el: *mut aeEventLoop, flags: c_int) -> Result<c_int, Errno> {
    // SAFETY: the caller vouches for the loop, and no reference lives across a callback.
    unsafe {
        file_events::end_pauses(el);
        if let Some(count) = profile::custom_poll(el) {
            return after_custom_poll(el, flags, count);
        }
        let timeout = poll_timeout(el, flags);
        let outer = (*el).fired;
        let (fired, capacity, nested) = fired_buffer(el)?;
        (*el).fired = fired;
        let polled = poll_into(el, timeout, fired, capacity);
        let poll = state(el).polls;
        let found = if flags & AE_FILE_EVENTS != 0 { *polled.as_ref().unwrap_or(&0) } else { 0 };
        call_after_sleep(el, flags, found);
        dispatch_all(el, fired, found, poll);
        if nested.is_some() {
            (*el).fired = outer;
        }
        polled.map(|_| found as c_int)
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
        let count = if flags & AE_FILE_EVENTS != 0 { (count as usize).min(state(el).fired.len()) } else { 0 };
        if count == 0 {
            call_after_sleep(el, flags, 0);
            return Ok(0);
        }
        // A copy: handlers may have the loop polled again, by whatever thread.
        let found = state(el).fired.resized(count, count)?;
        let poll = state(el).polls;
        call_after_sleep(el, flags, count);
        dispatch_all(el, found.as_mut_ptr(), count, poll);
        Ok(count as c_int)
    }
}

/// # Safety
/// As for [`poll_and_dispatch`].
unsafe fn call_after_sleep(el: *mut aeEventLoop, flags: c_int, found: usize) {
    // SAFETY: the caller vouches for the loop. At its end what the hook uses may be gone.
    unsafe {
        if flags & AE_CALL_AFTER_SLEEP != 0 && !state(el).deleted {
            profile::call_after_sleep(el, found as c_int);
        }
    }
}

/// # Safety
/// As for [`poll_and_dispatch`]; `fired` has `count` elements.
unsafe fn dispatch_all(el: *mut aeEventLoop, fired: *const aeFiredEvent, count: usize, poll: u64) {
    for index in 0..count {
        // SAFETY: the caller vouches for the loop and the elements.
        unsafe { file_events::dispatch(el, fired.add(index).read(), poll) };
    }
}

/// Where the next poll puts what fired: the loop's buffer, as large as the set; for a call inside a callback
/// a buffer of its own, since the outer call is still reading the loop's.
///
/// # Safety
/// `el` is a live loop of this thread.
unsafe fn fired_buffer(
    el: *mut aeEventLoop,
) -> Result<(*mut aeFiredEvent, usize, Option<ZeroedArray<aeFiredEvent>>), Errno> {
    // SAFETY: the caller vouches for the loop.
    let state = unsafe { state(el) };
    let wanted = state.events.len();
    if state.depth > 1 {
        let own = ZeroedArray::new(wanted.min(NESTED_FIRED))?;
        return Ok((own.as_mut_ptr(), own.len(), Some(own)));
    }
    if state.fired.len() < wanted {
        // A smaller buffer works too: what does not fit fires again.
        if let Ok(larger) = ZeroedArray::new(wanted) {
            state.fired = larger;
        }
    }
    Ok((state.fired.as_mut_ptr(), state.fired.len(), None))
}
