//! What every export does with its arguments and results.

use crate::abi::ae::aeEventLoop;
use crate::event_loop::Loop;
pub(super) use crate::sys::errno::{call, quietly, returned};
use crate::sys::text::TextRoom;
use core::ffi::{CStr, c_char, c_int};
use core::ptr::NonNull;
use nix::errno::Errno;

/// The loop, or `EINVAL` for NULL.
///
/// # Safety
/// `el` is NULL or a live loop, which no other thread uses during the call that got it, except as docs/api.md allows.
#[inline(always)]
pub(super) unsafe fn event_loop(el: *mut aeEventLoop) -> Result<Loop, Errno> {
    let el = NonNull::new(el).ok_or(Errno::EINVAL)?;
    // SAFETY: not NULL, thus live for the length of the call.
    Ok(unsafe { Loop::new(el) })
}

/// The pointer, or `EINVAL` when it is NULL.
pub(super) fn non_null<T>(pointer: *mut T) -> Result<*mut T, Errno> {
    if pointer.is_null() { Err(Errno::EINVAL) } else { Ok(pointer) }
}

/// A C string argument, or `EINVAL` when it is NULL.
///
/// # Safety
/// `text` is NULL or a NUL terminated string that lives as long as the call that got it.
pub(super) unsafe fn string<'a>(text: *const c_char) -> Result<&'a CStr, Errno> {
    // SAFETY: a string or NULL.
    unsafe { optional_string(text) }.ok_or(Errno::EINVAL)
}

/// A C string argument that may be NULL.
///
/// # Safety
/// As for [`string`].
pub(super) unsafe fn optional_string<'a>(text: *const c_char) -> Option<&'a CStr> {
    if text.is_null() {
        None
    } else {
        // SAFETY: not NULL, thus a string.
        Some(unsafe { CStr::from_ptr(text) })
    }
}

/// A buffer argument of `count` bytes; `EINVAL` when it is NULL or `count` negative.
///
/// # Safety
/// `buf` is NULL or valid for `count` bytes for as long as the call that got it.
pub(super) unsafe fn bytes_mut<'a>(buf: *mut c_char, count: c_int) -> Result<&'a mut [u8], Errno> {
    let count = usize::try_from(count).map_err(|_| Errno::EINVAL)?;
    let buf = non_null(buf)?;
    // SAFETY: not NULL, thus valid for so many bytes.
    Ok(unsafe { core::slice::from_raw_parts_mut(buf.cast(), count) })
}

/// [`bytes_mut`] of bytes that are only read.
///
/// # Safety
/// As for [`bytes_mut`].
pub(super) unsafe fn bytes<'a>(buf: *const c_char, count: c_int) -> Result<&'a [u8], Errno> {
    let count = usize::try_from(count).map_err(|_| Errno::EINVAL)?;
    let buf = non_null(buf.cast_mut())?;
    // SAFETY: not NULL, thus valid for so many bytes.
    Ok(unsafe { core::slice::from_raw_parts(buf.cast(), count) })
}

/// The result of a call that writes into `err` why it fails.
pub(super) fn explained<T>(result: Result<T, (Errno, String)>, err: Option<TextRoom<'_>>) -> Result<T, Errno> {
    result.map_err(|(errno, why)| {
        if let Some(mut err) = err {
            err.write(format_args!("{why}"));
        }
        errno
    })
}
