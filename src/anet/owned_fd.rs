//! Descriptors that are ours until they are given to the caller.

use crate::sys::fd;
use core::ffi::c_int;

/// Closes its descriptor unless it is released: no error path leaks one.
pub(super) struct OwnedFd(pub(super) c_int);

impl OwnedFd {
    pub(super) fn release(self) -> c_int {
        let fd = self.0;
        core::mem::forget(self);
        fd
    }
}

impl Drop for OwnedFd {
    fn drop(&mut self) {
        // The error to report is the one that led here.
        let _ = fd::close(self.0);
    }
}
