//! What C callers pass to the functions of the types' tables: strings and buffers that may be NULL.

use crate::sys::Errno;
#[cfg(feature = "tls")]
use core::ffi::c_void;
use core::ffi::{CStr, c_char};

/// A string argument that may be NULL.
///
/// # Safety
/// `text` is NULL or a string that outlives the call.
pub(super) unsafe fn string<'a>(text: *const c_char) -> Option<&'a CStr> {
    // SAFETY: not NULL, so a string.
    (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) })
}

/// The bytes of a sync call; `EINVAL` without any.
///
/// # Safety
/// `ptr` is NULL or valid for `size` bytes during the call.
pub(super) unsafe fn bytes<'a>(ptr: *mut c_char, size: isize) -> Result<&'a mut [u8], Errno> {
    match usize::try_from(size) {
        // SAFETY: not NULL, so valid for `size` bytes.
        Ok(size) if !ptr.is_null() => Ok(unsafe { core::slice::from_raw_parts_mut(ptr.cast(), size) }),
        _ => Err(Errno::EINVAL),
    }
}

/// The bytes of a buffer. NULL is `EFAULT`, as the kernel has it for a socket.
///
/// # Safety
/// `data` is NULL or valid for `len` bytes during the call.
#[cfg(feature = "tls")]
pub(super) unsafe fn buffer<'a>(data: *const c_void, len: usize) -> Result<&'a [u8], Errno> {
    match len {
        0 => Ok(&[]),
        _ if data.is_null() => Err(Errno::EFAULT),
        // SAFETY: not NULL, so valid for the length.
        _ => Ok(unsafe { core::slice::from_raw_parts(data.cast(), len) }),
    }
}
