//! The event loop: create, run, delete.
//!
//! The repr(C) structs of [`crate::abi::ae`] are the storage. What is ours alone is [`State`], behind
//! `apidata`. The rule of this module: no reference to a loop, its state, a slot or a timer is alive while a
//! callback runs, since a callback may change or free any of them; every access afterwards starts from the
//! raw pointer again.

mod backend;
mod file_events;
mod heap;
mod log;
pub(crate) mod memory;
mod threads;
mod time_events;
mod wait;

pub(crate) use file_events::{create_file_event, delete_file_event, file_event, pause_readable};
pub(crate) use log::log;
pub(crate) use threads::{current_for, with_current};
pub(crate) use time_events::{create_time_event, delete_time_event};
pub(crate) use wait::wait;

use crate::abi::ae::*;
use crate::abi::host::LIBAE_LOG_WARNING;
use crate::sys::{Errno, clock};
use backend::{Backend, Fired};
use core::ffi::{CStr, c_int, c_void};
use core::mem::transmute;
use core::ptr::{self, NonNull};
use file_events::{Pause, Slot};
use memory::ZeroedArray;
use time_events::Timers;

/// What a nested call can be told at once; the rest fires again in the next.
const NESTED_FIRED: usize = 1024;

/// The loop's own state.
struct State {
    backend: Backend,
    /// The memory behind `aeEventLoop.events`.
    events: ZeroedArray<aeFileEvent>,
    /// The memory behind `aeEventLoop.fired`, but for nested calls, which bring their own.
    fired: ZeroedArray<aeFiredEvent>,
    /// One for each descriptor below `setsize`.
    slots: ZeroedArray<Slot>,
    /// Descriptors whose interest may differ from what the backend was told.
    changed: Vec<c_int>,
    /// Descriptors that rest; see [`pause_readable`].
    pauses: Vec<Pause>,
    timers: Timers,
    /// How many polls there have been.
    polls: u64,
    /// How many `process_events` are running, one inside the other.
    depth: u32,
    /// How many `run` are.
    runs: u32,
    /// Deleted inside a callback; freed when the outermost call returns.
    deleted: bool,
    /// What the safe API keeps for the loop, NULL for others.
    owner: *mut c_void,
}

/// The state of a loop.
///
/// # Safety
/// `el` is a live loop. The reference must end before a callback runs and before the next call of this.
unsafe fn state<'a>(el: *mut aeEventLoop) -> &'a mut State {
    // SAFETY: `create` stored it there, and the caller vouches for the rest.
    unsafe { &mut *(*el).apidata.cast::<State>() }
}

/// Creates a loop for descriptors below `setsize`, on the named or the default backend.
pub(crate) fn create(setsize: c_int, backend: Option<&CStr>) -> Result<*mut aeEventLoop, Errno> {
    let size = usize::try_from(setsize).ok().filter(|size| *size > 0).ok_or(Errno::EINVAL)?;
    let name = match backend {
        Some(name) => name,
        None => backend::default_name().inspect_err(|_| {
            log(LIBAE_LOG_WARNING, format_args!("LIBAE_BACKEND names no event loop backend that is built in"));
        })?,
    };
    clock::init_host_clock();
    let state = memory::boxed(State {
        backend: Backend::new(name, size)?,
        events: ZeroedArray::new(size)?,
        fired: ZeroedArray::new(size)?,
        slots: ZeroedArray::new(size)?,
        changed: Vec::new(),
        pauses: Vec::new(),
        timers: Timers::new(),
        polls: 0,
        depth: 0,
        runs: 0,
        deleted: false,
        owner: ptr::null_mut(),
    })?;
    // SAFETY: fresh, and nobody else's yet.
    let arrays = unsafe { (state.as_ref().events.as_mut_ptr(), state.as_ref().fired.as_mut_ptr()) };
    let el = memory::boxed(aeEventLoop {
        maxfd: -1,
        setsize,
        timeEventNextId: 0,
        events: arrays.0,
        fired: arrays.1,
        timeEventHead: ptr::null_mut(),
        stop: 0,
        apidata: state.as_ptr().cast(),
        beforesleep: ptr::null_mut(),
        aftersleep: ptr::null_mut(),
        flags: 0,
    })
    // SAFETY: the state is used by nobody.
    .inspect_err(|_| unsafe { memory::unbox(state) })?;
    threads::add(el.as_ptr()).inspect_err(|_| {
        // SAFETY: both are used by nobody.
        unsafe {
            memory::unbox(state);
            memory::unbox(el);
        }
    })?;
    Ok(el.as_ptr())
}

/// Deletes a loop; one that is running, when its outermost call returns.
///
/// # Safety
/// `el` is a live loop of this thread.
pub(crate) unsafe fn delete(el: *mut aeEventLoop) {
    // SAFETY: the caller vouches for the loop.
    unsafe {
        (*el).stop = 1;
        state(el).deleted = true;
        free_if_done(el);
    }
}

/// Frees a deleted loop that no call is running.
///
/// # Safety
/// `el` is a live loop of this thread, not used afterwards if it was deleted.
unsafe fn free_if_done(el: *mut aeEventLoop) {
    // SAFETY: the caller vouches for the loop; finalizers run before anything is freed.
    unsafe {
        let State { deleted, depth, runs, .. } = *state(el);
        if !deleted || depth > 0 || runs > 0 {
            return;
        }
        // A finalizer that deletes the loop once more must not get here again.
        state(el).depth = 1;
        // A finalizer may delete more.
        while state(el).timers.has_deleted() {
            time_events::finalize(el);
        }
        time_events::free_all(el);
        threads::remove(el);
        memory::unbox(NonNull::from(state(el)));
        memory::unbox(NonNull::new_unchecked(el));
    }
}

/// The name of the backend that new loops get.
pub(crate) fn default_backend_name() -> &'static CStr {
    backend::default_name().unwrap_or(backend::platform_name())
}

/// The name of a loop's backend.
///
/// # Safety
/// `el` is a live loop.
pub(crate) unsafe fn backend_name(el: *mut aeEventLoop) -> &'static CStr {
    // SAFETY: the caller vouches for the loop.
    unsafe { state(el) }.backend.name()
}

/// Notes what the safe API keeps for a loop.
///
/// # Safety
/// `el` is a live loop.
pub(crate) unsafe fn set_owner(el: *mut aeEventLoop, owner: *mut c_void) {
    // SAFETY: the caller vouches for the loop.
    unsafe { state(el) }.owner = owner;
}

/// What the safe API keeps for a loop, NULL for others.
///
/// # Safety
/// `el` is a live loop.
pub(crate) unsafe fn owner(el: *mut aeEventLoop) -> *mut c_void {
    // SAFETY: the caller vouches for the loop.
    unsafe { state(el) }.owner
}

/// Changes the set size; `ERANGE` when that would cut a registered descriptor off.
///
/// # Safety
/// `el` is a live loop of this thread.
pub(crate) unsafe fn resize(el: *mut aeEventLoop, setsize: c_int) -> Result<(), Errno> {
    // SAFETY: the caller vouches for the loop.
    let (state, el) = unsafe { (state(el), &mut *el) };
    let size = usize::try_from(setsize).ok().filter(|size| *size > 0).ok_or(Errno::EINVAL)?;
    if setsize == el.setsize {
        return Ok(());
    }
    if el.maxfd >= setsize {
        return Err(Errno::ERANGE);
    }
    let used = (el.maxfd + 1) as usize;
    let events = state.events.resized(size, used)?;
    let slots = state.slots.resized(size, used)?;
    state.backend.resize(size, el.maxfd)?;
    (state.events, state.slots) = (events, slots);
    el.events = state.events.as_mut_ptr();
    el.setsize = setsize;
    // `fired` may be in use by a call that is running; it grows before the next poll.
    Ok(())
}

/// Runs iterations until the loop is stopped, deleted, or its backend fails.
///
/// # Safety
/// `el` is a live loop of this thread.
pub(crate) unsafe fn run(el: *mut aeEventLoop) -> Result<(), Errno> {
    // SAFETY: the caller vouches for the loop; `runs` keeps it from being freed meanwhile.
    unsafe {
        state(el).runs += 1;
        (*el).stop = c_int::from(state(el).deleted);
        let mut result = Ok(());
        while (*el).stop == 0 && result.is_ok() {
            result = process_events(el, AE_ALL_EVENTS | AE_CALL_BEFORE_SLEEP | AE_CALL_AFTER_SLEEP).map(drop);
        }
        if let Err(errno) = result {
            log(LIBAE_LOG_WARNING, format_args!("the event loop ends: {}", crate::sys::text::error_text(errno)));
        }
        state(el).runs -= 1;
        free_if_done(el);
        result
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
    // SAFETY: the caller vouches for the loop; `depth` keeps it from being freed meanwhile.
    unsafe {
        state(el).depth += 1;
        let result = iterate(el, flags);
        state(el).depth -= 1;
        free_if_done(el);
        result
    }
}

/// # Safety
/// As for [`process_events`], which counts the depth.
unsafe fn iterate(el: *mut aeEventLoop, flags: c_int) -> Result<c_int, Errno> {
    let mut processed = 0;
    // SAFETY: the caller vouches for the loop, and no reference lives across a callback.
    unsafe {
        let sleeps = flags & AE_TIME_EVENTS != 0 && flags & AE_DONT_WAIT == 0;
        if (*el).maxfd != -1 || sleeps {
            if flags & AE_CALL_BEFORE_SLEEP != 0 {
                call_sleep_proc(el, (*el).beforesleep);
            }
            processed += poll_and_dispatch(el, flags)?;
        }
        if flags & AE_TIME_EVENTS != 0 {
            processed += time_events::process(el);
        }
    }
    Ok(processed)
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
/// As for [`iterate`].
unsafe fn poll_and_dispatch(el: *mut aeEventLoop, flags: c_int) -> Result<c_int, Errno> {
    // SAFETY: the caller vouches for the loop, and no reference lives across a callback.
    unsafe {
        file_events::end_pauses(el);
        let timeout = poll_timeout(el, flags);
        let outer = (*el).fired;
        let (fired, capacity, nested) = fired_buffer(el)?;
        (*el).fired = fired;

        file_events::apply_changes(el);
        let state = state(el);
        state.polls += 1;
        let poll = state.polls;
        let polled = match state.backend.poll(timeout, Fired::new(fired, capacity)) {
            Err(Errno::EINTR) => Ok(0),
            polled => polled,
        };
        if flags & AE_CALL_AFTER_SLEEP != 0 {
            call_sleep_proc(el, (*el).aftersleep);
        }
        let result = polled.map(|count| {
            if flags & AE_FILE_EVENTS == 0 {
                return 0;
            }
            for index in 0..count {
                file_events::dispatch(el, fired.add(index).read(), poll);
            }
            count as c_int
        });
        if nested.is_some() {
            (*el).fired = outer;
        }
        result
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
    let (state, setsize) = unsafe { (state(el), (*el).setsize as usize) };
    if state.depth > 1 {
        let own = ZeroedArray::new(setsize.min(NESTED_FIRED))?;
        return Ok((own.as_mut_ptr(), own.len(), Some(own)));
    }
    if state.fired.len() < setsize {
        // A smaller buffer works too: what does not fit fires again.
        if let Ok(larger) = ZeroedArray::new(setsize) {
            state.fired = larger;
        }
    }
    Ok((state.fired.as_mut_ptr(), state.fired.len(), None))
}

/// Calls a sleep hook, if there is one and the loop is not at its end: what the hook uses may be gone.
///
/// # Safety
/// `el` is a live loop of this thread; the hook is NULL or an `aeBeforeSleepProc`.
unsafe fn call_sleep_proc(el: *mut aeEventLoop, proc: *mut aeBeforeSleepProc) {
    // SAFETY: the caller vouches for the loop.
    if !proc.is_null() && unsafe { !state(el).deleted } {
        // SAFETY: the opaque pointer is a function of that type.
        unsafe { transmute::<*mut aeBeforeSleepProc, AeBeforeSleepProc>(proc)(el) };
    }
}

/// The entry of the loop's array for a descriptor, None when it is out of range.
///
/// # Safety
/// `el` is a live loop of this thread.
unsafe fn entry(el: *mut aeEventLoop, fd: c_int) -> Option<*mut aeFileEvent> {
    // SAFETY: the caller vouches for the loop; the array has `setsize` elements.
    unsafe { (fd >= 0 && fd < (*el).setsize).then(|| (*el).events.add(fd as usize)) }
}
