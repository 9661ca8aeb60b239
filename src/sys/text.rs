//! The system's error texts.

use core::ffi::{CStr, c_char, c_int};
use nix::errno::Errno;

/// Enough for every error text of the C libraries we know.
pub(crate) const ERROR_TEXT_LEN: usize = 128;

/// Writes the C library's text for an errno value, terminated, into `buf`.
pub(crate) fn error_text_into(errno: c_int, buf: &mut [c_char; ERROR_TEXT_LEN]) -> &CStr {
    // SAFETY: the buffer is as long as said; libc binds the POSIX strerror_r, which writes to it alone.
    let failed = unsafe { libc::strerror_r(errno, buf.as_mut_ptr(), buf.len()) } != 0;
    if failed && buf[0] == 0 {
        for (to, from) in buf.iter_mut().zip(b"Unknown error\0") {
            *to = *from as c_char;
        }
    }
    buf[ERROR_TEXT_LEN - 1] = 0;
    // SAFETY: the last byte is a NUL.
    unsafe { CStr::from_ptr(buf.as_ptr()) }
}

/// The C library's text for an errno value.
pub(crate) fn error_text(errno: Errno) -> String {
    let mut buf = [0; ERROR_TEXT_LEN];
    error_text_into(errno as c_int, &mut buf).to_string_lossy().into_owned()
}

/// The resolver's text for one of its error codes.
pub(crate) fn resolver_text(code: c_int) -> String {
    // SAFETY: gai_strerror returns a static string for every code.
    unsafe { CStr::from_ptr(libc::gai_strerror(code)) }.to_string_lossy().into_owned()
}

/// Writes as much of the text as fits into `len` bytes, terminated. Nothing when `len` is 0.
///
/// # Safety
/// `buf` has room for `len` bytes.
pub(crate) unsafe fn write_text(buf: *mut c_char, len: usize, text: &str) {
    let Some(room) = len.checked_sub(1) else { return };
    let count = text.len().min(room);
    // SAFETY: `count` bytes and the NUL fit into `len`.
    unsafe {
        buf.cast::<u8>().copy_from_nonoverlapping(text.as_ptr(), count);
        buf.add(count).write(0);
    }
}

/// Writes the whole text, terminated, or fails with `ENOSPC` and leaves an empty one. A NULL buffer is skipped.
///
/// # Safety
/// `buf` is NULL or has room for `len` bytes.
pub(crate) unsafe fn write_whole(buf: *mut c_char, len: usize, text: &str) -> Result<(), Errno> {
    if buf.is_null() {
        return Ok(());
    }
    let fits = text.len() < len;
    // SAFETY: the caller vouches for the room.
    unsafe { write_text(buf, len, if fits { text } else { "" }) };
    if fits { Ok(()) } else { Err(Errno::ENOSPC) }
}
