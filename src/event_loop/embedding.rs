//! Loops inside other loops: how long until there is something to do, and one descriptor that tells when there is, time
//! events included.

use super::backend;
use super::handle::Loop;
use super::waking;
use crate::abi::ae::AE_DONT_WAIT;
use crate::sys::{Errno, clock, fd, timer_fd};
use core::cell::Cell;
use core::ffi::c_int;
use core::sync::atomic::Ordering::SeqCst;

/// A loop's part in this.
pub(super) struct Embedding {
    /// The descriptor that tells of the first deadline, -1 unless the loop is inside another.
    timer: Cell<c_int>,
    /// What it has been set to.
    told: Cell<Told>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    Nothing,
    Deadline(Option<u64>),
}

impl Embedding {
    pub(super) fn new() -> Self {
        Self { timer: Cell::new(-1), told: Cell::new(Told::Nothing) }
    }

    /// Whether somebody waits for the loop elsewhere.
    #[inline(always)]
    pub(super) fn is_on(&self) -> bool {
        self.timer.get() >= 0
    }
}

impl Drop for Embedding {
    fn drop(&mut self) {
        if self.is_on() {
            // Nothing is left to do when it fails.
            let _ = fd::close(self.timer.get());
        }
    }
}

/// A descriptor that is readable whenever an iteration that does not wait has something to do; it lives as long as the
/// loop. `EOPNOTSUPP` where the backend has none.
pub(crate) fn descriptor(el: Loop) -> Result<c_int, Errno> {
    let state = el.state();
    {
        let _held = el.hold()?;
        // SAFETY: the reference ends here, and the mutex is held.
        let poller = unsafe { state.backend() }.descriptor()?;
        if !state.embedding.is_on() {
            let timer = timer_fd::create(el.unwatched_number())?;
            backend::watch(poller, timer).inspect_err(|_| _ = fd::close(timer))?;
            state.embedding.timer.set(timer);
            // SAFETY: the reference ends here.
            unsafe { el.timers() }.is_watched = true;
            state.has_end.store(true, SeqCst);
        }
        if el.depth() > 0 {
            return Ok(poller);
        }
    }
    tell(el);
    // SAFETY: the reference ends here. It has been made above.
    unsafe { state.backend() }.descriptor()
}

/// Sets the descriptor's timer to the first deadline, if somebody waits for it. Inside a call that waits for the end.
#[cold]
pub(super) fn tell(el: Loop) {
    let embedding = &el.state().embedding;
    if !embedding.is_on() || el.depth() > 0 {
        return;
    }
    let now = Told::Deadline(first_deadline(el));
    if embedding.told.replace(now) != now
        && let Told::Deadline(deadline) = now
        && timer_fd::set(embedding.timer.get(), deadline).is_err()
    {
        embedding.told.set(Told::Nothing);
    }
}

/// Heeds the timer, if this is its descriptor: the time events have their turn in every iteration.
pub(super) fn fired(el: Loop, fd: c_int) {
    let embedding = &el.state().embedding;
    if embedding.timer.get() == fd {
        timer_fd::clear(fd);
        embedding.told.set(Told::Nothing);
    }
}

/// How long, in microseconds, a program that waits in place of the loop may wait; None without a limit.
pub(crate) fn timeout(el: Loop) -> Option<u64> {
    if el.flags() & AE_DONT_WAIT != 0 || waking::is_told(el) {
        return Some(0);
    }
    first_deadline(el).map(|deadline| deadline.saturating_sub(clock::now_us()))
}

/// When the first time event is due, or the first listener has rested.
fn first_deadline(el: Loop) -> Option<u64> {
    // SAFETY: these are its timers; the references end here.
    let (timer, pause) = unsafe { (el.timers().deadline_to_tell(el), el.interest().first_pause_end()) };
    timer.into_iter().chain(pause).min()
}
