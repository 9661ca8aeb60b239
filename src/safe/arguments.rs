//! What every function here does with its arguments and errors.

use crate::sys::Errno;
use std::ffi::CString;
use std::io;

pub(super) fn io_error(errno: Errno) -> io::Error {
    io::Error::from_raw_os_error(errno as i32)
}

/// A string for the core.
pub(super) fn c_string(text: impl Into<Vec<u8>>) -> io::Result<CString> {
    CString::new(text).map_err(|_| io_error(Errno::EINVAL))
}
