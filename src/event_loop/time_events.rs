//! Time events: created, run, deleted, finalized.
//!
//! An event is in the C list (`timeEventHead`) and under its id in the index from its creation to its deletion,
//! and in the heap but while its callback runs. A deleted event with a finalizer waits in the list of the retired until
//! the next pass, where that runs; one that deletes itself goes there when its callback has returned.

use super::heap::{Heap, Slot};
use super::state;
use super::timer_index::TimerIndex;
use super::timer_pool::TimerPool;
use crate::abi::ae::*;
use crate::abi::profile;
use crate::sys::{Errno, clock};
use core::ffi::{c_int, c_longlong, c_void};
use core::mem::{replace, transmute};
use core::ptr;

/// The time events of a loop.
///
/// What is kept once there have been many: 8 MB of the pool, and about 10 bytes for each of the most that were alive at
/// once.
pub(super) struct Timers {
    pool: TimerPool,
    index: TimerIndex,
    heap: Heap,
    /// How many there are that are not deleted.
    live: usize,
    /// Deleted, to be finalized; linked by `next`, with their slots in `when`.
    retired: *mut aeTimeEvent,
    /// The time that the pass under way goes by.
    pass: Option<monotime>,
    /// Due already when they were made or re-armed in a pass, since the clock has not moved: they wait for the next.
    put_off: Vec<Slot>,
}

impl Timers {
    pub(super) fn new() -> Self {
        Self {
            pool: TimerPool::default(),
            index: TimerIndex::default(),
            heap: Heap::default(),
            live: 0,
            retired: ptr::null_mut(),
            pass: None,
            put_off: Vec::new(),
        }
    }

    /// Whether finalizers are waiting.
    pub(super) fn has_deleted(&self) -> bool {
        !self.retired.is_null()
    }

    /// When the next pass has something to do; 0 when it has already.
    pub(super) fn next_deadline(&self) -> Option<monotime> {
        if self.has_deleted() || !self.put_off.is_empty() { Some(0) } else { self.heap.first() }
    }

    /// Makes an event wait for its time.
    fn wait(&mut self, when: monotime, id: c_longlong, slot: Slot) {
        if self.pass.is_some_and(|now| when <= now) && self.put_off.try_reserve(1).is_ok() {
            self.put_off.push(slot);
        } else {
            self.heap.push(when, id, slot);
        }
    }

    /// Makes those wait for their time that the last pass has put off.
    fn wait_again(&mut self) {
        while let Some(slot) = self.put_off.pop() {
            let event = self.pool.get(slot);
            // SAFETY: a live event: one that is deleted leaves the list.
            let (when, id) = unsafe { ((*event).when, (*event).id) };
            self.heap.push(when, id, slot);
        }
    }

    /// Frees a deleted event, or has its finalizer run in the next pass.
    ///
    /// # Safety
    /// The event of this slot is deleted, nothing leads to it any more.
    unsafe fn retire(&mut self, slot: Slot) {
        let event = self.pool.get(slot);
        // SAFETY: the caller vouches for the event.
        unsafe {
            if (*event).finalizerProc.is_null() {
                self.pool.free(slot);
            } else {
                (*event).when = slot.into();
                (*event).next = self.retired;
                self.retired = event;
            }
        }
    }
}

fn deadline(now: monotime, milliseconds: c_longlong) -> monotime {
    now.saturating_add((milliseconds.max(0) as u64).saturating_mul(1000))
}

/// Creates a time event; returns its id.
///
/// # Safety
/// `el` is a live loop of this thread; the functions may be called with `data`.
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
    let slot = timers.pool.allocate()?;
    // Room for every live event, so that putting one back after its callback cannot fail.
    let room = timers.heap.reserve(timers.live + 1, slot).and_then(|()| timers.index.insert(id, slot));
    room.inspect_err(|_| timers.pool.free(slot))?;
    timers.live += 1;
    let when = deadline(clock::now_us(), milliseconds);
    let event = timers.pool.get(slot);
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
    timers.wait(when, id, slot);
    Ok(id)
}

/// Deletes a time event; `ENOENT` when there is none with that id.
///
/// # Safety
/// `el` is a live loop of this thread.
pub(crate) unsafe fn delete_time_event(el: *mut aeEventLoop, id: c_longlong) -> Result<(), Errno> {
    // SAFETY: the caller vouches for the loop; no callback runs here, and the timers are live.
    unsafe {
        let timers = &mut state(el).timers;
        let slot = timers.index.remove(id).ok_or(Errno::ENOENT)?;
        // Read first: among many events it takes a while, in which the heap is put right.
        let event = timers.pool.get(slot);
        let (prev, next) = ((*event).prev, (*event).next);
        timers.heap.remove(slot);
        if !timers.put_off.is_empty() {
            timers.put_off.retain(|other| *other != slot);
        }
        timers.live -= 1;
        match prev.as_mut() {
            Some(prev) => prev.next = next,
            None => (*el).timeEventHead = next,
        }
        if let Some(next) = next.as_mut() {
            next.prev = prev;
        }
        (*event).id = AE_DELETED_EVENT_ID.into();
        (*event).prev = ptr::null_mut();
        if (*event).refcount == 0 {
            timers.retire(slot);
        }
    }
    Ok(())
}

/// Runs the finalizers of the events deleted so far, and frees them.
///
/// # Safety
/// `el` is a live loop of this thread, inside a call that keeps it so.
pub(super) unsafe fn finalize(el: *mut aeEventLoop) {
    // SAFETY: the caller vouches for the loop. The list is ours alone once it is taken, and each event is freed
    // after its finalizer, which may delete others.
    unsafe {
        let mut event = replace(&mut state(el).timers.retired, ptr::null_mut());
        while !event.is_null() {
            let (next, slot) = ((*event).next, (*event).when as Slot);
            call_finalizer(el, event);
            state(el).timers.pool.free(slot);
            event = next;
        }
    }
}

/// Frees all events that are not deleted, with or without their finalizers.
///
/// # Safety
/// `el` is a live loop whose events are not used afterwards.
pub(super) unsafe fn free_all(el: *mut aeEventLoop, finalizes: bool) {
    // SAFETY: the caller vouches for the loop and its events, which nothing leads to once these two are taken.
    unsafe {
        let mut event = replace(&mut (*el).timeEventHead, ptr::null_mut());
        // Their memory stays until the last finalizer has run.
        let timers = replace(&mut state(el).timers, Timers::new());
        while !event.is_null() && finalizes {
            let next = (*event).next;
            call_finalizer(el, event);
            event = next;
        }
        drop(timers);
    }
}

/// # Safety
/// `el` is a live loop, `event` an event of it that nothing leads to any more.
unsafe fn call_finalizer(el: *mut aeEventLoop, event: *mut aeTimeEvent) {
    // SAFETY: the caller vouches for both; the opaque pointer is a function of that type.
    unsafe {
        let finalizer = (*event).finalizerProc;
        if !finalizer.is_null() {
            transmute::<*mut aeEventFinalizerProc, AeEventFinalizerProc>(finalizer)(el, (*event).clientData);
        }
    }
}

/// Runs the events that are due; returns how many. One created or re-armed meanwhile waits for the next pass.
///
/// # Safety
/// `el` is a live loop of this thread, inside `process_events`.
#[inline(never)]
pub(super) unsafe fn process(el: *mut aeEventLoop) -> c_int {
    // SAFETY: the caller vouches for the loop; no reference lives across a callback.
    unsafe {
        finalize(el);
        let timers = &mut state(el).timers;
        timers.wait_again();
        let now = clock::now_us();
        // A pass inside a callback leaves it to the outer one to look at what both put off.
        let outer = timers.pass.replace(now);
        let mut processed = 0;
        while !state(el).deleted
            && let Some(slot) = state(el).timers.heap.pop_due(now)
        {
            run(el, slot);
            processed += 1;
        }
        state(el).timers.pass = outer;
        processed
    }
}

/// Runs one event, which is not in the heap.
///
/// # Safety
/// As for [`process`]; the slot is that of a live event.
unsafe fn run(el: *mut aeEventLoop, slot: Slot) {
    // SAFETY: the caller vouches for the loop. The event is kept by its refcount, which keeps it from being retired; no
    // reference lives across the callback.
    unsafe {
        let event = state(el).timers.pool.get(slot);
        let (id, proc, data) = ((*event).id, (*event).timeProc, (*event).clientData);
        (*event).refcount += 1;
        let again = profile::call_time_proc(proc, el, id, data);
        (*event).refcount -= 1;

        if (*event).id == c_longlong::from(AE_DELETED_EVENT_ID) {
            state(el).timers.retire(slot);
        } else if again == c_longlong::from(AE_NOMORE) {
            // It cannot fail: the event is live under this id.
            let _ = delete_time_event(el, id);
        } else {
            (*event).when = deadline(clock::now_us(), again);
            state(el).timers.wait((*event).when, id, slot);
        }
    }
}
