//! Who is at the other end of a unix socket.

use super::{Errno, socket};
use core::ffi::c_int;

/// The process that connected, or that listened, and its user and group at that time.
#[derive(Clone, Copy)]
pub(crate) struct Credentials {
    /// 0 where the system does not tell.
    pub(crate) process: libc::pid_t,
    pub(crate) user: libc::uid_t,
    pub(crate) group: libc::gid_t,
}

/// The credentials of a unix socket's peer; `EOPNOTSUPP` for other sockets, `ENOTCONN` without a peer.
pub(crate) fn credentials(fd: c_int) -> Result<Credentials, Errno> {
    if socket::own_address(fd)?.family() != libc::AF_UNIX {
        return Err(Errno::EOPNOTSUPP);
    }
    // Without a peer Linux answers with no process and nobody.
    socket::peer_address(fd)?;
    ask(fd)
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn ask(fd: c_int) -> Result<Credentials, Errno> {
    let found: libc::ucred = socket::option_of(fd, libc::SOL_SOCKET, libc::SO_PEERCRED)?;
    Ok(Credentials { process: found.pid, user: found.uid, group: found.gid })
}

#[cfg(any(target_os = "illumos", target_os = "solaris"))]
fn ask(fd: c_int) -> Result<Credentials, Errno> {
    let mut found = core::ptr::null_mut();
    // SAFETY: valid; it leads to credentials that are freed here.
    unsafe {
        Errno::result(libc::getpeerucred(fd, &mut found))?;
        let (process, user) = (libc::ucred_getpid(found), libc::ucred_geteuid(found));
        let group = libc::ucred_getegid(found);
        libc::ucred_free(found);
        Ok(Credentials { process, user, group })
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "illumos", target_os = "solaris")))]
fn ask(fd: c_int) -> Result<Credentials, Errno> {
    let (mut user, mut group) = (0, 0);
    // SAFETY: both are valid.
    Errno::result(unsafe { libc::getpeereid(fd, &mut user, &mut group) })?;
    Ok(Credentials { process: 0, user, group })
}
