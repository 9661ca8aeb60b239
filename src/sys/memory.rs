//! The C library's allocator, for memory that C code may come to own.

use core::ffi::c_void;

pub(crate) fn malloc(size: usize) -> *mut c_void {
    // SAFETY: any size may be asked for.
    unsafe { libc::malloc(size) }
}

pub(crate) fn calloc(count: usize, size: usize) -> *mut c_void {
    // SAFETY: any count and size may be asked for.
    unsafe { libc::calloc(count, size) }
}

/// # Safety
/// `ptr` is NULL or came from [`malloc`] or [`calloc`] and is not used afterwards.
pub(crate) unsafe fn free(ptr: *mut c_void) {
    // SAFETY: the caller vouches for the pointer.
    unsafe { libc::free(ptr) }
}
