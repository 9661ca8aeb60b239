//! Loops made, changed in size, and freed.

use super::backend::{self, Backend};
use super::calls::Calls;
use super::slots::Slots;
use super::state::{State, hold, state};
use super::timers::store::Timers;
use super::{nesting, threads, timers};
use crate::abi::ae::*;
use crate::abi::host::LIBAE_LOG_WARNING;
use crate::abi::profile;
use crate::host::log;
use crate::host::memory::{self, ZeroedArray};
use crate::sys::{Errno, clock, mutex};
use core::ffi::{CStr, c_int};
use core::mem::replace;
use core::ptr::{self, NonNull};
use core::sync::atomic::AtomicBool;

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
        asked: super::state::Asked::default(),
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
            nesting::look_who_is_inside(el);
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
pub(super) unsafe fn free_if_done(el: *mut aeEventLoop) {
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

/// Changes the set size; `ERANGE` when that would cut a registered descriptor off.
///
/// # Safety
/// `el` is a live loop of this thread.
pub(crate) unsafe fn resize(el: *mut aeEventLoop, setsize: c_int) -> Result<(), Errno> {
    // SAFETY: the caller vouches for the loop, which stays while its mutex is held.
    let _held = unsafe { hold(el) }?;
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
