//! Time events in whole loops.

use super::events::*;
use crate::abi::ae::*;
use crate::abi::profile;
use crate::event_loop::{Loop, create, delete, process_events};
use crate::sys::Errno;
use core::cell::RefCell;
use core::ffi::{c_longlong, c_void};
use core::mem::take;
use core::ptr::{self, NonNull};
use std::collections::{BTreeMap, BTreeSet};

/// A loop with a few timers that are far away.
fn loop_with_timers() -> Loop {
    let el = create(16, None).unwrap();
    (0..10).for_each(|_| _ = create_timer(el, ptr::null_mut()));
    el
}

fn create_timer(el: Loop, finalizer: *mut aeEventFinalizerProc) -> c_longlong {
    // SAFETY: the function is never called, since nothing comes due.
    unsafe { create_time_event(el, 3_600_000, ptr::dangling_mut(), ptr::null_mut(), finalizer).unwrap() }
}

fn delete_timer(el: Loop, id: c_longlong) {
    delete_time_event(el, id).unwrap();
}

fn listed(el: Loop) -> usize {
    // SAFETY: the events in the list are in use.
    unsafe { core::iter::successors(el.timer_list().as_ref(), |event| event.next.as_ref()).count() }
}

#[test]
fn deleted_events_take_bounded_memory() {
    let el = loop_with_timers();
    for _ in 0..100_000 {
        delete_timer(el, create_timer(el, ptr::null_mut()));
    }
    // SAFETY: no callback runs while it lives.
    let timers = unsafe { el.timers() };
    assert!(timers.pool.size() <= 1024);
    assert!(timers.heap.size() <= 1024);
    assert!(listed(el) <= 1024);
    // SAFETY: not used afterwards.
    unsafe { delete(el) };
}

#[test]
fn deleted_events_leave_nothing_of_their_moves() {
    let el = loop_with_timers();
    for _ in 0..10 {
        let id = create_timer(el, ptr::null_mut());
        reset_time_event(el, id, 1_800_000).unwrap();
        delete_timer(el, id);
    }
    // SAFETY: the reference ends here.
    assert_eq!(unsafe { el.timers() }.moved.size(), 0);
    // SAFETY: not used afterwards.
    unsafe { delete(el) };
}

#[test]
fn a_deleted_event_without_finalizer_waits_for_no_pass() {
    let el = loop_with_timers();
    delete_timer(el, create_timer(el, ptr::null_mut()));
    assert_eq!(listed(el), 11);
    assert!(next_deadline(el) > Some(0));
    assert_eq!(listed(el), 10);
    delete_time_events(el);
    assert_eq!(listed(el), 0);
    assert_eq!(process_events(el, AE_TIME_EVENTS | AE_DONT_WAIT).unwrap(), 0);
    // SAFETY: not used afterwards.
    unsafe { delete(el) };
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
    /// Finalizers no longer create anything.
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

/// The handle of the loop that called us.
fn handle(el: *mut aeEventLoop) -> Loop {
    // SAFETY: it is live while its callback runs.
    unsafe { Loop::new(NonNull::new(el).unwrap()) }
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
    act(handle(el), below(3));
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
        let el = handle(el);
        delete_one(el);
        create_one(el);
    }
}

/// The most that the model lets live at once: callbacks create more than they delete.
const MANY: usize = 200;

fn act(el: Loop, steps: usize) {
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

fn create_one(el: Loop) {
    if model(|model| model.live.len() >= MANY) {
        return;
    }
    let delay = [0, 0, 1, 2, 1000, 3_600_000][below(6)];
    let (proc, finalizer) = (on_time as AeTimeProc as *mut aeTimeProc, on_final as AeEventFinalizerProc);
    let finalizer = (below(2) == 0).then_some(finalizer as *mut aeEventFinalizerProc);
    let data = el.next_timer_id() as usize;
    let argument = ptr::without_provenance_mut(data);
    // SAFETY: functions that follow no data.
    let id = unsafe { create_time_event(el, delay, proc, argument, finalizer.unwrap_or(ptr::null_mut())) }.unwrap();
    // SAFETY: an event in the list is in use.
    let aeTimeEvent { id: listed, when, .. } = unsafe { el.timer_list().read() };
    assert_eq!(listed, id);
    model(|model| {
        assert!(model.live.insert(id, Some(when)).is_none());
        model.finalized.extend(finalizer.map(|_| (id, data)));
        if !model.running.is_empty() {
            model.made.insert(id);
        }
    });
}

fn delete_one(el: Loop) {
    let which = below(1000);
    let id = model(|model| {
        let id = model.live.keys().nth(which % model.live.len().max(1)).copied()?;
        model.live.remove(&id);
        model.finalizers.extend(model.finalized.remove(&id));
        Some(id)
    });
    let Some(id) = id else { return };
    delete_timer(el, id);
    assert_eq!(delete_time_event(el, id), Err(Errno::ENOENT));
}

fn pass(el: Loop) {
    model(|model| {
        model.depth += 1;
        if model.depth == 1 {
            (model.made, model.reached) = (BTreeSet::new(), 0);
        }
    });
    process_events(el, AE_TIME_EVENTS | AE_DONT_WAIT).unwrap();
    model(|model| model.depth -= 1);
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
            // SAFETY: the events in the list are in use.
            let events = unsafe {
                core::iter::successors(el.timer_list().as_ref(), |event| {
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
        delete_time_events(el);
        assert_eq!(listed(el), 0);
        // SAFETY: not used afterwards.
        unsafe { delete(el) };
        assert!(model(|model| model.finalizers.is_empty()), "a finalizer did not run");
    }
}
