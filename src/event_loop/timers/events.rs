//! Time events: created, run, deleted, finalized.
//!
//! An event is under its id in the index from its creation to its deletion, and in the heap but while its callback runs. In
//! the C list (`timeEventHead`) it stays until the loop next looks for a deadline: deleting one of many takes as long as it
//! takes to wait for memory, so that all that can wait is done for many at once. A deleted event with a finalizer then
//! waits in the list of the retired until the next pass, where that runs; one that deletes itself goes when its
//! callback has returned.

use super::pool::Slot;
use super::store::Timers;
use crate::abi::ae::*;
use crate::abi::profile;
use crate::event_loop::nesting;
use crate::event_loop::state::state;
use crate::sys::errno::quietly;
use crate::sys::{Errno, clock};
use core::ffi::{c_int, c_longlong, c_void};
use core::mem::{replace, transmute};
use core::ptr;

fn deadline(now: monotime, milliseconds: c_longlong) -> monotime {
    now.saturating_add((milliseconds.max(0) as u64).saturating_mul(1000))
}

/// Creates a time event; returns its id. `errno` is left alone.
///
/// # Safety
/// `el` is a live loop of this thread; the functions may be called with `data`.
#[inline(always)] // Or else callers that are rare cost the frequent one a call.
pub(crate) unsafe fn create_time_event(
    el: *mut aeEventLoop,
    milliseconds: c_longlong,
    proc: *mut aeTimeProc,
    data: *mut c_void,
    finalizer: *mut aeEventFinalizerProc,
) -> Result<c_longlong, Errno> {
    // SAFETY: the caller vouches for the loop; no callback runs here.
    let (timers, el) = unsafe { (&mut state(el).timers, &mut *el) };
    let id = el.timeEventNextId;
    if !timers.has_room(id) {
        // SAFETY: as above.
        quietly(|| unsafe { timers.make_room(el, id) })?;
    }
    let when = deadline(clock::now_us(), milliseconds);
    let slot = timers.pool.allocate();
    let event = timers.pool.get(slot);
    timers.index.insert(id, slot);
    timers.live += 1;
    // SAFETY: the event is this one's alone, and the list's head is live.
    unsafe {
        event.write(aeTimeEvent {
            id,
            when,
            timeProc: proc,
            finalizerProc: finalizer,
            clientData: data,
            prev: ptr::null_mut(),
            next: el.timeEventHead,
            refcount: 0,
        });
        if let Some(head) = el.timeEventHead.as_mut() {
            head.prev = event;
        }
    }
    el.timeEventHead = event;
    el.timeEventNextId += 1;
    timers.wait(when, id);
    Ok(id)
}

/// Deletes a time event; `ENOENT` when there is none with that id. `errno` is left alone.
///
/// # Safety
/// `el` is a live loop of this thread.
pub(crate) unsafe fn delete_time_event(el: *mut aeEventLoop, id: c_longlong) -> Result<(), Errno> {
    // SAFETY: the caller vouches for the loop; no callback runs here, and the timers are live.
    unsafe {
        let timers = &mut state(el).timers;
        let slot = timers.index.remove(id).ok_or(Errno::ENOENT)?;
        timers.live -= 1;
        let event = timers.pool.get(slot);
        // One that runs is not in the heap. Nothing else is read: of many events, few are at hand in a cache.
        if timers.running == 0 || (*event).refcount == 0 {
            timers.heap.forget();
        }
        (*event).id = AE_DELETED_EVENT_ID.into();
        timers.pool.condemn(slot);
        timers.changed = true;
        // So that the list tells whether there are any.
        if timers.live == 0 {
            timers.unlink_deleted(el);
        }
    }
    Ok(())
}

/// Deletes all time events.
///
/// # Safety
/// `el` is a live loop of this thread.
pub(crate) unsafe fn delete_time_events(el: *mut aeEventLoop) {
    // SAFETY: the caller vouches for the loop. The list has live events only, which stay in it until the last is deleted.
    unsafe {
        state(el).timers.unlink_deleted(el);
        let mut event = (*el).timeEventHead;
        while !event.is_null() {
            let (next, id) = ((*event).next, (*event).id);
            // It fails for one that is running and deleted already.
            let _ = delete_time_event(el, id);
            event = next;
        }
    }
}

/// Runs the finalizers of the events deleted so far, and frees them.
///
/// # Safety
/// `el` is a live loop of this thread, inside a call that keeps it so.
pub(in crate::event_loop) unsafe fn finalize(el: *mut aeEventLoop) {
    // SAFETY: the caller vouches for the loop; no reference lives across a callback, which may delete other events.
    unsafe {
        state(el).timers.begin_finalizing();
        while let Some((finalizer, data)) = state(el).timers.next_to_finalize() {
            call_finalizer(el, finalizer, data);
        }
    }
}

/// Frees all events that are not deleted, with or without their finalizers.
///
/// # Safety
/// `el` is a live loop whose events are not used afterwards.
pub(in crate::event_loop) unsafe fn free_all(el: *mut aeEventLoop, finalizes: bool) {
    // SAFETY: the caller vouches for the loop and its events, which nothing leads to once these two are taken.
    unsafe {
        let mut event = replace(&mut (*el).timeEventHead, ptr::null_mut());
        // Their memory stays until the last finalizer has run.
        let timers = replace(&mut state(el).timers, Timers::new());
        while !event.is_null() && finalizes {
            let next = (*event).next;
            call_finalizer(el, (*event).finalizerProc, (*event).clientData);
            event = next;
        }
        drop(timers);
    }
}

/// # Safety
/// `el` is a live loop; `finalizer` is NULL or an `aeEventFinalizerProc` that may be called with `data`.
unsafe fn call_finalizer(el: *mut aeEventLoop, finalizer: *mut aeEventFinalizerProc, data: *mut c_void) {
    if !finalizer.is_null() {
        // SAFETY: the caller vouches for both; the opaque pointer is a function of that type.
        unsafe { transmute::<*mut aeEventFinalizerProc, AeEventFinalizerProc>(finalizer)(el, data) };
    }
}

/// Runs the events that are due; returns how many. One created or re-armed meanwhile waits for the next pass.
///
/// # Safety
/// `el` is a live loop of this thread, inside a call that is so deep.
#[inline(never)]
pub(in crate::event_loop) unsafe fn process(el: *mut aeEventLoop, depth: u32) -> c_int {
    // SAFETY: the caller vouches for the loop; no reference lives across a callback.
    unsafe {
        finalize(el);
        // Finalizers may have changed something.
        state(el).timers.next_deadline(el);
        let now = clock::now_us();
        let mut processed = 0;
        while !state(el).deleted
            && let Some(slot) = state(el).timers.pop_due(now)
        {
            run(el, slot, depth);
            processed += 1;
        }
        state(el).timers.unlink_deleted(el);
        processed
    }
}

/// Runs one event, which is not in the heap.
///
/// # Safety
/// As for [`process`]; the slot is that of a live event.
unsafe fn run(el: *mut aeEventLoop, slot: Slot, depth: u32) {
    // SAFETY: the caller vouches for the loop. The event is kept by its refcount, which keeps it from being retired; no
    // reference lives across the callback.
    unsafe {
        let event = state(el).timers.pool.get(slot);
        let (id, proc, data) = ((*event).id, (*event).timeProc, (*event).clientData);
        state(el).timers.running += 1;
        (*event).refcount += 1;
        state(el).calls.begin_timer(slot);
        let again = profile::call_time_proc(proc, el, id, data);
        nesting::forget_inner(el, depth);
        if !state(el).calls.end_timer(slot) {
            return;
        }
        let next = if again == c_longlong::from(AE_NOMORE) {
            // It may have done so itself.
            let _ = delete_time_event(el, id);
            None
        } else {
            Some(deadline(clock::now_us(), again))
        };
        state(el).timers.end_run(slot, next);
    }
}
