//! The environment.

use core::ffi::CStr;

/// Whether a variable is set.
pub(crate) fn is_set(name: &CStr) -> bool {
    // SAFETY: a C string; the result is not followed.
    !unsafe { libc::getenv(name.as_ptr()) }.is_null()
}
