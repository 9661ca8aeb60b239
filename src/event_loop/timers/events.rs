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
use crate::event_loop::{calls, state};
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
        calls::forget_inner(el, depth);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event_loop::{create, delete, process_events};
    use core::cell::RefCell;
    use core::mem::take;
    use std::collections::{BTreeMap, BTreeSet};

    /// A loop with a few timers that are far away.
    fn loop_with_timers() -> *mut aeEventLoop {
        let el = create(16, None).unwrap();
        (0..10).for_each(|_| _ = create_timer(el, ptr::null_mut()));
        el
    }

    fn create_timer(el: *mut aeEventLoop, finalizer: *mut aeEventFinalizerProc) -> c_longlong {
        // SAFETY: a live loop; the function is never called, since nothing comes due.
        unsafe { create_time_event(el, 3_600_000, ptr::dangling_mut(), ptr::null_mut(), finalizer).unwrap() }
    }

    fn delete_timer(el: *mut aeEventLoop, id: c_longlong) {
        // SAFETY: a live loop.
        unsafe { delete_time_event(el, id).unwrap() };
    }

    fn listed(el: *mut aeEventLoop) -> usize {
        // SAFETY: a live loop, with live events in its list.
        unsafe { core::iter::successors((*el).timeEventHead.as_ref(), |event| event.next.as_ref()).count() }
    }

    #[test]
    fn deleted_events_take_bounded_memory() {
        let el = loop_with_timers();
        for _ in 0..100_000 {
            delete_timer(el, create_timer(el, ptr::null_mut()));
        }
        // SAFETY: a live loop.
        let timers = unsafe { &state(el).timers };
        assert!(timers.pool.size() <= 1024);
        assert!(timers.heap.size() <= 1024);
        assert!(listed(el) <= 1024);
        // SAFETY: a live loop, not used afterwards.
        unsafe { delete(el) };
    }

    #[test]
    fn a_deleted_event_without_finalizer_waits_for_no_pass() {
        let el = loop_with_timers();
        delete_timer(el, create_timer(el, ptr::null_mut()));
        assert_eq!(listed(el), 11);
        // SAFETY: a live loop, not used after the last call.
        unsafe {
            assert!(state(el).timers.next_deadline(el) > Some(0));
            assert_eq!(listed(el), 10);
            delete_time_events(el);
            assert_eq!(listed(el), 0);
            assert_eq!(process_events(el, AE_TIME_EVENTS | AE_DONT_WAIT).unwrap(), 0);
            delete(el);
        }
    }

    /// What the timers of a loop should be, and where its callbacks note what happens.
    #[derive(Default)]
    struct Model {
        random: u64,
        /// The deadlines of the live, as they were made: None once one has run.
        live: BTreeMap<c_longlong, Option<monotime>>,
        running: BTreeSet<c_longlong>,
        /// What the finalizers that have to run will be called with.
        finalizers: BTreeSet<usize>,
        finalized: BTreeMap<c_longlong, usize>,
        /// What the callbacks of the outermost pass have made, and the last deadline that it has come to.
        made: BTreeSet<c_longlong>,
        reached: monotime,
        depth: u32,
        /// Finalizers create nothing any more.
        ends: bool,
    }

    thread_local! {
        static MODEL: RefCell<Model> = RefCell::default();
    }

    fn model<T>(body: impl FnOnce(&mut Model) -> T) -> T {
        MODEL.with_borrow_mut(body)
    }

    fn below(limit: usize) -> usize {
        model(|model| {
            model.random = model.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (model.random >> 33) as usize % limit
        })
    }

    unsafe extern "C" fn on_time(el: *mut aeEventLoop, id: c_longlong, _data: *mut c_void) -> AeTimeResult {
        model(|model| {
            let deadline = model.live.get_mut(&id).expect("a deleted timer runs").take();
            assert!(model.running.insert(id), "a timer runs inside itself");
            if model.depth == 1 {
                assert!(!model.made.contains(&id), "a timer runs in the pass that it was made in");
                assert!(deadline.is_none_or(|deadline| deadline >= model.reached), "a timer runs too late");
                model.reached = deadline.unwrap_or(model.reached);
            }
        });
        act(el, below(3));
        let again = [profile::DO_NOT_RUN_AGAIN, 0, 1, 50][below(4)];
        model(|model| {
            model.running.remove(&id);
            if again == profile::DO_NOT_RUN_AGAIN && model.live.remove(&id).is_some() {
                model.finalizers.extend(model.finalized.remove(&id));
            }
        });
        again
    }

    unsafe extern "C" fn on_final(el: *mut aeEventLoop, data: *mut c_void) {
        assert!(model(|model| model.finalizers.remove(&data.addr())), "a finalizer runs too early or twice");
        if below(4) == 0 && !model(|model| model.ends) {
            delete_one(el);
            create_one(el);
        }
    }

    /// The most that the model lets live at once: callbacks create more than they delete.
    const MANY: usize = 200;

    fn act(el: *mut aeEventLoop, steps: usize) {
        for _ in 0..steps {
            match below(12) {
                0 if model(|model| model.depth < 3) => pass(el),
                1 => (0..below(150)).for_each(|_| delete_one(el)),
                2 => (0..below(150)).for_each(|_| create_one(el)),
                3..7 => delete_one(el),
                _ => create_one(el),
            }
        }
    }

    fn create_one(el: *mut aeEventLoop) {
        if model(|model| model.live.len() >= MANY) {
            return;
        }
        let delay = [0, 0, 1, 2, 1000, 3_600_000][below(6)];
        let (proc, finalizer) = (on_time as AeTimeProc as *mut aeTimeProc, on_final as AeEventFinalizerProc);
        let finalizer = (below(2) == 0).then_some(finalizer as *mut aeEventFinalizerProc);
        // SAFETY: a live loop.
        unsafe {
            let data = (*el).timeEventNextId as usize;
            let id = create_time_event(
                el,
                delay,
                proc,
                ptr::without_provenance_mut(data),
                finalizer.unwrap_or(ptr::null_mut()),
            );
            let id = id.unwrap();
            let event = (*el).timeEventHead;
            assert_eq!((*event).id, id);
            model(|model| {
                assert!(model.live.insert(id, Some((*event).when)).is_none());
                model.finalized.extend(finalizer.map(|_| (id, data)));
                if !model.running.is_empty() {
                    model.made.insert(id);
                }
            });
        }
    }

    fn delete_one(el: *mut aeEventLoop) {
        let which = below(1000);
        let id = model(|model| {
            let id = model.live.keys().nth(which % model.live.len().max(1)).copied()?;
            model.live.remove(&id);
            model.finalizers.extend(model.finalized.remove(&id));
            Some(id)
        });
        let Some(id) = id else { return };
        delete_timer(el, id);
        // SAFETY: a live loop.
        assert_eq!(unsafe { delete_time_event(el, id) }, Err(Errno::ENOENT));
    }

    fn pass(el: *mut aeEventLoop) {
        // SAFETY: a live loop.
        unsafe {
            model(|model| {
                model.depth += 1;
                if model.depth == 1 {
                    (model.made, model.reached) = (BTreeSet::new(), 0);
                }
            });
            process_events(el, AE_TIME_EVENTS | AE_DONT_WAIT).unwrap();
            model(|model| model.depth -= 1);
        }
    }

    /// Whatever callbacks and finalizers create, delete and run, and however many, the loop agrees with a model.
    #[test]
    fn agrees_with_a_model() {
        for seed in 1..=20 {
            MODEL.set(Model { random: seed, ..Model::default() });
            let el = create(16, None).unwrap();
            for _ in 0..50 {
                act(el, below(5));
                pass(el);
                // SAFETY: a live loop, with live events in its list.
                let events = unsafe {
                    core::iter::successors((*el).timeEventHead.as_ref(), |event| {
                        event.next.as_ref().inspect(|next| assert!(ptr::eq(next.prev, *event)))
                    })
                };
                let mut ids: Vec<_> = events.map(|event| event.id).collect();
                ids.reverse();
                assert!(model(|model| ids.iter().eq(model.live.keys())), "the list is not that of the live timers");
            }
            model(|model| {
                model.live.clear();
                model.finalizers.extend(take(&mut model.finalized).values());
                model.ends = true;
            });
            // SAFETY: a live loop, not used afterwards.
            unsafe {
                delete_time_events(el);
                assert_eq!(listed(el), 0);
                delete(el);
            }
            assert!(model(|model| model.finalizers.is_empty()), "a finalizer did not run");
        }
    }
}
