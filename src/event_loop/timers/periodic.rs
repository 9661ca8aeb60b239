//! Time events at even distances: what is late does not move what comes after it.

use super::store::deadline;
use crate::abi::ae::*;
use crate::abi::embedding::{AeLoopProc, AePeriodicProc, aeLoopProc, aePeriodicProc};
use crate::abi::profile;
use crate::host::memory;
use crate::sys::{Errno, clock};
use core::ffi::{c_longlong, c_void};
use core::mem::transmute;
use core::ptr::NonNull;

/// What such an event has in place of the program's data.
pub(super) struct Periodic {
    proc: *mut aePeriodicProc,
    data: *mut c_void,
    finalizer: *mut aeLoopProc,
    period: u64,
    next: monotime,
}

impl Periodic {
    /// That, in memory of its own, which [`end`] or [`release`] frees; `EINVAL` for a period below 1.
    pub(super) fn boxed(
        milliseconds: c_longlong,
        period: c_longlong,
        proc: *mut aePeriodicProc,
        data: *mut c_void,
        finalizer: *mut aeLoopProc,
    ) -> Result<NonNull<Self>, Errno> {
        let period = u64::try_from(period).ok().filter(|period| *period > 0).ok_or(Errno::EINVAL)?.saturating_mul(1000);
        let next = deadline(clock::now_us(), milliseconds);
        memory::boxed(Self { proc, data, finalizer, period, next })
    }
}

/// The callback of such an event.
pub(super) unsafe extern "C" fn run(raw: *mut aeEventLoop, id: c_longlong, data: *mut c_void) -> AeTimeResult {
    let periodic: *mut Periodic = data.cast();
    // SAFETY: it lives until the finalizer runs, which is after the last run. No reference is alive while the program's
    // function runs, which it lets be called with its data.
    unsafe {
        let (proc, data) = ((*periodic).proc, (*periodic).data);
        if transmute::<*mut aePeriodicProc, AePeriodicProc>(proc)(raw, id, data) == AE_NOMORE {
            return profile::DO_NOT_RUN_AGAIN;
        }
        let periodic = &mut *periodic;
        let now = clock::now_us();
        let behind = now.saturating_sub(periodic.next) / periodic.period;
        periodic.next = periodic.next.saturating_add(periodic.period.saturating_mul(behind + 1));
        profile::run_again((periodic.next.saturating_sub(now).div_ceil(1000)).try_into().unwrap_or(c_longlong::MAX))
    }
}

/// Starts the even distances anew, from this time on, if the event has any.
///
/// # Safety
/// The event is in use, and its callback does not run.
pub(super) unsafe fn restart(event: &aeTimeEvent, next: monotime) {
    if is_periodic(event) {
        // SAFETY: with this function it has such data, to which no reference is alive.
        unsafe { (*event.clientData.cast::<Periodic>()).next = next };
    }
}

fn is_periodic(event: &aeTimeEvent) -> bool {
    event.timeProc == run as AeTimeProc as *mut aeTimeProc
}

/// Its finalizer.
pub(super) unsafe extern "C" fn end(raw: *mut aeEventLoop, data: *mut c_void) {
    // SAFETY: that of `Periodic::boxed`, which is not used afterwards.
    let Periodic { finalizer, data, .. } = unsafe { taken(data) };
    if !finalizer.is_null() {
        // SAFETY: the program lets it be called with its data.
        unsafe { transmute::<*mut aeLoopProc, AeLoopProc>(finalizer)(raw, data) };
    }
}

/// Frees what such an event has when it goes without its finalizer.
///
/// # Safety
/// The event is not used afterwards.
pub(super) unsafe fn release(event: &aeTimeEvent) {
    if is_periodic(event) {
        // SAFETY: with this function it has such data.
        unsafe { taken(event.clientData) };
    }
}

/// # Safety
/// `data` is that of [`Periodic::boxed`], and not used afterwards.
unsafe fn taken(data: *mut c_void) -> Periodic {
    // SAFETY: it came from `boxed`.
    unsafe {
        let periodic = NonNull::new_unchecked(data.cast::<Periodic>());
        let taken = periodic.read();
        memory::release(periodic);
        taken
    }
}
