//! Descriptors that stay registered, but are not watched for readable for a while.

use super::handle::Loop;
use super::interest::Pause;
use crate::abi::ae::*;
use crate::abi::host::{LIBAE_ACCEPT_RETRY_MS, LIBAE_LOG_WARNING};
use crate::host::log;
use crate::sys::text::error_text;
use crate::sys::{Errno, clock};
use core::ffi::c_int;
use core::mem::take;

/// Leaves a descriptor registered, but does not watch it for readable for `milliseconds`. Creating its readable event
/// again ends the pause.
pub(crate) fn pause_readable(el: Loop, fd: c_int, milliseconds: u64) -> Result<(), Errno> {
    let _held = el.hold()?;
    // SAFETY: the entry is there.
    let mask = el.entry(fd).map_or(AE_NONE, |event| unsafe { (*event).mask });
    if mask & AE_READABLE == 0 {
        return Err(Errno::ENOENT);
    }
    // SAFETY: no callback runs here.
    let interest = unsafe { el.interest() };
    interest.pause(fd, after(clock::now_us(), milliseconds))?;
    let slot = interest.slot(fd);
    if slot.wanted(mask) == c_int::from(slot.armed) { Ok(()) } else { el.arm(interest, fd, mask, false) }
}

fn after(now: u64, milliseconds: u64) -> u64 {
    now.saturating_add(milliseconds.saturating_mul(1000))
}

/// Watches again those whose pause is over.
pub(super) fn end_pauses(el: Loop) {
    // SAFETY: the reference ends here.
    if !unsafe { el.interest() }.pauses.is_empty() {
        end_pauses_until(el, clock::now_us());
    }
}

#[cold]
fn end_pauses_until(el: Loop, now: u64) {
    let mut index = 0;
    // SAFETY: the reference ends here: the log's hook may use the loop.
    while let Some(&Pause { fd, until, failed }) = unsafe { el.interest() }.pauses.get(index) {
        if until > now {
            index += 1;
            continue;
        }
        let ended = end_pause(el, fd);
        // SAFETY: it ends before the log's hook runs.
        let pauses = unsafe { &mut el.interest().pauses };
        let Err(errno) = ended else {
            pauses.swap_remove(index);
            continue;
        };
        pauses[index] = Pause { fd, until: after(now, LIBAE_ACCEPT_RETRY_MS as u64), failed: true };
        index += 1;
        if !failed {
            let reason = error_text(errno);
            log(LIBAE_LOG_WARNING, format_args!("descriptor {fd} is not watched again yet: {reason}"));
        }
    }
}

/// Watches a descriptor again, unless its pause is over or its file is gone: both are no failure.
fn end_pause(el: Loop, fd: c_int) -> Result<(), Errno> {
    let _held = el.hold()?;
    let Some(event) = el.entry(fd) else { return Ok(()) };
    // SAFETY: the entry is there, and no callback runs here.
    let (mask, interest) = unsafe { ((*event).mask, el.interest()) };
    if !take(&mut interest.slot(fd).paused) {
        return Ok(());
    }
    match el.arm(interest, fd, mask, false) {
        Ok(()) | Err(Errno::EBADF | Errno::ENOENT | Errno::EPERM) => Ok(()),
        Err(errno) => {
            interest.slot(fd).paused = true;
            Err(errno)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event_loop::{create, create_file_event, delete};
    use crate::sys::fd;
    use core::ptr;

    #[test]
    fn what_is_not_watched_does_not_rest() {
        let el = create(16, None).unwrap();
        assert_eq!(pause_readable(el, 5, 100), Err(Errno::ENOENT));
        assert_eq!(pause_readable(el, 16, 100), Err(Errno::ENOENT));
        // SAFETY: not used afterwards.
        unsafe { delete(el) };
    }

    #[test]
    fn all_end_that_are_over() {
        let (el, pipes) = (create(1024, None).unwrap(), [fd::pipe().unwrap(), fd::pipe().unwrap()]);
        for [end, _] in pipes {
            // SAFETY: the function is never called, since nothing is polled.
            unsafe { create_file_event(el, end, AE_READABLE, ptr::dangling_mut(), ptr::null_mut()).unwrap() };
            pause_readable(el, end, 100).unwrap();
        }
        end_pauses_until(el, 0);
        // SAFETY: the reference ends here.
        assert_eq!(unsafe { el.interest() }.pauses.len(), 2);
        end_pauses_until(el, u64::MAX);
        // SAFETY: as above.
        assert!(unsafe { el.interest() }.pauses.is_empty());
        // SAFETY: not used afterwards.
        unsafe { delete(el) };
        pipes.into_iter().flatten().for_each(|end| fd::close(end).unwrap());
    }
}
