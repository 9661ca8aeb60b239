//! Time events: created, run, deleted, finalized.
//!
//! An event is under its id in the index from its creation to its deletion, and in the heap but while its callback
//! runs. In the C list (`timeEventHead`) it stays until the loop next looks for a deadline: deleting one of many takes
//! as long as it takes to wait for memory, so that all that can wait is done for many at once. A deleted event with a
//! finalizer then waits in the list of the retired until the next pass, where that runs; one that deletes itself goes
//! when its callback has returned.

use super::periodic::{self, Periodic};
use super::pool::Slot;
use super::store::{Timers, deadline};
use crate::abi::ae::*;
use crate::abi::embedding::{aeLoopProc, aePeriodicProc};
use crate::abi::profile;
use crate::event_loop::handle::Loop;
use crate::event_loop::{embedding, nesting};
use crate::host::memory;
use crate::sys::errno::quietly;
use crate::sys::{Errno, clock};
use core::ffi::{c_int, c_longlong, c_void};
use core::mem::{replace, transmute};
use core::ptr;
use core::sync::atomic::Ordering::Relaxed;

/// Creates a time event; returns its id. `errno` is left alone.
///
/// # Safety
/// `proc` and `finalizer`, unless that is NULL, are functions of their types that may be called with `data`.
#[inline(always)] // Or else callers that are rare cost the frequent one a call.
pub(crate) unsafe fn create_time_event(
    el: Loop,
    milliseconds: c_longlong,
    proc: *mut aeTimeProc,
    data: *mut c_void,
    finalizer: *mut aeEventFinalizerProc,
) -> Result<c_longlong, Errno> {
    // SAFETY: no callback runs here.
    let timers = unsafe { el.timers() };
    let id = el.next_timer_id();
    if !timers.has_room(id) {
        // SAFETY: these are its timers.
        quietly(|| unsafe { timers.make_room(el, id) })?;
    }
    let when = deadline(clock::now_us(), milliseconds);
    let slot = timers.pool.allocate();
    let event = timers.pool.get(slot);
    timers.index.insert(id, slot);
    timers.live += 1;
    let next = el.timer_list();
    // SAFETY: the event is this one's alone, and the list's head is live.
    unsafe {
        event.write(aeTimeEvent {
            id,
            when,
            timeProc: proc,
            finalizerProc: finalizer,
            clientData: data,
            prev: ptr::null_mut(),
            next,
            refcount: 0,
        });
        if let Some(next) = next.as_mut() {
            next.prev = event;
        }
    }
    el.set_timer_list(event);
    el.set_next_timer_id(id + 1);
    timers.wait(when, id);
    if timers.is_watched {
        embedding::tell(el);
    }
    Ok(id)
}

/// Creates a time event that runs so many milliseconds from now, and from then on every `period` milliseconds; what
/// passes while it cannot run is left out. Returns its id; `EINVAL` for a period below 1.
///
/// # Safety
/// `proc` and `finalizer`, unless that is NULL, are functions of their types that may be called with `data`.
pub(crate) unsafe fn create_periodic_time_event(
    el: Loop,
    milliseconds: c_longlong,
    period: c_longlong,
    proc: *mut aePeriodicProc,
    data: *mut c_void,
    finalizer: *mut aeLoopProc,
) -> Result<c_longlong, Errno> {
    let periodic = Periodic::boxed(milliseconds, period, proc, data, finalizer)?;
    let run = periodic::run as AeTimeProc as *mut aeTimeProc;
    let end = periodic::end as AeEventFinalizerProc as *mut aeEventFinalizerProc;
    // SAFETY: functions for such data, which lives until the finalizer runs.
    unsafe { create_time_event(el, milliseconds, run, periodic.as_ptr().cast(), end) }
        // SAFETY: it came from `boxed`, and the event has not been made.
        .inspect_err(|_| unsafe { memory::unbox(periodic) })
}

/// Gives a time event another deadline, so many milliseconds from now, from which a periodic one goes on; `ENOENT` when
/// there is none with that id, `EBUSY` while its callback runs.
pub(crate) fn reset_time_event(el: Loop, id: c_longlong, milliseconds: c_longlong) -> Result<(), Errno> {
    // SAFETY: no callback runs here.
    let timers = unsafe { el.timers() };
    let slot = timers.index.get(id).ok_or(Errno::ENOENT)?;
    // SAFETY: what is in the index is in use.
    if unsafe { (*timers.pool.get(slot)).refcount } > 0 {
        return Err(Errno::EBUSY);
    }
    let when = deadline(clock::now_us(), milliseconds);
    timers.move_to(slot, when)?;
    // SAFETY: as above, and it is not running.
    unsafe { periodic::restart(&*timers.pool.get(slot), when) };
    embedding::tell(el);
    Ok(())
}

/// Deletes a time event; `ENOENT` when there is none with that id. `errno` is left alone.
pub(crate) fn delete_time_event(el: Loop, id: c_longlong) -> Result<(), Errno> {
    // SAFETY: no callback runs here.
    let timers = unsafe { el.timers() };
    let slot = timers.index.remove(id).ok_or(Errno::ENOENT)?;
    timers.live -= 1;
    let event = timers.pool.get(slot);
    // One that runs is not in the heap. Nothing else is read: of many events, few are at hand in a cache.
    // SAFETY: what is in the index is in use.
    if timers.running == 0 || unsafe { (*event).refcount } == 0 {
        timers.heap.forget();
    }
    // SAFETY: as above.
    unsafe { (*event).id = AE_DELETED_EVENT_ID.into() };
    timers.pool.condemn(slot);
    timers.changed = true;
    // So that the list tells whether there are any.
    if timers.live == 0 {
        // SAFETY: these are its timers.
        unsafe { timers.unlink_deleted(el) };
    }
    if timers.is_watched {
        timers.moved.forget(id);
        // Its finalizer may be waiting now.
        embedding::tell(el);
    }
    Ok(())
}

/// Deletes all time events.
pub(crate) fn delete_time_events(el: Loop) {
    unlink_deleted(el);
    // Now the list has live events only, which stay in it until the last is deleted.
    let mut event = el.timer_list();
    while !event.is_null() {
        // SAFETY: an event in the list is in use.
        let (next, id) = unsafe { ((*event).next, (*event).id) };
        // It fails for one that is running and deleted already.
        let _ = delete_time_event(el, id);
        event = next;
    }
}

/// When the next pass has something to do; 0 when it has already.
#[inline(always)]
pub(in crate::event_loop) fn next_deadline(el: Loop) -> Option<monotime> {
    // SAFETY: these are its timers; no callback runs here.
    unsafe { el.timers().next_deadline(el) }
}

/// Whether finalizers are waiting.
pub(in crate::event_loop) fn has_deleted(el: Loop) -> bool {
    // SAFETY: these are its timers; no callback runs here.
    unsafe { el.timers().has_deleted(el) }
}

/// Takes the deleted events out of the list.
fn unlink_deleted(el: Loop) {
    // SAFETY: these are its timers; no callback runs here.
    unsafe { el.timers().unlink_deleted(el) };
}

/// Runs the finalizers of the events deleted so far, and frees them.
///
/// # Safety
/// A call is inside the loop, or it is being freed: no finalizer frees it.
pub(in crate::event_loop) unsafe fn finalize(el: Loop) {
    // SAFETY: the reference ends here.
    unsafe { el.timers() }.begin_finalizing();
    // SAFETY: the reference ends before the finalizer runs, which may delete other events.
    while let Some((finalizer, data)) = unsafe { el.timers() }.next_to_finalize() {
        // SAFETY: whoever created the event lets it be called with its data.
        unsafe { call_finalizer(el, finalizer, data) };
    }
}

/// Frees all events that are not deleted, with or without their finalizers.
///
/// # Safety
/// The loop is being freed: no finalizer frees it, and nobody uses these events afterwards.
pub(in crate::event_loop) unsafe fn free_all(el: Loop, finalizes: bool) {
    let mut event = el.timer_list();
    el.set_timer_list(ptr::null_mut());
    // Their memory stays until the last finalizer has run.
    // SAFETY: the reference ends here.
    let timers = replace(unsafe { el.timers() }, Timers::new());
    while !event.is_null() {
        // SAFETY: it is in use, and nothing else leads to it.
        let gone = unsafe { event.read() };
        if finalizes {
            // SAFETY: whoever created the event lets it be called with its data.
            unsafe { call_finalizer(el, gone.finalizerProc, gone.clientData) };
        } else {
            // SAFETY: it is used no more.
            unsafe { periodic::release(&gone) };
        }
        event = gone.next;
    }
    drop(timers);
}

/// # Safety
/// `finalizer` is NULL or an `aeEventFinalizerProc` that may be called with `data`, and does not free the loop.
unsafe fn call_finalizer(el: Loop, finalizer: *mut aeEventFinalizerProc, data: *mut c_void) {
    if !finalizer.is_null() {
        // SAFETY: the opaque pointer is a function of that type.
        unsafe { transmute::<*mut aeEventFinalizerProc, AeEventFinalizerProc>(finalizer)(el.as_ptr(), data) };
    }
}

/// Runs the events that are due; returns how many. One created or re-armed meanwhile waits for the next pass.
///
/// # Safety
/// A call is inside the loop, so that no callback frees it, and it is `depth` deep.
#[inline(never)]
pub(in crate::event_loop) unsafe fn process(el: Loop, depth: u32) -> c_int {
    // SAFETY: a call is inside.
    unsafe { finalize(el) };
    // Finalizers may have changed something, and have left calls inside this one.
    nesting::forget_inner(el, depth);
    next_deadline(el);
    let now = clock::now_us();
    let mut processed = 0;
    while !el.state().breaks.load(Relaxed)
        // SAFETY: the reference ends here.
        && let Some(slot) = unsafe { el.timers() }.pop_due(now)
    {
        // SAFETY: a call is inside, and what is due is in use.
        unsafe { run(el, slot, depth) };
        processed += 1;
    }
    unlink_deleted(el);
    processed
}

/// Runs one event, which is not in the heap.
///
/// # Safety
/// As for [`process`]; the slot is that of an event in use.
unsafe fn run(el: Loop, slot: Slot, depth: u32) {
    // SAFETY: both references end before the callback runs.
    let (timers, calls) = unsafe { (el.timers(), el.calls()) };
    let event = timers.pool.get(slot);
    timers.running += 1;
    calls.begin_timer(slot);
    // SAFETY: the event is in use, and its refcount keeps it so.
    let aeTimeEvent { id, timeProc, clientData, .. } = unsafe {
        (*event).refcount += 1;
        event.read()
    };
    // SAFETY: whoever created the event lets it be called with its data.
    let again = unsafe { profile::call_time_proc(timeProc, el.as_ptr(), id, clientData) };
    nesting::forget_inner(el, depth);
    // SAFETY: the reference ends here.
    if !unsafe { el.calls() }.end_timer(slot) {
        return;
    }
    let next = if again == c_longlong::from(AE_NOMORE) {
        // It may have done so itself.
        let _ = delete_time_event(el, id);
        None
    } else {
        Some(deadline(clock::now_us(), again))
    };
    // SAFETY: the reference ends here.
    unsafe { el.timers() }.end_run(slot, next);
}
