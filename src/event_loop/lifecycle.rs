//! Loops made, changed in size, and freed.

use super::backend::{self, Backend};
use super::handle::Loop;
use super::interest::InterestTable;
use super::state::State;
use super::{nesting, requests, signals, threads, timers, waking};
use crate::abi::ae::*;
use crate::abi::host::LIBAE_LOG_WARNING;
use crate::abi::profile;
use crate::host::log;
use crate::host::memory::{self, ZeroedArray};
use crate::sys::waker::Waker;
use crate::sys::{Errno, clock, mutex};
use core::ffi::{CStr, c_int};
use core::ptr::NonNull;

/// Creates a loop for descriptors below `setsize`, on the named or the default backend.
pub(crate) fn create(setsize: c_int, backend: Option<&CStr>) -> Result<Loop, Errno> {
    let size = usize::try_from(setsize).ok().filter(|size| *size > 0).ok_or(Errno::EINVAL)?;
    let name = match backend {
        Some(name) => name,
        None => backend::default_name().inspect_err(|_| {
            log(LIBAE_LOG_WARNING, format_args!("LIBAE_BACKEND names no event loop backend that is built in"));
        })?,
    };
    clock::init_host_clock();
    let (mut backend, interest) = (Backend::new(name, size)?, InterestTable::new(size)?);
    let count = profile::event_count(size, 0);
    let (events, fired) = (ZeroedArray::new(count)?, ZeroedArray::new(count)?);
    let (first_event, first_fired) = (events.as_mut_ptr(), fired.as_mut_ptr());
    let number = threads::next_number();
    // Where nothing can be added while another thread polls, the waker is there before.
    let waker = if backend.poller().is_none() { Some(Waker::new()?) } else { None };
    let watched = waker.map_or(Ok(()), |waker| backend.set_waker(waker.read));
    let state = State::new(backend, interest, events, fired, number, threads::thread());
    if let Some(waker) = waker {
        state.wakeup.set_waker(waker);
    }
    watched?;
    let state = memory::boxed(state)?;
    let el = memory::boxed(aeEventLoop::new(setsize, state.as_ptr().cast()))
        // SAFETY: the state is used by nobody.
        .inspect_err(|_| unsafe { memory::unbox(state) })?;
    // SAFETY: fresh, and deleted by whoever gets it.
    let handle = unsafe { Loop::new(el) };
    handle.set_events(first_event, count);
    handle.set_fired(first_fired);
    init_mutex(handle).and_then(|()| threads::add(handle, number)).inspect_err(|_| {
        // SAFETY: both are used by nobody.
        unsafe {
            memory::unbox(state);
            memory::unbox(el);
        }
    })?;
    Ok(handle)
}

fn init_mutex(el: Loop) -> Result<(), Errno> {
    // SAFETY: the loop is live and stays where it is; the mutex is not in use yet.
    unsafe { profile::poll_mutex(el.as_ptr()).map_or(Ok(()), |mutex| mutex::init(mutex)) }
}

/// Deletes a loop; one that is running, when its outermost call returns.
///
/// # Safety
/// Nobody uses the loop afterwards, except for the calls that are inside it.
pub(crate) unsafe fn delete(el: Loop) {
    el.set_stop(1);
    el.state().deleted.set(true);
    waking::break_off(el);
    if el.depth() > 0 {
        nesting::look_who_is_inside(el);
    }
    // SAFETY: deleted, and not used afterwards.
    unsafe { free_if_done(el) };
}

/// Rounds of finalizers when a loop is freed, besides one for each time event that there is: as long a chain of
/// finalizers that create and delete events runs to its end, and none runs forever.
const SPARE_ROUNDS: usize = 1000;

/// Frees a deleted loop unless a call is running it.
///
/// # Safety
/// The loop is deleted. Nobody uses it afterwards, except for the calls that are inside it.
pub(super) unsafe fn free_if_done(el: Loop) {
    // A finalizer that deletes the loop once more, or runs it, must not get further.
    if el.depth() > 0 || el.state().freeing.replace(true) {
        return;
    }
    // SAFETY: `freeing` is set.
    unsafe {
        run_finalizers(el);
        requests::end_all(el);
        waking::drop_posts(el);
    }
    signals::delete_all(el);
    threads::remove(el);
    // SAFETY: both came from `boxed`. The last finalizer has run: nobody uses them or the mutex from here on.
    unsafe {
        if let Some(mutex) = profile::poll_mutex(el.as_ptr()) {
            mutex::destroy(mutex);
        }
        let (state, el) = (el.state_ptr(), el.as_ptr());
        memory::unbox(NonNull::new_unchecked(state));
        memory::unbox(NonNull::new_unchecked(el));
    }
}

/// Frees the time events. A finalizer may delete more, and create some; those get none.
///
/// # Safety
/// The loop is being freed: no finalizer frees it.
unsafe fn run_finalizers(el: Loop) {
    let mut finalizes = profile::DELETE_FINALIZES;
    // SAFETY: the reference ends here.
    let mut rounds = SPARE_ROUNDS + unsafe { el.timers() }.live;
    loop {
        while timers::has_deleted(el) && rounds > 0 {
            rounds -= 1;
            // SAFETY: the loop is being freed.
            unsafe { timers::finalize(el) };
        }
        if el.timer_list().is_null() {
            break;
        }
        // SAFETY: the loop is being freed.
        unsafe { timers::free_all(el, finalizes) };
        finalizes = false;
    }
}

/// The name of the backend that new loops get.
pub(crate) fn default_backend_name() -> &'static CStr {
    backend::default_name().unwrap_or(backend::platform_name())
}

/// Changes the set size; `ERANGE` when that would cut a registered descriptor off.
pub(crate) fn resize(el: Loop, setsize: c_int) -> Result<(), Errno> {
    let _held = el.hold()?;
    threads::note_user(el);
    let size = usize::try_from(setsize).ok().filter(|size| *size > 0).ok_or(Errno::EINVAL)?;
    if setsize == el.setsize() {
        return Ok(());
    }
    let maxfd = el.maxfd();
    if maxfd >= setsize {
        return Err(Errno::ERANGE);
    }
    let count = profile::event_count(size, el.state().event_count());
    let events = el.state().resized_events(count, maxfd)?;
    // SAFETY: no callback runs here, and the mutex is held.
    let (backend, interest) = unsafe { (el.state().backend(), el.interest()) };
    let grows = setsize > el.setsize();
    interest.high.resize(size, maxfd, grows, || backend.resize(size, maxfd))?;
    el.replace_events(events);
    interest.forget_above(size);
    el.set_setsize(setsize);
    Ok(())
}
