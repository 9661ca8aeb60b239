//! Pipes, and whole reads and writes.

use super::OwnedFd;
use crate::sys::{Errno, fd, valid_fd};
use core::ffi::{CStr, c_int};
use libc::{O_CLOEXEC, O_NONBLOCK};

/// A pipe, `[read end, write end]`, each with its own `O_NONBLOCK`. Both ends are close-on-exec, as upstream's
/// are on Linux, whether the flags say so or not.
pub(crate) fn pipe(read_flags: c_int, write_flags: c_int) -> Result<[c_int; 2], Errno> {
    if (read_flags | write_flags) & !(O_CLOEXEC | O_NONBLOCK) != 0 {
        return Err(Errno::EINVAL);
    }
    let ends = fd::pipe()?.map(OwnedFd);
    for (end, flags) in ends.iter().zip([read_flags, write_flags]) {
        if flags & O_NONBLOCK != 0 {
            fd::set_status_flags(end.0, fd::status_flags(end.0)? | O_NONBLOCK)?;
        }
    }
    Ok(ends.map(OwnedFd::release))
}

/// Whether a path names a FIFO.
pub(crate) fn is_fifo(path: &CStr) -> bool {
    fd::file_mode(path).is_ok_and(|mode| mode & libc::S_IFMT == libc::S_IFIFO)
}

/// Fills the buffer; returns less than its length at the end of the input.
pub(crate) fn read_all(fd: c_int, buf: &mut [u8]) -> Result<c_int, Errno> {
    valid_fd(fd)?;
    let mut done = 0;
    while done < buf.len() {
        match fd::read_into(fd, &mut buf[done..]) {
            Ok(0) => break,
            Ok(count) => done += count,
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(done as c_int)
}

/// Writes the whole buffer.
pub(crate) fn write_all(fd: c_int, buf: &[u8]) -> Result<c_int, Errno> {
    valid_fd(fd)?;
    let mut done = 0;
    while done < buf.len() {
        match fd::write_from(fd, &buf[done..]) {
            Ok(0) => break,
            Ok(count) => done += count,
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(done as c_int)
}
