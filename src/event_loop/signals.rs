//! Signals whose handlers run in the loop. The system's handler notes the signal and tells the loop's waker; a signal
//! that comes again before the loop has heard of it is one with it.

use super::handle::Loop;
use crate::abi::embedding::{AeSignalProc, aeSignalProc};
use crate::sys::Errno;
use crate::sys::signal::{self, Action, END};
use crate::sys::waker::Waker;
use core::cell::Cell;
use core::ffi::{c_int, c_void};
use core::mem::transmute;
use core::sync::atomic::{AtomicBool, AtomicI32, AtomicU64, Ordering};

/// What is known of a signal in the whole process.
struct Watched {
    /// The number of the loop that it is for, 0 without one.
    number: AtomicU64,
    /// Where that loop's waker is written to.
    waker: AtomicI32,
    came: AtomicBool,
}

static WATCHED: [Watched; END] =
    [const { Watched { number: AtomicU64::new(0), waker: AtomicI32::new(-1), came: AtomicBool::new(false) } }; END];

/// A signal's handler in a loop.
struct Handler {
    signal: c_int,
    proc: *mut aeSignalProc,
    data: *mut c_void,
    before: Action,
}

/// A loop's signals.
#[derive(Default)]
pub(super) struct Signals(Cell<Vec<Handler>>);

impl Signals {
    /// Nobody is called in `body`.
    fn with<R>(&self, body: impl FnOnce(&mut Vec<Handler>) -> R) -> R {
        let mut handlers = self.0.take();
        let result = body(&mut handlers);
        self.0.set(handlers);
        result
    }

    pub(super) fn is_empty(&self) -> bool {
        self.with(|handlers| handlers.is_empty())
    }
}

extern "C" fn note(signal: c_int) {
    let errno = Errno::last_raw();
    let watched = &WATCHED[signal as usize];
    watched.came.store(true, Ordering::SeqCst);
    let fd = watched.waker.load(Ordering::SeqCst);
    if fd >= 0 {
        // It fails for a descriptor that the program has closed, which is not its own.
        let _ = Waker { read: fd, write: fd }.wake();
    }
    Errno::set_raw(errno);
}

/// Those that the processor raises: where one is raised the program cannot go on, so a handler that only notes it would be
/// called again and again.
const FAULTS: [c_int; 4] = [libc::SIGSEGV, libc::SIGBUS, libc::SIGFPE, libc::SIGILL];

fn watched(signal: c_int) -> Result<&'static Watched, Errno> {
    let watched = usize::try_from(signal).ok().and_then(|signal| WATCHED.get(signal));
    watched.filter(|_| signal > 0).ok_or(Errno::EINVAL)
}

/// Has the loop call `proc` when a signal comes, in place of what it called before. `EBUSY` when the signal is another
/// loop's, `EINVAL` when there is none of that number, or it cannot be handled.
///
/// # Safety
/// `proc` is a function of its type that may be called with `data`.
pub(crate) unsafe fn create_signal_event(
    el: Loop,
    signal: c_int,
    proc: *mut aeSignalProc,
    data: *mut c_void,
) -> Result<(), Errno> {
    let watched = watched(signal)?;
    if FAULTS.contains(&signal) {
        return Err(Errno::EINVAL);
    }
    let state = el.state();
    let waker = state.wakeup.waker(el.unwatched_number())?;
    state.signals.with(|handlers| {
        if let Some(handler) = handlers.iter_mut().find(|handler| handler.signal == signal) {
            (handler.proc, handler.data) = (proc, data);
            return Ok(());
        }
        handlers.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
        let taken = watched.number.compare_exchange(0, state.number, Ordering::SeqCst, Ordering::SeqCst);
        taken.map_err(|_| Errno::EBUSY)?;
        watched.came.store(false, Ordering::SeqCst);
        watched.waker.store(waker.write, Ordering::SeqCst);
        // SAFETY: it stores in atomics, writes to a descriptor and leaves errno as it was.
        let before = unsafe { signal::handle(signal, note) }.inspect_err(|_| give_up(watched))?;
        handlers.push(Handler { signal, proc, data, before });
        Ok(())
    })
}

/// Leaves a signal to what handled it before; `ENOENT` when the loop does not watch it.
pub(crate) fn delete_signal_event(el: Loop, signal: c_int) -> Result<(), Errno> {
    let watched = watched(signal)?;
    el.state().signals.with(|handlers| {
        let index = handlers.iter().position(|handler| handler.signal == signal).ok_or(Errno::ENOENT)?;
        signal::restore(signal, &handlers.swap_remove(index).before);
        give_up(watched);
        Ok(())
    })
}

fn give_up(watched: &Watched) {
    watched.waker.store(-1, Ordering::SeqCst);
    watched.number.store(0, Ordering::SeqCst);
}

/// The same for all that a loop watches.
pub(super) fn delete_all(el: Loop) {
    for Handler { signal, before, .. } in el.state().signals.0.take() {
        signal::restore(signal, &before);
        if let Ok(watched) = watched(signal) {
            give_up(watched);
        }
    }
}

/// Calls the handlers of the signals that have come.
///
/// # Safety
/// A call is inside the loop, so that no callback frees it.
pub(super) unsafe fn deliver(el: Loop) {
    // A handler may change what is watched: each signal is looked up again.
    for (signal, watched) in (0..).zip(&WATCHED) {
        if watched.number.load(Ordering::SeqCst) != el.state().number || !watched.came.swap(false, Ordering::SeqCst) {
            continue;
        }
        let found = el.state().signals.with(|handlers| {
            handlers.iter().find(|handler| handler.signal == signal).map(|handler| (handler.proc, handler.data))
        });
        if el.state().breaks.load(Ordering::Relaxed) {
            // The next call's.
            watched.came.store(true, Ordering::SeqCst);
        } else if let Some((proc, data)) = found {
            // SAFETY: whoever has created it lets it be called with its data; no reference is alive.
            unsafe { transmute::<*mut aeSignalProc, AeSignalProc>(proc)(el.as_ptr(), signal, data) };
        }
    }
}

/// Whether one has come that has not been delivered.
pub(super) fn are_waiting(el: Loop) -> bool {
    if el.state().signals.is_empty() {
        return false;
    }
    let own = |watched: &&Watched| watched.number.load(Ordering::SeqCst) == el.state().number;
    WATCHED.iter().filter(own).any(|watched| watched.came.load(Ordering::SeqCst))
}
