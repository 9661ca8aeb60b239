//! Time events of the library's own.

use super::handle::Loop;
use super::threads::LoopId;
use super::timers::{create_time_event, delete_time_event};
use crate::abi::ae::{AeTimeProc, aeTimeProc};
use crate::sys::Errno;
use core::ffi::{c_longlong, c_void};
use core::ptr;

/// A time event that can be cancelled even after its loop has gone: it does not mistake another loop for its own.
#[derive(Debug)]
pub(crate) struct LibraryTimer {
    el: LoopId,
    id: c_longlong,
}

impl LibraryTimer {
    /// Lets `proc` run after so many milliseconds.
    ///
    /// # Safety
    /// `proc` may be called with `data` until the timer is cancelled.
    pub(crate) unsafe fn start(
        el: Loop,
        milliseconds: c_longlong,
        proc: AeTimeProc,
        data: *mut c_void,
    ) -> Result<Self, Errno> {
        let proc = proc as *mut aeTimeProc;
        // SAFETY: `proc` may be called, and there is no finalizer.
        let id = unsafe { create_time_event(el, milliseconds, proc, data, ptr::null_mut()) }?;
        Ok(Self { el: LoopId::of(el), id })
    }

    /// Sees to it that it does not run (again).
    ///
    /// # Safety
    /// Its loop is gone, or used by no other thread.
    pub(crate) unsafe fn cancel(mut self) {
        // SAFETY: no other thread uses it.
        if let Some(el) = unsafe { self.el.get() } {
            // It fails for one that has run.
            let _ = delete_time_event(el, self.id);
        }
    }
}
