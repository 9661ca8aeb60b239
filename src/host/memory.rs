//! Memory from the host's allocator, or the C library's when the host has none.

use super::hooks;
use crate::sys::{Errno, memory};
use core::ffi::c_void;
use core::mem::size_of;
use core::ptr::{self, NonNull};

/// Types for which all zero bytes are a value.
///
/// # Safety
/// The implementor is such a type, without destructor.
pub(crate) unsafe trait Zeroable {}

// SAFETY: plain integers and pointers.
unsafe impl Zeroable for crate::abi::ae::aeFileEvent {}
// SAFETY: plain integers.
unsafe impl Zeroable for crate::abi::ae::aeFiredEvent {}
// SAFETY: plain integers and pointers.
unsafe impl Zeroable for crate::abi::ae::aeTimeEvent {}
// SAFETY: plain integers and pointers, and function pointers that may be NULL.
unsafe impl Zeroable for crate::abi::connection::connection {}

/// Memory for one `T`, uninitialised.
fn allocate<T>() -> Result<NonNull<T>, Errno> {
    let pointer = match hooks::allocator() {
        // SAFETY: the host's allocator may be called, and is whole.
        Some(host) => unsafe { host.malloc.map_or(ptr::null_mut(), |malloc| malloc(size_of::<T>(), host.context)) },
        None => memory::malloc(size_of::<T>()),
    };
    NonNull::new(pointer.cast()).ok_or(Errno::ENOMEM)
}

/// `value` in memory of its own.
pub(crate) fn boxed<T>(value: T) -> Result<NonNull<T>, Errno> {
    let pointer = allocate::<T>()?;
    // SAFETY: fresh memory for one T.
    unsafe { pointer.write(value) };
    Ok(pointer)
}

/// Drops a value and frees its memory.
///
/// # Safety
/// `pointer` came from [`boxed`] and is not used afterwards.
pub(crate) unsafe fn unbox<T>(pointer: NonNull<T>) {
    // SAFETY: it came from `boxed`, and this is its last use.
    unsafe {
        pointer.drop_in_place();
        release(pointer);
    }
}

/// One `T` of zero bytes.
pub(crate) fn zeroed<T: Zeroable>() -> T {
    // SAFETY: zero bytes are a value of a `Zeroable`.
    unsafe { core::mem::zeroed() }
}

/// Frees memory from this module.
///
/// # Safety
/// `pointer` came from this module and is not used afterwards.
pub(crate) unsafe fn release<T>(pointer: NonNull<T>) {
    let pointer: *mut c_void = pointer.as_ptr().cast();
    match hooks::allocator() {
        // SAFETY: the host's allocator may be called, and is whole and has not changed since.
        Some(host) => unsafe {
            if let Some(free) = host.free {
                free(pointer, host.context);
            }
        },
        // SAFETY: it came from this allocator, and this is its last use.
        None => unsafe { memory::free(pointer) },
    }
}

/// An array that starts as zero bytes. A large one costs address space only, until its pages are used.
pub(crate) struct ZeroedArray<T: Zeroable> {
    first: NonNull<T>,
    len: usize,
    /// The memory is not an allocator's.
    mapped: bool,
}

/// Without a host's allocator, arrays of so many bytes are pages of their own: the C library's allocator would clear
/// what it gives out a second time.
const LARGE: usize = 64 * 1024;

impl<T: Zeroable> ZeroedArray<T> {
    pub(crate) fn new(len: usize) -> Result<Self, Errno> {
        let bytes = len.checked_mul(size_of::<T>()).ok_or(Errno::ENOMEM)?;
        let pointer = match hooks::allocator() {
            // SAFETY: the host's allocator may be called, and is whole.
            Some(host) => unsafe {
                match (host.calloc, host.malloc) {
                    (Some(calloc), _) => calloc(len, size_of::<T>(), host.context),
                    (None, Some(malloc)) => {
                        let pointer = malloc(bytes, host.context);
                        if !pointer.is_null() {
                            pointer.write_bytes(0, bytes);
                        }
                        pointer
                    }
                    (None, None) => ptr::null_mut(),
                }
            },
            None if bytes >= LARGE => memory::map(bytes),
            None => memory::calloc(len, size_of::<T>()),
        };
        let mapped = bytes >= LARGE && hooks::allocator().is_none();
        NonNull::new(pointer.cast()).map(|first| Self { first, len, mapped }).ok_or(Errno::ENOMEM)
    }

    /// Another array of `len` elements that starts with the first `keep` of this one.
    pub(crate) fn resized(&self, len: usize, keep: usize) -> Result<Self, Errno> {
        let new = Self::new(len)?;
        // SAFETY: both arrays hold that many elements.
        unsafe { self.first.copy_to_nonoverlapping(new.first, keep.min(len).min(self.len)) };
        Ok(new)
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn as_mut_ptr(&self) -> *mut T {
        self.first.as_ptr()
    }

    /// For arrays that no C code and no callback reaches.
    pub(crate) fn as_mut_slice(&mut self) -> &mut [T] {
        // SAFETY: that many elements, initialised, and borrowed with the array.
        unsafe { core::slice::from_raw_parts_mut(self.first.as_ptr(), self.len) }
    }
}

impl<T: Zeroable> Drop for ZeroedArray<T> {
    fn drop(&mut self) {
        // SAFETY: the array is this module's own and dropped once.
        unsafe {
            if self.mapped {
                memory::unmap(self.first.as_ptr().cast(), self.len * size_of::<T>());
            } else {
                release(self.first);
            }
        }
    }
}
