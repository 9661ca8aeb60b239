//! File events: what descriptors are watched for.

use super::slots::POLLED;
use super::state::{entry, grow_events, hold, state};
use crate::abi::ae::*;
use crate::sys::Errno;
use core::ffi::{c_int, c_void};

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
        let held = hold(el)?;
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
        let held = hold(el).unwrap_or(None);
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
