//! Listening sockets that whoever started the process has opened for it, as systemd does: the environment says how many,
//! from descriptor 3 on, and for which process.

use crate::abi::embedding::LIBAE_LISTEN_FDS_START as FIRST;
use crate::sys::{Errno, env, fd, socket};
use core::ffi::c_int;
use core::ops::Range;

/// The descriptors, which no exec passes on any more; none when the environment names none for this process. `EINVAL`
/// when it is no number, `EBADF` when one is not open.
pub(crate) fn inherited() -> Result<Range<c_int>, Errno> {
    let number = |name| env::value(name).map(|value| value.to_str().and_then(|text| text.parse::<c_int>().ok()));
    let (Some(process), Some(count)) = (number("LISTEN_PID"), number("LISTEN_FDS")) else { return Ok(FIRST..FIRST) };
    // Those of another process are meant for that one, which has left its environment to this.
    if process.is_some_and(|process| process != env::process_id()) {
        return Ok(FIRST..FIRST);
    }
    let end = process.and(count).filter(|count| *count >= 0).and_then(|count| FIRST.checked_add(count));
    let descriptors = FIRST..end.ok_or(Errno::EINVAL)?;
    for descriptor in descriptors.clone() {
        let flags = fd::descriptor_flags(descriptor)?;
        fd::set_descriptor_flags(descriptor, flags | libc::FD_CLOEXEC)?;
    }
    Ok(descriptors)
}

/// Whether a socket listens for connections; `ENOTSOCK` for what is no socket.
pub(crate) fn is_listening(fd: c_int) -> Result<bool, Errno> {
    socket::option(fd, libc::SOL_SOCKET, libc::SO_ACCEPTCONN).map(|listens| listens != 0)
}
