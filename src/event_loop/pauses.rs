//! Descriptors that stay registered, but are not watched for readable for a while.

use super::state::{Pause, entry, hold, state};
use crate::abi::ae::*;
use crate::abi::host::{LIBAE_ACCEPT_RETRY_MS, LIBAE_LOG_WARNING};
use crate::host::log;
use crate::sys::text::error_text;
use crate::sys::{Errno, clock};
use core::ffi::c_int;

/// Leaves a descriptor registered, but does not watch it for readable for `milliseconds`. Creating or deleting
/// its readable event ends the pause.
///
/// # Safety
/// `el` is a live loop of this thread.
pub(crate) unsafe fn pause_readable(el: *mut aeEventLoop, fd: c_int, milliseconds: u64) -> Result<(), Errno> {
    // SAFETY: the caller vouches for the loop; no callback runs here.
    unsafe {
        let _held = hold(el)?;
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
                    log(LIBAE_LOG_WARNING, format_args!("descriptor {fd} is not watched again yet: {reason}"));
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
        let _held = hold(el)?;
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
