//! The C library's allocator, for memory that C code may come to own, and pages.

use core::ffi::c_void;
use core::ptr;

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

/// Fresh pages of zero bytes; NULL when there are none. They cost address space only, until they are used.
pub(crate) fn map(bytes: usize) -> *mut c_void {
    let (access, kind) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
    // SAFETY: the kernel chooses the place.
    let pointer = unsafe { libc::mmap(ptr::null_mut(), bytes, access, kind, -1, 0) };
    if pointer == libc::MAP_FAILED { ptr::null_mut() } else { pointer }
}

/// # Safety
/// `pointer` is what [`map`] returned for as many bytes, and not used afterwards.
pub(crate) unsafe fn unmap(pointer: *mut c_void, bytes: usize) {
    // SAFETY: the caller vouches for the pages. It cannot fail for them.
    unsafe { libc::munmap(pointer, bytes) };
}
