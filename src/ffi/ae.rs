//! `ae.h`: the event loop.

use super::args::{call, event_loop, non_null, quietly, returned};
use crate::abi::ae::*;
use crate::event_loop::{self as core_loop, Loop};
use core::ffi::{c_char, c_int, c_longlong, c_void};
#[cfg(abi_valkey)]
use nix::errno::Errno;

/// Creates an event loop that watches descriptors below `setsize`.
///
/// The backend is the platform's best, or the one that the environment variable `LIBAE_BACKEND` names.
///
/// Returns the loop, to be freed with `aeDeleteEventLoop`; NULL with errno
/// `EINVAL` (`setsize` below 1, or `LIBAE_BACKEND` names no backend), `ENOMEM`, `EMFILE` or `ENFILE`.
#[unsafe(no_mangle)]
pub extern "C" fn aeCreateEventLoop(setsize: c_int) -> *mut aeEventLoop {
    call(core::ptr::null_mut(), || core_loop::create(setsize, None).map(Loop::as_ptr))
}

/// Frees an event loop, its file events and its time events. Descriptors stay open. The
/// finalizers of time events already deleted run; those of time events that are still registered run from redis-8.0
/// on, as upstream has it. Inside one of the loop's own callbacks the loop ends first and is freed when it returns.
/// NULL is ignored.
///
/// # Safety
/// `eventLoop` is NULL or a live loop of this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aeDeleteEventLoop(eventLoop: *mut aeEventLoop) {
    // SAFETY: NULL or a live loop.
    if let Ok(el) = unsafe { event_loop(eventLoop) } {
        // SAFETY: whoever deletes it does not use it afterwards, unless inside one of its callbacks.
        quietly(|| unsafe { core_loop::delete(el) });
    }
}

/// Makes `aeMain` return once the current iteration is done. NULL is ignored.
///
/// # Safety
/// `eventLoop` is NULL or a live loop.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aeStop(eventLoop: *mut aeEventLoop) {
    // SAFETY: NULL or a live loop.
    if let Ok(el) = unsafe { event_loop(eventLoop) } {
        el.set_stop(1);
    }
}

/// Watches `fd` for the events of `mask` (`AE_READABLE`, `AE_WRITABLE`, either with `AE_BARRIER`) besides
/// those it is already watched for. `proc` becomes the handler of the events in `mask`, `clientData` that
/// of all the descriptor's events.
///
/// With `AE_HIGH_PRIORITY` the descriptor, with all its events, is served before the others that an iteration finds,
/// and is looked at again after every `LIBAE_ORDINARY_PER_LOOK` of them. That stays until `AE_HIGH_PRIORITY` or its
/// last event is deleted.
///
/// It reaches the kernel at once. A descriptor that was closed without its event being deleted, and is another file
/// now, is added anew.
///
/// Returns `AE_OK`; `AE_ERR` with errno `ERANGE` (`fd` is not below the set size), `EBADF` (negative or not
/// open), `EINVAL` (NULL loop or handler, unknown mask, neither of the two events asked for or watched before),
/// `EPERM` (a kind of file that cannot be polled),
/// `ENOMEM` or `ENOSPC`; for a loop's first with `AE_HIGH_PRIORITY` also `EMFILE` or `ENFILE`.
///
/// # Safety
/// `eventLoop` is NULL or a live loop of this thread; `proc` may be called with `clientData`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aeCreateFileEvent(
    eventLoop: *mut aeEventLoop,
    fd: c_int,
    mask: c_int,
    proc: *mut aeFileProc,
    clientData: *mut c_void,
) -> c_int {
    call(AE_ERR, || {
        // SAFETY: NULL or a live loop.
        let (el, proc) = (unsafe { event_loop(eventLoop) }?, non_null(proc)?);
        // SAFETY: the handler may be called with the data.
        unsafe { core_loop::create_file_event(el, fd, mask, proc, clientData) }.map(|()| AE_OK)
    })
}

/// Stops watching `fd` for the events of `mask`. Removing `AE_WRITABLE` removes `AE_BARRIER` with it, and removing the
/// last event `AE_HIGH_PRIORITY`. A NULL loop, a descriptor that is not watched and one out of range are ignored. errno
/// is left alone.
///
/// Inside a callback a removal that leaves something to watch reaches the kernel right before the loop next polls, or
/// when the outermost call returns; everything else reaches it at once. A file that was not registered under this
/// number is left alone.
///
/// # Safety
/// `eventLoop` is NULL or a live loop of this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aeDeleteFileEvent(eventLoop: *mut aeEventLoop, fd: c_int, mask: c_int) {
    // SAFETY: NULL or a live loop.
    if let Ok(el) = unsafe { event_loop(eventLoop) } {
        quietly(|| core_loop::delete_file_event(el, fd, mask));
    }
}

/// The events that `fd` is watched for, with `AE_BARRIER` and `AE_HIGH_PRIORITY`; `AE_NONE` for a NULL loop or a
/// descriptor out of range.
///
/// # Safety
/// `eventLoop` is NULL or a live loop of this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aeGetFileEvents(eventLoop: *mut aeEventLoop, fd: c_int) -> c_int {
    // SAFETY: NULL or a live loop.
    let Ok(el) = (unsafe { event_loop(eventLoop) }) else { return AE_NONE };
    core_loop::file_event(el, fd).map_or(AE_NONE, |(mask, _)| mask)
}

/// The client data of `fd`'s events; NULL when it has none, for a NULL loop and for a descriptor out of
/// range.
///
/// # Safety
/// `eventLoop` is NULL or a live loop of this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aeGetFileClientData(eventLoop: *mut aeEventLoop, fd: c_int) -> *mut c_void {
    // SAFETY: NULL or a live loop.
    let Ok(el) = (unsafe { event_loop(eventLoop) }) else { return core::ptr::null_mut() };
    match core_loop::file_event(el, fd) {
        Some((mask, data)) if mask != AE_NONE => data,
        _ => core::ptr::null_mut(),
    }
}

/// Creates a time event that first runs `milliseconds` from now (0 or less: in the next pass), never
/// earlier. `proc` returns the milliseconds from its end to its next run, or `AE_NOMORE`.
/// `finalizerProc`, when not NULL, runs exactly once after the event was deleted and its last call has
/// returned: in a later pass over the time events, or when the loop is freed.
///
/// Returns the event's id, larger than every earlier one; `AE_ERR` with errno `EINVAL` (NULL loop or
/// handler) or `ENOMEM`.
///
/// # Safety
/// `eventLoop` is NULL or a live loop of this thread; `proc` and `finalizerProc` may be called with
/// `clientData`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aeCreateTimeEvent(
    eventLoop: *mut aeEventLoop,
    milliseconds: c_longlong,
    proc: *mut aeTimeProc,
    clientData: *mut c_void,
    finalizerProc: *mut aeEventFinalizerProc,
) -> c_longlong {
    // SAFETY: NULL or a live loop.
    let created = unsafe { event_loop(eventLoop) }.and_then(|el| {
        // SAFETY: both functions may be called with the data.
        unsafe { core_loop::create_time_event(el, milliseconds, non_null(proc)?, clientData, finalizerProc) }
    });
    returned(AE_ERR.into(), created)
}

/// Deletes a time event. It does not run again; its finalizer runs later. An event may delete itself or any
/// other inside a callback.
///
/// Returns `AE_OK`; `AE_ERR` with errno `ENOENT` when no event has that id (none has -1), `EINVAL` for a NULL loop.
///
/// # Safety
/// `eventLoop` is NULL or a live loop of this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aeDeleteTimeEvent(eventLoop: *mut aeEventLoop, id: c_longlong) -> c_int {
    // SAFETY: NULL or a live loop.
    let deleted = unsafe { event_loop(eventLoop) }.and_then(|el| core_loop::delete_time_event(el, id));
    returned(AE_ERR, deleted.map(|()| AE_OK))
}

/// Runs one iteration. `flags` says what to process: `AE_FILE_EVENTS`, `AE_TIME_EVENTS` or `AE_ALL_EVENTS`;
/// besides, `AE_DONT_WAIT`, `AE_CALL_BEFORE_SLEEP` and `AE_CALL_AFTER_SLEEP`. Without `AE_DONT_WAIT` it waits
/// for the first file event, or the first time event when those are asked for. It may be called again
/// inside a callback. A callback may be left by `longjmp` or an exception: the next call goes on.
///
/// Returns how many descriptors and time events were processed; `AE_ERR` with errno `EINVAL` for a NULL
/// loop, or as the backend failed (upstream aborts there).
///
/// # Safety
/// `eventLoop` is NULL or a live loop of this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aeProcessEvents(eventLoop: *mut aeEventLoop, flags: c_int) -> c_int {
    call(AE_ERR, || {
        // SAFETY: NULL or a live loop.
        let el = unsafe { event_loop(eventLoop) }?;
        core_loop::process_events(el, flags)
    })
}

/// Waits until `fd` is readable, writable or both, as `mask` says, for at most `milliseconds` (below 0:
/// forever). Needs no loop. An error or a hang-up on the descriptor counts as writable.
///
/// Returns the events that are ready, 0 after the time is over, -1 with errno `EBADF`, `EINVAL`, `EINTR` or
/// `ENOMEM`.
#[unsafe(no_mangle)]
pub extern "C" fn aeWait(fd: c_int, mask: c_int, milliseconds: c_longlong) -> c_int {
    call(AE_ERR, || core_loop::wait(fd, mask, milliseconds))
}

/// Runs iterations, with the sleep hooks, until `aeStop`. Also returns when the backend fails for good, with
/// errno saying why. NULL is ignored.
///
/// # Safety
/// `eventLoop` is NULL or a live loop of this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aeMain(eventLoop: *mut aeEventLoop) {
    // SAFETY: NULL or a live loop.
    if let Ok(el) = unsafe { event_loop(eventLoop) } {
        call((), || core_loop::run(el));
    }
}

/// The name of the backend that `aeCreateEventLoop` uses: "epoll", "kqueue", "poll" or "select". The string
/// is static.
#[unsafe(no_mangle)]
pub extern "C" fn aeGetApiName() -> *mut c_char {
    quietly(core_loop::default_backend_name).as_ptr().cast_mut()
}

/// Sets the function that runs before the loop sleeps, NULL for none.
///
/// # Safety
/// `eventLoop` is NULL or a live loop of this thread; `beforesleep` may be called with it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aeSetBeforeSleepProc(eventLoop: *mut aeEventLoop, beforesleep: *mut aeBeforeSleepProc) {
    // SAFETY: NULL or a live loop.
    if let Ok(el) = unsafe { event_loop(eventLoop) } {
        el.set_before_sleep(beforesleep);
    }
}

/// Sets the function that runs after the loop slept, NULL for none.
///
/// # Safety
/// `eventLoop` is NULL or a live loop of this thread; `aftersleep` may be called with it.
#[cfg(not(abi_valkey))]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aeSetAfterSleepProc(eventLoop: *mut aeEventLoop, aftersleep: *mut aeBeforeSleepProc) {
    if !eventLoop.is_null() {
        // SAFETY: a live loop.
        unsafe { (*eventLoop).aftersleep = aftersleep };
    }
}

/// Sets the function that runs after the loop slept, NULL for none. It is told how many descriptors fired.
///
/// # Safety
/// `eventLoop` is NULL or a live loop of this thread; `aftersleep` may be called with it.
#[cfg(abi_valkey)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aeSetAfterSleepProc(eventLoop: *mut aeEventLoop, aftersleep: *mut aeAfterSleepProc) {
    if !eventLoop.is_null() {
        // SAFETY: a live loop.
        unsafe { (*eventLoop).aftersleep = aftersleep };
    }
}

/// Sets a function that polls in place of the loop, NULL for none. It calls `aePoll`, or has another thread do so, and
/// returns how many descriptors that said have fired; the loop then calls their handlers. The loop itself does not
/// wait: the function does.
///
/// # Safety
/// `eventLoop` is NULL or a live loop of this thread; `custompoll` may be called with it.
#[cfg(abi_valkey)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aeSetCustomPollProc(eventLoop: *mut aeEventLoop, custompoll: *mut aeCustomPollProc) {
    if !eventLoop.is_null() {
        // SAFETY: a live loop.
        unsafe { (*eventLoop).custompoll = custompoll };
    }
}

/// With `protect` not 0, until it is called with 0, `aePoll` may run in another thread while this one creates and
/// deletes file events: each of these calls holds the loop's mutex, and takes effect at once.
///
/// # Safety
/// `eventLoop` is NULL or a live loop of this thread, which no other thread is polling.
#[cfg(abi_valkey)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aeSetPollProtect(eventLoop: *mut aeEventLoop, protect: c_int) {
    // SAFETY: NULL or a live loop.
    if let Ok(el) = unsafe { event_loop(eventLoop) } {
        quietly(|| core_loop::set_protected(el, protect != 0));
    }
}

/// Waits for file events, for at most `tvp` (NULL: forever), and notes which have fired, without calling a
/// handler. For custom polls.
///
/// Returns how many descriptors have fired; `AE_ERR` with errno `EINVAL` (NULL loop, negative time), `EDEADLK` (this
/// thread is polling the loop), or as the backend failed.
///
/// # Safety
/// `eventLoop` is NULL or a live loop of this thread, or one that `aeSetPollProtect` protects; `tvp` is NULL or valid.
#[cfg(abi_valkey)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aePoll(eventLoop: *mut aeEventLoop, tvp: *mut libc::timeval) -> c_int {
    call(AE_ERR, || {
        // SAFETY: NULL or a live loop, which its own thread uses only with the mutex held.
        let el = unsafe { event_loop(eventLoop) }?;
        // SAFETY: NULL or valid.
        let timeout = match unsafe { tvp.as_ref() } {
            Some(time) => {
                let seconds = u64::try_from(time.tv_sec).map_err(|_| Errno::EINVAL)?;
                let microseconds = u64::try_from(time.tv_usec).map_err(|_| Errno::EINVAL)?;
                Some(seconds.saturating_mul(1_000_000).saturating_add(microseconds))
            }
            None => None,
        };
        core_loop::poll(el, timeout)
    })
}

/// Descriptors below this number can be watched; `AE_ERR` with errno `EINVAL` for a NULL loop.
///
/// # Safety
/// `eventLoop` is NULL or a live loop of this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aeGetSetSize(eventLoop: *mut aeEventLoop) -> c_int {
    call(AE_ERR, || {
        // SAFETY: NULL or a live loop.
        unsafe { event_loop(eventLoop) }.map(Loop::setsize)
    })
}

/// Changes the set size.
///
/// Returns `AE_OK`; `AE_ERR`, with nothing changed, and errno `ERANGE` (a watched descriptor would be cut
/// off), `EINVAL` (NULL loop, `setsize` below 1) or `ENOMEM`.
///
/// # Safety
/// `eventLoop` is NULL or a live loop of this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aeResizeSetSize(eventLoop: *mut aeEventLoop, setsize: c_int) -> c_int {
    call(AE_ERR, || {
        // SAFETY: NULL or a live loop.
        core_loop::resize(unsafe { event_loop(eventLoop) }?, setsize).map(|()| AE_OK)
    })
}

/// With `noWait` not 0, the following iterations of the loop do not wait, until it is called with 0.
///
/// # Safety
/// `eventLoop` is NULL or a live loop of this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aeSetDontWait(eventLoop: *mut aeEventLoop, noWait: c_int) {
    // SAFETY: NULL or a live loop.
    if let Ok(el) = unsafe { event_loop(eventLoop) } {
        el.set_flag(AE_DONT_WAIT, noWait != 0);
    }
}
