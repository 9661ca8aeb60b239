//! Time events: created, run, deleted, finalized.
//!
//! An event is in the C list (`timeEventHead`) and under its id in the map from its creation to its deletion,
//! and in the heap but while its callback runs. A deleted event waits in the list of the retired until the
//! next pass, where its finalizer runs; one that deletes itself goes there when its callback has returned.

use super::heap::{Due, Heap, Indexed};
use super::{memory, state};
use crate::abi::ae::*;
use crate::abi::profile;
use crate::sys::{Errno, clock};
use core::ffi::{c_int, c_longlong, c_void};
use core::mem::{take, transmute};
use core::ptr::{self, NonNull};
use rustc_hash::FxHashMap;

/// A time event and its place in the heap. C code holds pointers to the first member.
#[repr(C)]
struct Timer {
    event: aeTimeEvent,
    /// Its position in the heap, [`NOT_WAITING`] while its callback runs.
    position: usize,
}

const NOT_WAITING: usize = usize::MAX;

/// A timer as the heap and the map hold it: live until it is freed here.
#[derive(Clone, Copy)]
struct TimerRef(NonNull<Timer>);

impl TimerRef {
    fn event(self) -> *mut aeTimeEvent {
        self.0.as_ptr().cast()
    }

    fn position(self) -> usize {
        // SAFETY: live, and no reference to it is.
        unsafe { (*self.0.as_ptr()).position }
    }
}

impl Indexed for TimerRef {
    fn set_position(self, position: usize) {
        // SAFETY: live, and no reference to it is.
        unsafe { (*self.0.as_ptr()).position = position };
    }
}

/// The time events of a loop.
pub(super) struct Timers {
    heap: Heap<TimerRef>,
    by_id: FxHashMap<c_longlong, TimerRef>,
    /// Deleted, to be finalized; linked by `next`.
    retired: *mut aeTimeEvent,
    /// Room for what a pass finds.
    due: Vec<Due>,
}

impl Timers {
    pub(super) fn new() -> Self {
        Self { heap: Heap::new(), by_id: FxHashMap::default(), retired: ptr::null_mut(), due: Vec::new() }
    }

    /// Whether finalizers are waiting.
    pub(super) fn has_deleted(&self) -> bool {
        !self.retired.is_null()
    }

    /// When the next pass has something to do; 0 when finalizers are waiting.
    pub(super) fn next_deadline(&self) -> Option<monotime> {
        if self.has_deleted() { Some(0) } else { self.heap.first() }
    }

    fn retire(&mut self, timer: TimerRef) {
        // SAFETY: live, and in no other list.
        unsafe { (*timer.event()).next = self.retired };
        self.retired = timer.event();
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
    // Room for every live event, so that putting one back after its callback cannot fail.
    timers.heap.reserve_total(timers.by_id.len() + 1)?;
    timers.by_id.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
    let id = el.timeEventNextId;
    let when = deadline(clock::now_us(), milliseconds);
    let event = aeTimeEvent {
        id,
        when,
        timeProc: proc,
        finalizerProc: finalizer,
        clientData: data,
        prev: ptr::null_mut(),
        next: el.timeEventHead,
        refcount: 0,
    };
    let timer = TimerRef(memory::boxed(Timer { event, position: NOT_WAITING })?);
    // SAFETY: the list's head is live.
    if let Some(head) = unsafe { el.timeEventHead.as_mut() } {
        head.prev = timer.event();
    }
    el.timeEventHead = timer.event();
    el.timeEventNextId += 1;
    timers.by_id.insert(id, timer);
    timers.heap.push(when, id, timer);
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
        let timer = timers.by_id.remove(&id).ok_or(Errno::ENOENT)?;
        if timer.position() != NOT_WAITING {
            timers.heap.remove(timer.position());
        }
        let event = timer.event();
        let (prev, next) = ((*event).prev, (*event).next);
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
            timers.retire(timer);
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
        let mut event = core::mem::replace(&mut state(el).timers.retired, ptr::null_mut());
        while !event.is_null() {
            let next = (*event).next;
            call_finalizer(el, event);
            memory::release(NonNull::new_unchecked(event));
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
        let mut event = core::mem::replace(&mut (*el).timeEventHead, ptr::null_mut());
        state(el).timers = Timers::new();
        while !event.is_null() {
            let next = (*event).next;
            if finalizes {
                call_finalizer(el, event);
            }
            memory::release(NonNull::new_unchecked(event));
            event = next;
        }
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
        let Some(first) = timers.heap.first() else { return 0 };
        let now = clock::now_us();
        if first > now {
            return 0;
        }
        let mut due = take(&mut timers.due);
        timers.heap.find_due(now, &mut due);
        let mut processed = 0;
        for due in &due {
            if state(el).deleted {
                break;
            }
            processed += c_int::from(run_if_due(el, due.id(), now));
        }
        let timers = &mut state(el).timers;
        if timers.due.capacity() < due.capacity() {
            timers.due = due;
        }
        processed
    }
}

/// Runs one event, unless it has been deleted, put off or run by a nested pass since it was found due.
///
/// # Safety
/// As for [`process`].
unsafe fn run_if_due(el: *mut aeEventLoop, id: c_longlong, now: monotime) -> bool {
    // SAFETY: the caller vouches for the loop. The event is kept by its refcount, which keeps it out of the
    // retired; no reference lives across the callback.
    unsafe {
        let timers = &mut state(el).timers;
        let Some(&timer) = timers.by_id.get(&id) else { return false };
        let event = timer.event();
        if timer.position() == NOT_WAITING || (*event).when > now {
            return false;
        }
        timers.heap.remove(timer.position());
        timer.set_position(NOT_WAITING);
        (*event).refcount += 1;
        let (proc, data) = ((*event).timeProc, (*event).clientData);
        let again = profile::call_time_proc(proc, el, id, data);
        (*event).refcount -= 1;

        if (*event).id == c_longlong::from(AE_DELETED_EVENT_ID) {
            state(el).timers.retire(timer);
        } else if again == c_longlong::from(AE_NOMORE) {
            // It cannot fail: the event is live under this id.
            let _ = delete_time_event(el, id);
        } else {
            (*event).when = deadline(clock::now_us(), again);
            state(el).timers.heap.push((*event).when, id, timer);
        }
        true
    }
}
