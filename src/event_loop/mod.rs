//! The event loop: create, run, delete.
//!
//! The repr(C) structs of [`crate::abi::ae`] are the storage. What is ours alone is [`State`], behind
//! `apidata`. The rule of this module: no reference to a loop, its state, a slot or a timer is alive while a
//! callback runs, since a callback may change or free any of them; every access afterwards starts from the
//! raw pointer again.
//!
//! Callbacks may be left by `longjmp`, by an exception or by the end of their thread. No destructor runs then in what
//! has called them, which is built with `panic = "abort"`: `calls` puts right what is left behind.

mod backend;
mod calls;
mod file_events;
#[cfg(feature = "tls")]
mod library_timer;
mod polling;
mod slots;
mod threads;
mod timers;
mod wait;

pub(crate) use crate::host::{log, memory};
pub(crate) use file_events::{create_file_event, delete_file_event, file_event, pause_readable};
#[cfg(feature = "tls")]
pub(crate) use library_timer::LibraryTimer;
#[cfg(abi_valkey)]
pub(crate) use polling::{poll, set_protected};
#[cfg(feature = "tls")]
pub(crate) use threads::is_used_here;
#[allow(unused_imports)] // Some profiles' listeners ask which loop is watching.
pub(crate) use threads::{LoopHandle, newest, note_user, thread, watching};
pub(crate) use timers::{create_time_event, delete_time_event, delete_time_events};
pub(crate) use wait::wait;

use crate::abi::ae::*;
use crate::abi::host::LIBAE_LOG_WARNING;
use crate::abi::profile;
use crate::host::memory::ZeroedArray;
use crate::sys::{Errno, clock, mutex};
use backend::Backend;
use calls::{Calls, Place};
use core::ffi::{CStr, c_int, c_void};
use core::mem::{replace, transmute};
use core::ptr::{self, NonNull};
use core::sync::atomic::AtomicBool;
use file_events::Pause;
use slots::Slots;
use timers::Timers;

/// The loop's own state.
struct State {
    backend: Backend,
    /// The memory behind `aeEventLoop.events`.
    events: ZeroedArray<aeFileEvent>,
    /// The memory behind `aeEventLoop.fired`, but for nested calls, which bring their own.
    fired: ZeroedArray<aeFiredEvent>,
    slots: Slots,
    /// Descriptors whose interest may differ from what the backend was told.
    changed: Vec<c_int>,
    /// Descriptors that rest; see [`pause_readable`].
    pauses: Vec<Pause>,
    timers: Timers,
    /// How many polls there have been.
    polls: u64,
    /// No slot's `settled` is larger, so that one look tells that none matters. Without bound when the loop is deleted.
    settled: u64,
    /// Whether one is under way: another thread may then change what the loop waits for.
    polling: AtomicBool,
    /// Who is inside.
    calls: Calls,
    /// Deleted inside a callback; freed when the outermost call returns.
    deleted: bool,
    /// Being freed.
    freeing: bool,
    /// What the safe API keeps for the loop, NULL for others.
    owner: *mut c_void,
    /// What no other loop has or gets.
    number: u64,
    /// The thread that uses it, as far as it is known: see [`threads`].
    user: u64,
    #[cfg(feature = "tls")]
    asked: Asked,
}

/// What a loop's program does about data that no poll will announce; `connection::tls` keeps it.
#[cfg(feature = "tls")]
#[derive(Default)]
pub(crate) struct Asked {
    /// How often it has asked for such data.
    pub(crate) asks: u64,
    /// How often it had when somebody last looked.
    pub(crate) seen: u64,
    /// Whether a time event is to look.
    pub(crate) is_looked_after: bool,
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
    let count = profile::event_count(size, 0);
    let state = memory::boxed(State {
        backend: Backend::new(name, size)?,
        events: ZeroedArray::new(count)?,
        fired: ZeroedArray::new(count)?,
        slots: Slots::new(size)?,
        changed: Vec::new(),
        pauses: Vec::new(),
        timers: Timers::new(),
        polls: 0,
        settled: 0,
        polling: AtomicBool::new(false),
        calls: Calls::new(),
        deleted: false,
        freeing: false,
        owner: ptr::null_mut(),
        number: threads::next_number(),
        user: threads::thread(),
        #[cfg(feature = "tls")]
        asked: Asked::default(),
    })?;
    let el = memory::boxed(aeEventLoop::new(setsize, state.as_ptr().cast()))
        // SAFETY: the state is used by nobody.
        .inspect_err(|_| unsafe { memory::unbox(state) })?;
    // SAFETY: fresh, and nobody else's yet.
    let ready = unsafe {
        let arrays = state.as_ref();
        (*el.as_ptr()).set_events(arrays.events.as_mut_ptr(), arrays.events.len());
        (*el.as_ptr()).fired = arrays.fired.as_mut_ptr();
        profile::poll_mutex(el.as_ptr()).map_or(Ok(()), |mutex| mutex::init(mutex))
    };
    // SAFETY: as above.
    let number = unsafe { state.as_ref() }.number;
    ready.and_then(|()| threads::add(el.as_ptr(), number)).inspect_err(|_| {
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
        state(el).settled = u64::MAX;
        if state(el).calls.depth() > 0 {
            calls::look_who_is_inside(el);
        }
        free_if_done(el);
    }
}

/// Rounds of finalizers when a loop is freed, besides one for each time event that there is: as long a chain of
/// finalizers that create and delete events runs to its end, and none runs forever.
const SPARE_ROUNDS: usize = 1000;

/// Frees a deleted loop unless a call is running it.
///
/// # Safety
/// `el` is a live loop of this thread, deleted, and not used afterwards.
unsafe fn free_if_done(el: *mut aeEventLoop) {
    // SAFETY: the caller vouches for the loop; finalizers run before anything is freed.
    unsafe {
        // A finalizer that deletes the loop once more, or runs it, must not get further.
        if state(el).calls.depth() > 0 || replace(&mut state(el).freeing, true) {
            return;
        }
        // A finalizer may delete more, and create some; those get none.
        let mut finalizes = profile::DELETE_FINALIZES;
        let mut rounds = SPARE_ROUNDS + state(el).timers.live;
        loop {
            while state(el).timers.has_deleted(el) && rounds > 0 {
                rounds -= 1;
                timers::finalize(el);
            }
            if (*el).timeEventHead.is_null() {
                break;
            }
            timers::free_all(el, finalizes);
            finalizes = false;
        }
        threads::remove(el);
        if let Some(mutex) = profile::poll_mutex(el) {
            mutex::destroy(mutex);
        }
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

/// What its program does about data that no poll will announce.
///
/// # Safety
/// `el` is a live loop of this thread. The reference must end before a callback runs and before the next call of this.
#[cfg(feature = "tls")]
pub(crate) unsafe fn asked<'a>(el: *mut aeEventLoop) -> &'a mut Asked {
    // SAFETY: the caller vouches for the loop.
    unsafe { &mut state(el).asked }
}

/// Changes the set size; `ERANGE` when that would cut a registered descriptor off.
///
/// # Safety
/// `el` is a live loop of this thread.
pub(crate) unsafe fn resize(el: *mut aeEventLoop, setsize: c_int) -> Result<(), Errno> {
    // SAFETY: the caller vouches for the loop, which stays while its mutex is held.
    let _held = unsafe { polling::hold(el) }?;
    // SAFETY: the caller vouches for the loop.
    unsafe { threads::note_user(el) };
    // SAFETY: the caller vouches for the loop.
    let (state, el) = unsafe { (state(el), &mut *el) };
    let size = usize::try_from(setsize).ok().filter(|size| *size > 0).ok_or(Errno::EINVAL)?;
    if setsize == el.setsize {
        return Ok(());
    }
    if el.maxfd >= setsize {
        return Err(Errno::ERANGE);
    }
    let count = profile::event_count(size, state.events.len());
    let events = state.resized_events(count, el.maxfd)?;
    state.backend.resize(size, el.maxfd)?;
    state.replace_events(el, events);
    state.slots.forget(size);
    el.setsize = setsize;
    Ok(())
}

type Events = ZeroedArray<aeFileEvent>;

impl State {
    /// A copy of `events` with `count` elements.
    fn resized_events(&self, count: usize, maxfd: c_int) -> Result<Events, Errno> {
        self.events.resized(count, (maxfd + 1) as usize)
    }

    /// Puts it in its place. `fired` may be in use by a call that is running; it grows before the next poll.
    fn replace_events(&mut self, el: &mut aeEventLoop, events: Events) {
        self.events = events;
        el.set_events(self.events.as_mut_ptr(), self.events.len());
    }
}

/// Makes room in `events` for a descriptor below the set size.
///
/// # Safety
/// `el` is a live loop of this thread.
unsafe fn grow_events(el: *mut aeEventLoop, fd: c_int) -> Result<(), Errno> {
    // SAFETY: the caller vouches for the loop.
    let (state, el) = unsafe { (state(el), &mut *el) };
    let (now, needed) = (state.events.len(), fd as usize + 1);
    if needed > now {
        let events = state.resized_events((now * 2).max(needed).min(el.setsize as usize), el.maxfd)?;
        state.replace_events(el, events);
    }
    Ok(())
}

/// Runs iterations until the loop is stopped, deleted, or its backend fails.
///
/// # Safety
/// `el` is a live loop of this thread.
pub(crate) unsafe fn run(el: *mut aeEventLoop) -> Result<(), Errno> {
    let place = Place::new();
    // SAFETY: the caller vouches for the loop, which is not freed while a call is inside.
    unsafe {
        threads::note_user(el);
        let depth = calls::enter(el, &place)?;
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
        let depth = calls::enter(el, &place)?;
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
        calls::leave(el, depth);
        if depth > 1 {
            return;
        }
        if !state(el).changed.is_empty() {
            file_events::apply_changes(el);
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
            calls::forget_inner(el, depth);
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

/// The entry of the loop's array for a descriptor, None when there is none (yet).
///
/// # Safety
/// `el` is a live loop of this thread.
unsafe fn entry(el: *mut aeEventLoop, fd: c_int) -> Option<*mut aeFileEvent> {
    // SAFETY: the caller vouches for the loop.
    let events = unsafe { &state(el).events };
    // Below zero becomes more than any array has.
    let index = fd as u32 as usize;
    // SAFETY: the array has that many elements.
    (index < events.len()).then(|| unsafe { events.as_mut_ptr().add(index) })
}
