//! The environment, and the process that it is of.

use core::ffi::{CStr, c_int};
use std::ffi::OsString;

/// The value of a variable, if it is set.
pub(crate) fn value(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

/// Whether a variable is set.
pub(crate) fn is_set(name: &CStr) -> bool {
    // SAFETY: a C string; the result is not followed.
    !unsafe { libc::getenv(name.as_ptr()) }.is_null()
}

/// The number of this process.
pub(crate) fn process_id() -> c_int {
    // SAFETY: takes nothing.
    unsafe { libc::getpid() }
}
