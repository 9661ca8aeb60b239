//! File events: what descriptors are watched for.

use super::handle::Loop;
use super::interest::InterestTable;
use super::slots::POLLED;
use crate::abi::ae::*;
use crate::sys::Errno;
use crate::sys::mutex::Held;
use core::ffi::{c_int, c_void};
use core::sync::atomic::Ordering::Relaxed;

/// Watches `fd` for the events of `mask` besides those it is watched for.
///
/// # Safety
/// `proc` is an `aeFileProc` that may be called with `data`.
pub(crate) unsafe fn create_file_event(
    el: Loop,
    fd: c_int,
    mask: c_int,
    proc: *mut aeFileProc,
    data: *mut c_void,
) -> Result<(), Errno> {
    let held = el.hold()?;
    if fd < 0 {
        return Err(Errno::EBADF);
    }
    if fd < el.setsize() {
        el.make_entry(fd)?;
        // SAFETY: no callback runs here.
        unsafe { el.interest() }.make_room(fd, el.setsize())?;
    }
    let event = el.entry(fd).ok_or(Errno::ERANGE)?;
    // SAFETY: the entry is there, and no callback runs here.
    let (event, interest) = unsafe { (&mut *event, el.interest()) };
    if mask & !(POLLED | AE_BARRIER | AE_HIGH_PRIORITY) != 0 || (mask | event.mask) & POLLED == 0 {
        return Err(Errno::EINVAL);
    }
    if mask & AE_HIGH_PRIORITY != 0 {
        interest.high.make(el.backend_name(), el.setsize())?;
    }
    let before = aeFileEvent { ..*event };
    let slot = interest.slot(fd);
    let paused = slot.paused;
    // Stored before it is armed: whoever polls from another thread finds the handler.
    event.mask |= mask;
    if mask & AE_READABLE != 0 {
        event.rfileProc = proc;
        slot.paused = false;
    }
    if mask & AE_WRITABLE != 0 {
        event.wfileProc = proc;
    }
    event.clientData = data;
    // The backend is told even of an event that is there: the number may be another file's by now. Not if it was
    // told in this callback, for the same user, and this takes back a removal that was put off since.
    let known = slot.told
        && mask & AE_HIGH_PRIORITY == 0
        && (event.mask ^ before.mask) & POLLED != 0
        && slot.wanted(event.mask) == c_int::from(slot.armed)
        && same_user(event, &before);
    if !known {
        if let Err(errno) = el.arm(interest, fd, event.mask, true) {
            *event = before;
            interest.slot(fd).paused = paused;
            if interest.high.is_there() {
                // Perhaps only the second backend did not take it.
                let _ = el.arm(interest, fd, event.mask, false);
            }
            return Err(errno);
        }
        if may_defer(el, &held) && interest.arm_later(fd) {
            interest.slot(fd).told = true;
        }
    }
    el.set_maxfd(el.maxfd().max(fd));
    Ok(())
}

fn same_user(now: &aeFileEvent, before: &aeFileEvent) -> bool {
    (now.clientData, now.rfileProc, now.wfileProc) == (before.clientData, before.rfileProc, before.wfileProc)
}

/// Whether a change can wait until the next poll: that is to come in the call that is running, nobody is in the
/// middle of one, and it is this thread that will.
fn may_defer(el: Loop, held: &Option<Held>) -> bool {
    el.depth() > 0 && !el.state().polling.load(Relaxed) && held.is_none()
}

/// Stops watching `fd` for the events of `mask`.
pub(crate) fn delete_file_event(el: Loop, fd: c_int, mut mask: c_int) {
    // Only a thread that holds the mutex already does not get it.
    let held = el.hold().unwrap_or(None);
    let Some(event) = el.entry(fd) else { return };
    // SAFETY: the entry is there, and no callback runs here.
    let (event, interest) = unsafe { (&mut *event, el.interest()) };
    let before = event.mask;
    if before == AE_NONE {
        return;
    }
    if mask & AE_WRITABLE != 0 {
        mask |= AE_BARRIER;
    }
    event.mask &= !mask;
    if before & AE_HIGH_PRIORITY != 0 {
        settle_priority(event, interest, fd);
    }
    let after = event.mask;
    if before & POLLED != after & POLLED {
        // The last one goes at once: after a fork the child may keep the file open, and with it the
        // kernel's registration, when the caller closes the descriptor.
        let later = after & POLLED != 0 && may_defer(el, &held) && interest.arm_later(fd);
        if !later {
            // It fails when the descriptor was closed first, which removed it as well.
            let _ = el.arm(interest, fd, after, false);
        }
    }
    if fd == el.maxfd() && after == AE_NONE {
        el.set_maxfd(highest_below(el, fd));
    }
}

/// Ends a descriptor's priority with its last event, and in the second backend when it has ended.
#[cold]
#[inline(never)]
fn settle_priority(event: &mut aeFileEvent, interest: &mut InterestTable, fd: c_int) {
    if event.mask & POLLED == 0 {
        event.mask &= !AE_HIGH_PRIORITY;
    }
    if event.mask & AE_HIGH_PRIORITY == 0 {
        let _ = interest.watch_high(fd, event.mask, false);
    }
}

/// The highest descriptor below this one that is watched, -1 without any.
fn highest_below(el: Loop, fd: c_int) -> c_int {
    (0..fd).rev().find(|fd| mask_of(el, *fd).is_some_and(|mask| mask != AE_NONE)).unwrap_or(-1)
}

/// The mask of a descriptor in range.
fn mask_of(el: Loop, fd: c_int) -> Option<c_int> {
    // SAFETY: the entry is there.
    el.entry(fd).map(|event| unsafe { (*event).mask })
}

/// The mask and the client data of a descriptor in range.
pub(crate) fn file_event(el: Loop, fd: c_int) -> Option<(c_int, *mut c_void)> {
    // SAFETY: the entry is there.
    el.entry(fd).map(|event| unsafe { ((*event).mask, (*event).clientData) })
}

/// Tells the backend what is no longer watched for since this was last done.
#[inline(never)]
pub(super) fn apply_changes(el: Loop) {
    // SAFETY: no callback runs here.
    let interest = unsafe { el.interest() };
    while let Some(fd) = interest.next_change() {
        let Some(mask) = mask_of(el, fd) else { continue };
        let slot = interest.slot(fd);
        (slot.listed, slot.told) = (false, false);
        if slot.wanted(mask) != c_int::from(slot.armed) {
            // It fails when the descriptor was closed first, which removed it as well.
            let _ = el.arm(interest, fd, mask, false);
        }
    }
}
