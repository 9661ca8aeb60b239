//! `libae.h`: loops among other threads, and inside other loops.

use super::args::{call, event_loop, non_null, optional_string, returned, string};
use crate::abi::ae::{AE_ERR, AE_OK, aeEventLoop};
use crate::abi::embedding::{aeChildProc, aeLoopProc, aePeriodicProc, aeSignalProc, pid_t};
use crate::anet;
use crate::event_loop::{self as core_loop, Loop};
use core::ffi::{CStr, c_char, c_int, c_longlong, c_void};
use nix::errno::Errno;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Makes the loop's poll that is under way return, or its next one not wait. Many calls before the loop has heard of the
/// first are one. Any thread may call it while the loop is there, and any signal handler.
///
/// Returns `AE_OK`; `AE_ERR` with errno `EINVAL` (NULL loop), or `EMFILE`, `ENFILE`, `ENOMEM` or `ENOSPC` (the first call
/// for a loop makes a descriptor).
///
/// # Safety
/// `eventLoop` is NULL or a live loop.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aeWakeup(eventLoop: *mut aeEventLoop) -> c_int {
    call(AE_ERR, || {
        // SAFETY: NULL or a live loop, of which only what any thread may touch is used.
        core_loop::wake(unsafe { event_loop(eventLoop) }?).map(|()| AE_OK)
    })
}

/// Has the loop call `proc` once, in its own thread, after what has been posted before: as soon as it next processes
/// file events. What a posted function posts has its turn in the next iteration. Any thread may call it while the loop
/// is there, but no signal handler. If the loop is freed first, `drop` is called in place of `proc`, unless it is NULL,
/// by the thread that frees it. What this thread has done before is done for `proc`.
///
/// Returns `AE_OK`; `AE_ERR`, with nothing taken over, and errno `EINVAL` (NULL loop or `proc`), `ENOMEM`, `ECANCELED`
/// (the loop is being freed), or as `aeWakeup`.
///
/// # Safety
/// `eventLoop` is NULL or a live loop; `proc` and `drop` may be called with `clientData`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aePost(
    eventLoop: *mut aeEventLoop,
    proc: *mut aeLoopProc,
    clientData: *mut c_void,
    drop: *mut aeLoopProc,
) -> c_int {
    call(AE_ERR, || {
        // SAFETY: NULL or a live loop, of which only what any thread may touch is used.
        let (el, proc) = (unsafe { event_loop(eventLoop) }?, non_null(proc)?);
        // SAFETY: both functions may be called with the data.
        unsafe { core_loop::post(el, proc, clientData, drop) }.map(|()| AE_OK)
    })
}

/// Makes all calls of `aeMain` and `aeProcessEvents` that are inside the loop return as soon as the callback that is
/// running does, or the poll; when there are none, the next call. `aeStop` lets the iteration end first. What is left
/// fires again in the next call. Any thread may call it while the loop is there, and any signal handler: then callbacks
/// that are ready may still run until the loop hears of it.
///
/// Returns as `aeWakeup`.
///
/// # Safety
/// `eventLoop` is NULL or a live loop.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aeStopNow(eventLoop: *mut aeEventLoop) -> c_int {
    call(AE_ERR, || {
        // SAFETY: NULL or a live loop, of which only what any thread may touch is used.
        core_loop::stop_now(unsafe { event_loop(eventLoop) }?).map(|()| AE_OK)
    })
}

/// A descriptor for programs that wait elsewhere (another loop, `poll`): it is readable whenever
/// `aeProcessEvents(eventLoop, AE_ALL_EVENTS | AE_DONT_WAIT)` has something to do, be it a file event, a time event, a
/// wake-up or a post. It may also be when there is nothing to do. It stays the loop's: it must not be read or closed, and
/// lives as long as the loop. The program may create and delete events at any time, and need not ask for it again.
///
/// On the poll and select backends it leaves out files that are always ready, as those on a disk.
///
/// Returns the descriptor; `AE_ERR` with errno `EINVAL` (NULL loop), `EMFILE`, `ENFILE`, `ENOMEM`, `ENOSPC` or
/// `EOPNOTSUPP` (a system with neither epoll nor kqueue).
///
/// # Safety
/// `eventLoop` is NULL or a live loop of this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aeGetBackendFd(eventLoop: *mut aeEventLoop) -> c_int {
    // SAFETY: NULL or a live loop.
    call(AE_ERR, || core_loop::descriptor(unsafe { event_loop(eventLoop) }?))
}

/// How long, in milliseconds rounded up, a program may wait for the loop's descriptors in its place: until the first
/// time event is due. 0 when it must not wait, -1 when there is no limit; -1 with errno `EINVAL` for a NULL loop.
///
/// # Safety
/// `eventLoop` is NULL or a live loop of this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aeGetTimeout(eventLoop: *mut aeEventLoop) -> c_longlong {
    // SAFETY: NULL or a live loop.
    let timeout = unsafe { event_loop(eventLoop) }.map(core_loop::timeout);
    let milliseconds = |us: u64| us.div_ceil(1000).try_into().unwrap_or(c_longlong::MAX);
    returned(AE_ERR.into(), timeout.map(|timeout| timeout.map_or(-1, milliseconds)))
}

/// With `on` not 0, `aeMain` returns when no file event, no time event and no signal or child event is registered any
/// more, nothing is posted, and no name is being resolved or connected to.
/// NULL is ignored. It does not hold where a custom poll waits.
///
/// # Safety
/// `eventLoop` is NULL or a live loop of this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aeSetStopWhenIdle(eventLoop: *mut aeEventLoop, on: c_int) {
    // SAFETY: NULL or a live loop.
    if let Ok(el) = unsafe { event_loop(eventLoop) } {
        core_loop::set_stops_when_idle(el, on != 0);
    }
}

/// Keeps a pointer of the program's for the loop, which the library does not look at. NULL is ignored.
///
/// # Safety
/// `eventLoop` is NULL or a live loop of this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aeSetLoopData(eventLoop: *mut aeEventLoop, data: *mut c_void) {
    // SAFETY: NULL or a live loop.
    if let Ok(el) = unsafe { event_loop(eventLoop) } {
        el.set_data(data);
    }
}

/// That pointer; NULL when there is none, and for a NULL loop.
///
/// # Safety
/// `eventLoop` is NULL or a live loop of this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aeGetLoopData(eventLoop: *mut aeEventLoop) -> *mut c_void {
    // SAFETY: NULL or a live loop.
    unsafe { event_loop(eventLoop) }.map_or(core::ptr::null_mut(), Loop::data)
}

/// Gives a time event another deadline, `milliseconds` from now (0 or less: the next pass), without the cost of deleting
/// and creating it. It keeps its id, data and finalizer; among events that are due at the same time it comes last. One of
/// `aeCreatePeriodicTimeEvent` runs then, and from then on every `period` milliseconds, as if it were created now.
///
/// Returns `AE_OK`; `AE_ERR` with errno `EINVAL` (NULL loop), `ENOENT` (no event has that id), `EBUSY` (its callback is
/// running: what that returns decides) or `ENOMEM`.
///
/// # Safety
/// `eventLoop` is NULL or a live loop of this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aeResetTimeEvent(
    eventLoop: *mut aeEventLoop,
    id: c_longlong,
    milliseconds: c_longlong,
) -> c_int {
    call(AE_ERR, || {
        // SAFETY: NULL or a live loop.
        core_loop::reset_time_event(unsafe { event_loop(eventLoop) }?, id, milliseconds).map(|()| AE_OK)
    })
}

/// Creates a time event that runs `milliseconds` from now and then every `period` milliseconds, at even distances from
/// the first time however late a run is: it does not drift. Runs that a busy loop has missed are left out. `proc` returns
/// `AE_NOMORE` to end it, and anything else to go on. `aeDeleteTimeEvent` deletes it, and `finalizerProc`, when not NULL,
/// is called as `aeCreateTimeEvent` says.
///
/// Returns its id; `AE_ERR` with errno `EINVAL` (NULL loop or `proc`, a period below 1) or `ENOMEM`.
///
/// # Safety
/// `eventLoop` is NULL or a live loop of this thread; `proc` and `finalizerProc` may be called with `clientData`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aeCreatePeriodicTimeEvent(
    eventLoop: *mut aeEventLoop,
    milliseconds: c_longlong,
    period: c_longlong,
    proc: *mut aePeriodicProc,
    clientData: *mut c_void,
    finalizerProc: *mut aeLoopProc,
) -> c_longlong {
    call(AE_ERR.into(), || {
        // SAFETY: NULL or a live loop.
        let (el, proc) = (unsafe { event_loop(eventLoop) }?, non_null(proc)?);
        // SAFETY: both functions may be called with the data.
        unsafe { core_loop::create_periodic_time_event(el, milliseconds, period, proc, clientData, finalizerProc) }
    })
}

/// Has the loop call `proc` in an iteration after a signal has come: there it may do anything. It takes the place of what
/// the signal did before, until `aeDeleteSignalEvent` or the end of the loop, and of what this loop called for it before.
/// Signals that come before the loop has heard of one are one. A signal is one loop's. A child of a fork should delete
/// what it does not need, or exec.
///
/// Returns `AE_OK`; `AE_ERR` with errno `EINVAL` (NULL loop or `proc`, no signal, or one that cannot be handled or after
/// which the program cannot go on: SIGSEGV, SIGBUS, SIGFPE, SIGILL), `EBUSY`
/// (it is another loop's), `ENOMEM`, or as `aeWakeup`.
///
/// # Safety
/// `eventLoop` is NULL or a live loop of this thread; `proc` may be called with `clientData`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aeCreateSignalEvent(
    eventLoop: *mut aeEventLoop,
    signum: c_int,
    proc: *mut aeSignalProc,
    clientData: *mut c_void,
) -> c_int {
    call(AE_ERR, || {
        // SAFETY: NULL or a live loop.
        let (el, proc) = (unsafe { event_loop(eventLoop) }?, non_null(proc)?);
        // SAFETY: the function may be called with the data.
        unsafe { core_loop::create_signal_event(el, signum, proc, clientData) }.map(|()| AE_OK)
    })
}

/// Leaves a signal to what handled it before `aeCreateSignalEvent`.
///
/// Returns `AE_OK`; `AE_ERR` with errno `EINVAL` (NULL loop, no signal) or `ENOENT` (the loop does not watch it).
///
/// # Safety
/// `eventLoop` is NULL or a live loop of this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aeDeleteSignalEvent(eventLoop: *mut aeEventLoop, signum: c_int) -> c_int {
    call(AE_ERR, || {
        // SAFETY: NULL or a live loop.
        core_loop::delete_signal_event(unsafe { event_loop(eventLoop) }?, signum).map(|()| AE_OK)
    })
}

/// Has the loop wait for a child of this process and call `proc` once when it has ended, with its status as `waitpid`
/// gives it: the child is waited for then, and its process id free. The status is -1 when another part of the program has
/// waited for it first. Uses a descriptor, a file event below the set size, until then.
///
/// Returns `AE_OK`; `AE_ERR` with errno `EINVAL` (NULL loop or `proc`, a process id below 1), `ESRCH` (no such process),
/// `EEXIST` (the loop waits for it already), `ENOSYS` (a system without pidfd), `ERANGE`, `EMFILE`, `ENFILE` or `ENOMEM`.
///
/// # Safety
/// `eventLoop` is NULL or a live loop of this thread; `proc` may be called with `clientData`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aeCreateChildEvent(
    eventLoop: *mut aeEventLoop,
    pid: pid_t,
    proc: *mut aeChildProc,
    clientData: *mut c_void,
) -> c_int {
    call(AE_ERR, || {
        // SAFETY: NULL or a live loop.
        let (el, proc) = (unsafe { event_loop(eventLoop) }?, non_null(proc)?);
        // SAFETY: the function may be called with the data.
        unsafe { core_loop::create_child_event(el, pid, proc, clientData) }.map(|()| AE_OK)
    })
}

/// Waits for a child no more; it stays the program's to wait for.
///
/// Returns `AE_OK`; `AE_ERR` with errno `EINVAL` (NULL loop) or `ENOENT` (the loop does not wait for it).
///
/// # Safety
/// `eventLoop` is NULL or a live loop of this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aeDeleteChildEvent(eventLoop: *mut aeEventLoop, pid: pid_t) -> c_int {
    call(AE_ERR, || {
        // SAFETY: NULL or a live loop.
        core_loop::delete_child_event(unsafe { event_loop(eventLoop) }?, pid).map(|()| AE_OK)
    })
}

/// How many listening sockets whoever started this process has opened for it, from the descriptor
/// `LIBAE_LISTEN_FDS_START` on, by the protocol of systemd (`LISTEN_FDS` and `LISTEN_PID` in the environment): it goes on
/// to hold them while the process restarts, so that no client is refused. They are the program's from then on, and
/// close-on-exec; `libaeIsListening` tells what they are. To be asked for before the program opens anything: what it opens
/// itself could have the number of one that is missing.
///
/// Returns their number, 0 when there are none for this process; `AE_ERR` with errno `EINVAL` (no number) or `EBADF` (one
/// is not open).
#[unsafe(no_mangle)]
pub extern "C" fn libaeListenFds() -> c_int {
    call(AE_ERR, || anet::inherited().map(|descriptors| descriptors.len() as c_int))
}

/// Runs another program, such as the next version of this one, in the place of this process's, and hands it these
/// listening sockets, which it finds as `libaeListenFds` does: whoever connects meanwhile waits in their queues. The
/// process keeps its number and its environment. `argv` ends with NULL; `path` is looked for in `PATH` if it has no slash.
/// All other descriptors that are not close-on-exec go on as well. No signal is blocked in the new program, and SIGPIPE
/// does there what it does by default; signals that have come and are still blocked are delivered before.
///
/// Returns only if that fails, and then nothing has changed: `AE_ERR` with errno `EINVAL` (NULL, an empty `argv`, a
/// negative `count`, or a socket that does not listen), `EBADF` or `ENOTSOCK` (no socket), `EMFILE` or `ENFILE`, or as
/// `execve`. After `fork` in a process of several threads it must not be called: it allocates.
///
/// # Safety
/// `path` is NULL or a string, `argv` NULL or an array of strings and a NULL, and `sockets` has room for `count`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libaeExecWithListeners(
    path: *const c_char,
    argv: *const *mut c_char,
    sockets: *const c_int,
    count: c_int,
) -> c_int {
    call(AE_ERR, || {
        let count = usize::try_from(count).map_err(|_| Errno::EINVAL)?;
        if argv.is_null() || count > 0 && sockets.is_null() {
            return Err(Errno::EINVAL);
        }
        let as_os = |text: &CStr| OsStr::from_bytes(text.to_bytes()).to_owned();
        // SAFETY: NULL or a string.
        let mut command = Command::new(as_os(unsafe { string(path) }?));
        // SAFETY: strings up to a NULL.
        let mut arguments = (0..).map_while(|at| unsafe { optional_string(*argv.add(at)) }).map(as_os);
        command.arg0(arguments.next().ok_or(Errno::EINVAL)?).args(arguments);
        // SAFETY: so many descriptors.
        let sockets = if count == 0 { &[] } else { unsafe { core::slice::from_raw_parts(sockets, count) } };
        Err(anet::exec_with_listeners(&mut command, sockets))
    })
}

/// Whether `fd` is a socket that listens for connections.
///
/// Returns 1 or 0; `AE_ERR` with errno `EBADF` or `ENOTSOCK`.
#[unsafe(no_mangle)]
pub extern "C" fn libaeIsListening(fd: c_int) -> c_int {
    call(AE_ERR, || anet::is_listening(fd).map(c_int::from))
}
