//! Iterations, one or many.

use super::calls::Place;
use super::file_events::apply_changes;
use super::handle::Loop;
use super::lifecycle::free_if_done;
use super::{embedding, nesting, polling, threads, timers, waking};
use crate::abi::ae::*;
use crate::abi::host::LIBAE_LOG_WARNING;
use crate::host::log;
use crate::sys::text::error_text;
use crate::sys::{Errno, clock};
use core::ffi::c_int;
use core::mem::transmute;
use core::sync::atomic::Ordering::{Relaxed, SeqCst};

/// Runs iterations until the loop is stopped, deleted, or its backend fails.
pub(crate) fn run(el: Loop) -> Result<(), Errno> {
    let place = Place::new();
    threads::note_user(el);
    let depth = nesting::enter(el, &place)?;
    el.set_stop(c_int::from(el.state().breaks.load(Relaxed)));
    let mut result = Ok(0);
    while el.stop() == 0 && result.is_ok() {
        // SAFETY: this call is inside, that deep.
        result = unsafe { iterate(el, AE_ALL_EVENTS | AE_CALL_BEFORE_SLEEP | AE_CALL_AFTER_SLEEP, depth) };
    }
    if let Err(errno) = result {
        log(LIBAE_LOG_WARNING, format_args!("the event loop ends: {}", error_text(errno)));
    }
    leave(el, depth);
    result.map(drop)
}

/// Runs one iteration; returns how many descriptors and time events were processed.
pub(crate) fn process_events(el: Loop, flags: c_int) -> Result<c_int, Errno> {
    if flags & AE_ALL_EVENTS == 0 {
        return Ok(0);
    }
    let place = Place::new();
    let depth = nesting::enter(el, &place)?;
    // SAFETY: this call is inside, that deep.
    let result = unsafe { iterate(el, flags, depth) };
    leave(el, depth);
    result
}

/// Ends a call that is `depth` deep. After the outermost, the program may wait for the backend's own descriptor.
#[inline(always)]
fn leave(el: Loop, depth: u32) {
    nesting::leave(el, depth);
    if depth > 1 {
        return;
    }
    if el.state().has_changes() {
        apply_changes(el);
    }
    if el.state().has_end.load(Relaxed) {
        end(el);
    }
}

/// What is left to do when the outermost call ends.
#[cold]
fn end(el: Loop) {
    let state = el.state();
    if state.deleted.get() {
        // SAFETY: deleted, and this was the last that used it.
        unsafe { free_if_done(el) };
        return;
    }
    // In this order: a stop that comes now is for the next call.
    state.has_end.store(state.embedding.is_on(), SeqCst);
    waking::go_on(el);
    embedding::tell(el);
}

/// How far ahead a deadline has to be, in microseconds, for the coarse clock to tell that nothing is due: longer than
/// any kernel's tick. A clock that is further behind delays time events until the next iteration that finds nothing
/// else.
const FAR_US: u64 = 20_000;

/// # Safety
/// A call is inside the loop, so that no callback frees it, and it is `depth` deep.
#[inline(always)] // Or else it is a call more for `process_events`, which is called for each.
unsafe fn iterate(el: Loop, flags: c_int, depth: u32) -> Result<c_int, Errno> {
    let mut processed = 0;
    let sleeps = flags & AE_TIME_EVENTS != 0 && flags & AE_DONT_WAIT == 0;
    if el.maxfd() != -1 || sleeps || waking::is_told(el) {
        if flags & AE_CALL_BEFORE_SLEEP != 0 {
            call_before_sleep(el);
        }
        // SAFETY: a call is inside.
        processed += unsafe { polling::poll_and_dispatch(el, flags) }?;
        // Handlers may have left calls inside this one.
        nesting::forget_inner(el, depth);
    }
    if flags & AE_TIME_EVENTS != 0
        && let Some(deadline) = timers::next_deadline(el)
    {
        // That nothing was found only spares the precise clock: who has not slept may ask it as well.
        let slept = flags & AE_DONT_WAIT == 0 && processed == 0;
        if slept || deadline <= clock::coarse_now_us() + FAR_US {
            // SAFETY: a call is inside.
            processed += unsafe { timers::process(el, depth) };
        }
    }
    Ok(processed)
}

/// Calls the before-sleep hook, if there is one. Not in a deleted loop: what the hook uses may be gone.
fn call_before_sleep(el: Loop) {
    let proc = el.before_sleep();
    if !proc.is_null() && !el.state().deleted.get() {
        // SAFETY: a function of that type, and whoever has set it lets it be called with the loop; no reference is
        // alive.
        unsafe { transmute::<*mut aeBeforeSleepProc, AeBeforeSleepProc>(proc)(el.as_ptr()) };
    }
}
