//! Descriptors of any kind.

use super::Errno;
use core::ffi::{CStr, c_int, c_void};

/// Standard error.
pub(crate) const STDERR: c_int = libc::STDERR_FILENO;

/// Checks that a descriptor can exist at all.
pub(crate) fn valid_fd(fd: c_int) -> Result<c_int, Errno> {
    if fd < 0 { Err(Errno::EBADF) } else { Ok(fd) }
}

pub(crate) fn close(fd: c_int) -> Result<(), Errno> {
    // SAFETY: takes no pointer; the descriptor is the caller's to close.
    Errno::result(unsafe { libc::close(fd) }).map(drop)
}

/// # Safety
/// `buf` is valid for writes of `len` bytes, or an address for which the kernel answers `EFAULT`.
pub(crate) unsafe fn read(fd: c_int, buf: *mut c_void, len: usize) -> Result<usize, Errno> {
    // SAFETY: `buf` takes `len` bytes, or the kernel refuses it.
    Errno::result(unsafe { libc::read(fd, buf, len) }).map(|count| count as usize)
}

/// # Safety
/// `buf` is valid for reads of `len` bytes.
pub(crate) unsafe fn write(fd: c_int, buf: *const c_void, len: usize) -> Result<usize, Errno> {
    // SAFETY: `buf` holds `len` bytes.
    Errno::result(unsafe { libc::write(fd, buf, len) }).map(|count| count as usize)
}

/// Reads up to the room's length; 0 is the end.
pub(crate) fn read_into(fd: c_int, room: &mut [u8]) -> Result<usize, Errno> {
    // SAFETY: the slice is as long as said.
    unsafe { read(fd, room.as_mut_ptr().cast(), room.len()) }
}

/// Writes data; returns how much of it was taken.
pub(crate) fn write_from(fd: c_int, data: &[u8]) -> Result<usize, Errno> {
    // SAFETY: the slice is as long as said.
    unsafe { write(fd, data.as_ptr().cast(), data.len()) }
}

/// # Safety
/// `iov` holds `count` elements, each valid for reads.
pub(crate) unsafe fn writev(fd: c_int, iov: *const libc::iovec, count: c_int) -> Result<usize, Errno> {
    // SAFETY: `iov` holds `count` elements, each valid for reads.
    Errno::result(unsafe { libc::writev(fd, iov, count) }).map(|count| count as usize)
}

/// A copy of a descriptor with a number from `least` on, close-on-exec.
pub(crate) fn duplicate(fd: c_int, least: c_int) -> Result<c_int, Errno> {
    // SAFETY: takes no pointer.
    Errno::result(unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, least) })
}

/// The same descriptor under a number from `least` on, close-on-exec; under its own when there is none.
pub(crate) fn numbered_from(fd: c_int, least: c_int) -> c_int {
    if fd >= least {
        return fd;
    }
    let Ok(moved) = duplicate(fd, least) else { return fd };
    // Nothing is left to do when it fails.
    let _ = close(fd);
    moved
}

/// Makes `to` a copy of another descriptor, which exec passes on; what it was is closed.
pub(crate) fn duplicate_to(fd: c_int, to: c_int) -> Result<(), Errno> {
    // SAFETY: takes no pointer; `to` is the caller's to close.
    Errno::result(unsafe { libc::dup2(fd, to) }).map(drop)
}

/// The status flags (`O_NONBLOCK` and others).
pub(crate) fn status_flags(fd: c_int) -> Result<c_int, Errno> {
    // SAFETY: takes no pointer.
    Errno::result(unsafe { libc::fcntl(fd, libc::F_GETFL) })
}

pub(crate) fn set_status_flags(fd: c_int, flags: c_int) -> Result<(), Errno> {
    // SAFETY: takes no pointer.
    Errno::result(unsafe { libc::fcntl(fd, libc::F_SETFL, flags) }).map(drop)
}

/// The descriptor flags (`FD_CLOEXEC`).
pub(crate) fn descriptor_flags(fd: c_int) -> Result<c_int, Errno> {
    // SAFETY: takes no pointer.
    Errno::result(unsafe { libc::fcntl(fd, libc::F_GETFD) })
}

pub(crate) fn set_descriptor_flags(fd: c_int, flags: c_int) -> Result<(), Errno> {
    // SAFETY: takes no pointer.
    Errno::result(unsafe { libc::fcntl(fd, libc::F_SETFD, flags) }).map(drop)
}

/// A pipe, `[read end, write end]`, both ends close-on-exec.
pub(crate) fn pipe() -> Result<[c_int; 2], Errno> {
    let mut fds = [-1; 2];
    #[cfg(not(target_vendor = "apple"))]
    // SAFETY: the array takes two descriptors.
    Errno::result(unsafe { libc::pipe2(fds.as_mut_ptr(), libc::O_CLOEXEC) })?;
    #[cfg(target_vendor = "apple")]
    {
        // SAFETY: the array takes two descriptors.
        Errno::result(unsafe { libc::pipe(fds.as_mut_ptr()) })?;
        for fd in fds {
            set_descriptor_flags(fd, libc::FD_CLOEXEC)?;
        }
    }
    Ok(fds)
}

/// What tells an open file from another one that has its number later: device and inode. Where sockets have no inode,
/// as on the BSDs, it does not.
#[cfg(feature = "tls")]
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity(libc::dev_t, libc::ino_t);

#[cfg(feature = "tls")]
pub(crate) fn identity(fd: c_int) -> Result<Identity, Errno> {
    let mut stat = core::mem::MaybeUninit::<libc::stat>::uninit();
    // SAFETY: there is room for the answer.
    Errno::result(unsafe { libc::fstat(fd, stat.as_mut_ptr()) })?;
    // SAFETY: the call has succeeded, so it is filled.
    let stat = unsafe { stat.assume_init() };
    Ok(Identity(stat.st_dev, stat.st_ino))
}

/// The kind and permission bits of a file, links followed.
pub(crate) fn file_mode(path: &CStr) -> Result<libc::mode_t, Errno> {
    nix::sys::stat::stat(path).map(|stat| stat.st_mode)
}

/// Whether there is a regular file with nothing in it.
pub(crate) fn is_empty_file(path: &CStr) -> bool {
    nix::sys::stat::stat(path).is_ok_and(|stat| stat.st_mode & libc::S_IFMT == libc::S_IFREG && stat.st_size == 0)
}

pub(crate) fn set_permissions(path: &CStr, mode: libc::mode_t) -> Result<(), Errno> {
    // SAFETY: the path is a C string.
    Errno::result(unsafe { libc::chmod(path.as_ptr(), mode) }).map(drop)
}

pub(crate) fn unlink(path: &CStr) -> Result<(), Errno> {
    // SAFETY: the path is a C string.
    Errno::result(unsafe { libc::unlink(path.as_ptr()) }).map(drop)
}

/// Gives a file to a group, a name or a number.
pub(crate) fn set_group(path: &CStr, group: &CStr) -> Result<(), Errno> {
    let group = group.to_str().map_err(|_| Errno::EINVAL)?;
    let gid = match group.parse() {
        Ok(number) => nix::unistd::Gid::from_raw(number),
        Err(_) => nix::unistd::Group::from_name(group)?.ok_or(Errno::EINVAL)?.gid,
    };
    nix::unistd::chown(path, None, Some(gid))
}
