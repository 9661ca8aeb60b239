//! Iterations, one or many.

use super::calls::Place;
use super::interest::apply_changes;
use super::lifecycle::free_if_done;
use super::state::state;
use super::{nesting, polling, threads, timers};
use crate::abi::ae::*;
use crate::abi::host::LIBAE_LOG_WARNING;
use crate::host::log;
use crate::sys::{Errno, clock};
use core::ffi::c_int;
use core::mem::transmute;

/// Runs iterations until the loop is stopped, deleted, or its backend fails.
///
/// # Safety
/// `el` is a live loop of this thread.
pub(crate) unsafe fn run(el: *mut aeEventLoop) -> Result<(), Errno> {
    let place = Place::new();
    // SAFETY: the caller vouches for the loop, which is not freed while a call is inside.
    unsafe {
        threads::note_user(el);
        let depth = nesting::enter(el, &place)?;
        (*el).stop = c_int::from(state(el).deleted);
        let mut result = Ok(0);
        while (*el).stop == 0 && result.is_ok() {
            result = iterate(el, AE_ALL_EVENTS | AE_CALL_BEFORE_SLEEP | AE_CALL_AFTER_SLEEP, depth);
        }
        if let Err(errno) = result {
            log(LIBAE_LOG_WARNING, format_args!("the event loop ends: {}", crate::sys::text::error_text(errno)));
        }
        leave(el, depth);
        result.map(drop)
    }
}

/// Runs one iteration; returns how many descriptors and time events were processed.
///
/// # Safety
/// `el` is a live loop of this thread.
pub(crate) unsafe fn process_events(el: *mut aeEventLoop, flags: c_int) -> Result<c_int, Errno> {
    if flags & AE_ALL_EVENTS == 0 {
        return Ok(0);
    }
    let place = Place::new();
    // SAFETY: the caller vouches for the loop, which is not freed while a call is inside.
    unsafe {
        // Who runs it later tells when a connection is served: to ask each time would be dear.
        if state(el).polls == 0 {
            threads::note_user(el);
        }
        let depth = nesting::enter(el, &place)?;
        let result = iterate(el, flags, depth);
        leave(el, depth);
        result
    }
}

/// Ends a call that is so deep. Whoever called the outermost may wait for the backend's own descriptor next.
///
/// # Safety
/// `el` is a live loop of this thread, and not used afterwards.
#[inline(always)]
unsafe fn leave(el: *mut aeEventLoop, depth: u32) {
    // SAFETY: the caller vouches for the loop.
    unsafe {
        nesting::leave(el, depth);
        if depth > 1 {
            return;
        }
        if !state(el).changed.is_empty() {
            apply_changes(el);
        }
        if state(el).deleted {
            free_if_done(el);
        }
    }
}

/// How far ahead a deadline has to be, in microseconds, for the coarse clock to tell that nothing is due: longer than any
/// kernel's tick. A clock that is further behind delays time events until the next iteration that finds nothing else.
const FAR_US: u64 = 20_000;

/// # Safety
/// `el` is a live loop of this thread, inside a call that is so deep.
#[inline(always)] // Or else it is a call more for `process_events`, which is called for each.
unsafe fn iterate(el: *mut aeEventLoop, flags: c_int, depth: u32) -> Result<c_int, Errno> {
    let mut processed = 0;
    // SAFETY: the caller vouches for the loop, and no reference lives across a callback.
    unsafe {
        let sleeps = flags & AE_TIME_EVENTS != 0 && flags & AE_DONT_WAIT == 0;
        if (*el).maxfd != -1 || sleeps {
            if flags & AE_CALL_BEFORE_SLEEP != 0 {
                call_before_sleep(el);
            }
            processed += polling::poll_and_dispatch(el, flags)?;
            // Handlers may have left calls inside this one.
            nesting::forget_inner(el, depth);
        }
        if flags & AE_TIME_EVENTS != 0
            && let Some(deadline) = state(el).timers.next_deadline(el)
        {
            let slept = flags & AE_DONT_WAIT == 0 && processed == 0;
            if slept || deadline <= clock::coarse_now_us() + FAR_US {
                processed += timers::process(el, depth);
            }
        }
    }
    Ok(processed)
}

/// Calls the before-sleep hook, if there is one and the loop is not at its end: what the hook uses may be gone.
///
/// # Safety
/// `el` is a live loop of this thread; the hook is NULL or an `aeBeforeSleepProc`.
unsafe fn call_before_sleep(el: *mut aeEventLoop) {
    // SAFETY: the caller vouches for the loop; the opaque pointer is a function of that type.
    unsafe {
        let proc = (*el).beforesleep;
        if !proc.is_null() && !state(el).deleted {
            transmute::<*mut aeBeforeSleepProc, AeBeforeSleepProc>(proc)(el);
        }
    }
}
