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
    // SAFETY: NULL or from `malloc` or `calloc`, and no longer used.
    unsafe { libc::free(ptr) }
}

/// A copy of bytes with a NUL behind it, from [`malloc`]; NULL when there is no memory.
#[cfg(feature = "tls")]
pub(crate) fn string(bytes: &[u8]) -> *mut core::ffi::c_char {
    let copy = malloc(bytes.len() + 1).cast::<u8>();
    if !copy.is_null() {
        // SAFETY: fresh memory for that many bytes.
        unsafe {
            ptr::copy_nonoverlapping(bytes.as_ptr(), copy, bytes.len());
            copy.add(bytes.len()).write(0);
        }
    }
    copy.cast()
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
    // SAFETY: pages from `map`, no longer used. Unmapping them cannot fail.
    unsafe { libc::munmap(pointer, bytes) };
}
