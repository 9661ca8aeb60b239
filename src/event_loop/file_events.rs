//! File events: what descriptors are watched for, and what happens when they fire.

use super::backend::{Applied, HELD};
use super::{State, entry, grow_events, polling, state};
use crate::abi::ae::*;
use crate::abi::host::{LIBAE_ACCEPT_RETRY_MS, LIBAE_LOG_WARNING};
use crate::host::memory::Zeroable;
use crate::sys::mutex::Held;
use crate::sys::text::error_text;
use crate::sys::{Errno, clock};
use core::ffi::{c_int, c_void};
use core::mem::transmute;
use core::sync::atomic::Ordering::Relaxed;

/// The bits that a backend knows.
const POLLED: c_int = AE_READABLE | AE_WRITABLE;

/// What we keep for each descriptor beside its `aeFileEvent`.
pub(super) struct Slot {
    /// What polls up to this one found is no business of the handlers any more: the descriptor has been added to
    /// the backend since, for another file maybe, or a nested run has served it.
    pub(super) settled: u64,
    /// What the backend was last told to watch for.
    armed: u8,
    /// Listed in `State::changed`.
    listed: bool,
    /// The backend has been told since the changes were last applied, and took the descriptor's file for its own.
    told: bool,
    /// Not watched for readable for the time being; see [`pause_readable`].
    paused: bool,
}

/// A descriptor that is not watched for readable until a time, in microseconds of the monotonic clock.
pub(super) struct Pause {
    fd: c_int,
    until: u64,
    /// It could not be ended in time, and the log has been told.
    failed: bool,
}

// SAFETY: integers and bools, for which zero is false.
unsafe impl Zeroable for Slot {}

impl Slot {
    /// What the backend has to watch for when the event's mask is `mask`.
    fn wanted(&self, mask: c_int) -> c_int {
        if self.paused { Self::wanted_while_paused(mask) } else { mask & POLLED }
    }

    #[cold]
    fn wanted_while_paused(mask: c_int) -> c_int {
        match mask & POLLED {
            AE_READABLE => HELD,
            polled => polled & !AE_READABLE,
        }
    }
}

impl State {
    /// When the first pause ends.
    pub(super) fn first_pause_end(&self) -> Option<u64> {
        self.pauses.iter().map(|pause| pause.until).min()
    }

    fn slot(&mut self, fd: c_int) -> &mut Slot {
        self.slots.get(fd)
    }

    /// Makes what polls up to this one found no business of the handlers any more.
    fn settle(&mut self, fd: c_int, poll: u64) {
        let slot = self.slot(fd);
        slot.settled = slot.settled.max(poll);
        self.settled = self.settled.max(poll);
    }

    /// Makes the backend watch a descriptor for what `mask` says, at once. Only one who creates an event may have the
    /// descriptor's file added: to everybody else a file that the backend does not know is a stranger's, which has
    /// got the number of one that was closed.
    #[inline(always)] // Or else it is a call more for creating and deleting, which are all that is frequent.
    fn arm(&mut self, fd: c_int, mask: c_int, creates: bool) -> Result<(), Errno> {
        let slot = self.slot(fd);
        let (wanted, armed) = (slot.wanted(mask), c_int::from(slot.armed));
        if armed == 0 && (wanted == 0 || !creates) {
            return Ok(());
        }
        let applied = self.backend.apply(fd, armed, wanted, creates);
        let polls = self.polls;
        let slot = self.slot(fd);
        match applied {
            Ok(applied) => {
                slot.armed = wanted as u8;
                if applied == Applied::Added {
                    slot.settled = polls;
                    self.settled = self.settled.max(polls);
                }
                Ok(())
            }
            Err(errno) => {
                slot.told = false;
                // The kernel may still watch what had the number before: with another descriptor for it, it is still
                // open.
                if wanted == 0 {
                    slot.armed = 0;
                }
                Err(errno)
            }
        }
    }

    /// Whether a change can wait until the next poll: that is to come in the call that is running, nobody is in the
    /// middle of one, and it is this thread that will.
    fn may_defer(&self, held: &Option<Held>) -> bool {
        self.calls.depth() > 0 && !self.polling.load(Relaxed) && held.is_none()
    }

    /// Notes that a descriptor is to be looked at before the next poll. False when there is no room to.
    fn arm_later(&mut self, fd: c_int) -> bool {
        if self.slot(fd).listed {
            return true;
        }
        if self.changed.try_reserve(1).is_err() {
            return false;
        }
        self.changed.push(fd);
        self.slot(fd).listed = true;
        true
    }
}

/// Tells the backend what is no longer watched for since this was last done.
///
/// # Safety
/// `el` is a live loop of this thread.
#[inline(never)]
pub(super) unsafe fn apply_changes(el: *mut aeEventLoop) {
    // SAFETY: the caller vouches for the loop; no callback runs here.
    unsafe {
        while let Some(fd) = state(el).changed.pop() {
            let Some(event) = entry(el, fd) else { continue };
            let mask = (*event).mask;
            let state = state(el);
            let slot = state.slot(fd);
            (slot.listed, slot.told) = (false, false);
            if slot.wanted(mask) != c_int::from(slot.armed) {
                // It fails when the descriptor was closed first, which removed it as well.
                let _ = state.arm(fd, mask, false);
            }
        }
    }
}

/// Watches `fd` for the events of `mask` besides those it is watched for.
///
/// # Safety
/// `el` is a live loop of this thread; `proc` is an `aeFileProc` that may be called with `data`.
pub(crate) unsafe fn create_file_event(
    el: *mut aeEventLoop,
    fd: c_int,
    mask: c_int,
    proc: *mut aeFileProc,
    data: *mut c_void,
) -> Result<(), Errno> {
    // SAFETY: the caller vouches for the loop; no callback runs here.
    unsafe {
        let held = polling::hold(el)?;
        if fd < 0 {
            return Err(Errno::EBADF);
        }
        if fd < (*el).setsize {
            grow_events(el, fd)?;
            state(el).slots.make_room(fd, (*el).setsize)?;
        }
        let event = entry(el, fd).ok_or(Errno::ERANGE)?;
        let state = state(el);
        let event = &mut *event;
        if mask & !(POLLED | AE_BARRIER) != 0 || (mask | event.mask) & POLLED == 0 {
            return Err(Errno::EINVAL);
        }
        let before = aeFileEvent { ..*event };
        let paused = state.slot(fd).paused;
        // Stored before it is armed: whoever polls from another thread finds the handler.
        event.mask |= mask;
        if mask & AE_READABLE != 0 {
            event.rfileProc = proc;
            state.slot(fd).paused = false;
        }
        if mask & AE_WRITABLE != 0 {
            event.wfileProc = proc;
        }
        event.clientData = data;
        // The backend is told even of an event that is there: the number may be another file's by now. Not if it was
        // told in this callback, for the same user, and this takes back a removal that was put off since.
        let slot = state.slot(fd);
        let known = slot.told
            && (event.mask ^ before.mask) & POLLED != 0
            && slot.wanted(event.mask) == c_int::from(slot.armed)
            && same_user(event, &before);
        if !known {
            if let Err(errno) = state.arm(fd, event.mask, true) {
                *event = before;
                state.slot(fd).paused = paused;
                return Err(errno);
            }
            if state.may_defer(&held) && state.arm_later(fd) {
                state.slot(fd).told = true;
            }
        }
        (*el).maxfd = (*el).maxfd.max(fd);
    }
    Ok(())
}

fn same_user(now: &aeFileEvent, before: &aeFileEvent) -> bool {
    (now.clientData, now.rfileProc, now.wfileProc) == (before.clientData, before.rfileProc, before.wfileProc)
}

/// Stops watching `fd` for the events of `mask`.
///
/// # Safety
/// `el` is a live loop of this thread.
pub(crate) unsafe fn delete_file_event(el: *mut aeEventLoop, fd: c_int, mut mask: c_int) {
    // SAFETY: the caller vouches for the loop; no callback runs here.
    unsafe {
        // It cannot be had only when this thread has it.
        let held = polling::hold(el).unwrap_or(None);
        let Some(event) = entry(el, fd) else { return };
        if (*event).mask == AE_NONE {
            return;
        }
        if mask & AE_WRITABLE != 0 {
            mask |= AE_BARRIER;
        }
        let state = state(el);
        let before = (*event).mask;
        (*event).mask &= !mask;
        let after = (*event).mask;
        if after & AE_READABLE == 0 {
            state.slot(fd).paused = false;
        }
        if before & POLLED != after & POLLED {
            // The last one goes at once: after a fork the child may keep the file open, and with it the
            // kernel's registration, when the caller closes the descriptor.
            let later = after & POLLED != 0 && state.may_defer(&held) && state.arm_later(fd);
            if !later {
                // It fails when the descriptor was closed first, which removed it as well.
                let _ = state.arm(fd, after, false);
            }
        }
        if fd == (*el).maxfd && after == AE_NONE {
            let mut maxfd = fd - 1;
            while maxfd >= 0 && (*(*el).events.add(maxfd as usize)).mask == AE_NONE {
                maxfd -= 1;
            }
            (*el).maxfd = maxfd;
        }
    }
}

/// The mask and the client data of a descriptor in range.
///
/// # Safety
/// `el` is a live loop of this thread.
pub(crate) unsafe fn file_event(el: *mut aeEventLoop, fd: c_int) -> Option<(c_int, *mut c_void)> {
    // SAFETY: the caller vouches for the loop.
    unsafe { entry(el, fd).map(|event| ((*event).mask, (*event).clientData)) }
}

/// Leaves a descriptor registered, but does not watch it for readable for `milliseconds`. Creating or deleting
/// its readable event ends the pause.
///
/// # Safety
/// `el` is a live loop of this thread.
pub(crate) unsafe fn pause_readable(el: *mut aeEventLoop, fd: c_int, milliseconds: u64) -> Result<(), Errno> {
    // SAFETY: the caller vouches for the loop; no callback runs here.
    unsafe {
        let _held = polling::hold(el)?;
        let event = entry(el, fd).filter(|event| (**event).mask & AE_READABLE != 0).ok_or(Errno::ENOENT)?;
        let mask = (*event).mask;
        let state = state(el);
        // One pause for each: that of an earlier file of the same number must not end this one.
        state.pauses.retain(|pause| pause.fd != fd);
        state.pauses.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
        state.pauses.push(Pause { fd, until: after(clock::now_us(), milliseconds), failed: false });
        let slot = state.slot(fd);
        slot.paused = true;
        if slot.wanted(mask) == c_int::from(slot.armed) { Ok(()) } else { state.arm(fd, mask, false) }
    }
}

fn after(now: u64, milliseconds: u64) -> u64 {
    now.saturating_add(milliseconds.saturating_mul(1000))
}

/// Watches again those whose pause is over.
///
/// # Safety
/// `el` is a live loop of this thread.
pub(super) unsafe fn end_pauses(el: *mut aeEventLoop) {
    // SAFETY: the caller vouches for the loop.
    unsafe {
        if !state(el).pauses.is_empty() {
            end_pauses_until(el, clock::now_us());
        }
    }
}

/// # Safety
/// As for [`end_pauses`].
#[cold]
unsafe fn end_pauses_until(el: *mut aeEventLoop, now: u64) {
    // SAFETY: the caller vouches for the loop; the log hook runs while no reference is alive.
    unsafe {
        let mut index = 0;
        while let Some(&Pause { fd, until, failed }) = state(el).pauses.get(index) {
            if until > now {
                index += 1;
            } else if let Err(errno) = end_pause(el, fd) {
                state(el).pauses[index] = Pause { fd, until: after(now, LIBAE_ACCEPT_RETRY_MS as u64), failed: true };
                index += 1;
                if !failed {
                    let reason = error_text(errno);
                    super::log(LIBAE_LOG_WARNING, format_args!("descriptor {fd} is not watched again yet: {reason}"));
                }
            } else {
                state(el).pauses.swap_remove(index);
            }
        }
    }
}

/// Watches a descriptor again, unless its pause is over or its file is gone: both are no failure.
///
/// # Safety
/// As for [`end_pauses`].
unsafe fn end_pause(el: *mut aeEventLoop, fd: c_int) -> Result<(), Errno> {
    // SAFETY: the caller vouches for the loop; no callback runs here.
    unsafe {
        let _held = polling::hold(el)?;
        let Some(event) = entry(el, fd) else { return Ok(()) };
        let mask = (*event).mask;
        let state = state(el);
        if !core::mem::take(&mut state.slot(fd).paused) {
            return Ok(());
        }
        match state.arm(fd, mask, false) {
            Ok(()) | Err(Errno::EBADF | Errno::ENOENT | Errno::EPERM) => Ok(()),
            Err(errno) => {
                state.slot(fd).paused = true;
                Err(errno)
            }
        }
    }
}

/// Makes what outer calls are still to dispatch for these descriptors wait: the nested one that calls this serves them, and
/// if they are still ready they fire again.
///
/// # Safety
/// `el` is a live loop of this thread; `fired` has `count` elements, which `poll` found.
#[cold]
pub(super) unsafe fn take_over(el: *mut aeEventLoop, fired: *const aeFiredEvent, count: c_int, poll: u64) {
    for index in 0..count as usize {
        // SAFETY: the caller vouches for the loop and the elements.
        unsafe {
            let fd = (*fired.add(index)).fd;
            if entry(el, fd).is_some() {
                state(el).settle(fd, poll - 1);
            }
        }
    }
}

/// Calls the handlers of a descriptor that `poll` found ready.
///
/// # Safety
/// `el` is a live loop of this thread, inside a call.
pub(super) unsafe fn dispatch(el: *mut aeEventLoop, fired: aeFiredEvent, poll: u64) {
    let aeFiredEvent { fd, mask } = fired;
    // SAFETY: the caller vouches for the loop. Every access looks the entry up again, since the handler before
    // may have deleted the event, closed the descriptor or moved the array.
    unsafe {
        let Some(event) = fresh_entry(el, fd, poll) else { return };
        if mask != AE_READABLE | AE_WRITABLE {
            if (*event).mask & mask != 0 {
                call_handler(el, event, fd, mask, mask);
            }
            return;
        }
        dispatch_both(el, event, fd, poll);
    }
}

/// # Safety
/// As for [`dispatch`]; `event` is the entry of `fd`.
#[inline(never)]
unsafe fn dispatch_both(el: *mut aeEventLoop, event: *mut aeFileEvent, fd: c_int, poll: u64) {
    let mask = AE_READABLE | AE_WRITABLE;
    // SAFETY: as for `dispatch`.
    unsafe {
        let barrier = (*event).mask & AE_BARRIER != 0;
        let (first, second) = if barrier { (AE_WRITABLE, AE_READABLE) } else { (AE_READABLE, AE_WRITABLE) };
        let called = (*event).mask & first != 0;
        if called {
            call_handler(el, event, fd, mask, first);
        }
        let Some(event) = fresh_entry(el, fd, poll) else { return };
        let same = (*event).rfileProc == (*event).wfileProc;
        if (*event).mask & second != 0 && !(called && same) {
            call_handler(el, event, fd, mask, second);
        }
    }
}

/// The entry of a descriptor, unless what `poll` found is no business of its handlers; see [`Slot::settled`]. None also
/// when the loop is at its end.
///
/// # Safety
/// `el` is a live loop of this thread.
unsafe fn fresh_entry(el: *mut aeEventLoop, fd: c_int, poll: u64) -> Option<*mut aeFileEvent> {
    // SAFETY: the caller vouches for the loop.
    unsafe {
        let event = entry(el, fd)?;
        let state = state(el);
        let stale = state.settled >= poll && is_settled(state, fd, poll);
        (!stale).then_some(event)
    }
}

#[inline(never)]
fn is_settled(state: &mut State, fd: c_int, poll: u64) -> bool {
    state.deleted || state.slot(fd).settled >= poll
}

/// # Safety
/// `el` is a live loop; `event` its entry for `fd`, with a handler for `which`.
unsafe fn call_handler(el: *mut aeEventLoop, event: *mut aeFileEvent, fd: c_int, mask: c_int, which: c_int) {
    // SAFETY: the opaque pointer is a function of that type; all is read before it runs.
    unsafe {
        let proc = if which == AE_READABLE { (*event).rfileProc } else { (*event).wfileProc };
        let data = (*event).clientData;
        transmute::<*mut aeFileProc, AeFileProc>(proc)(el, fd, data, mask);
    }
}
