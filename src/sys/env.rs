//! The environment.

use core::ffi::CStr;
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
