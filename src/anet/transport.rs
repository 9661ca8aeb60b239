//! The protocol and the port of a stream socket, and how one is made.

use super::Error;
use super::owned_fd::OwnedFd;
use crate::sys::resolve::Found;
use crate::sys::socket::MPTCP;
use crate::sys::{Errno, socket};
use core::ffi::c_int;

/// What a stream goes over.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Transport {
    /// Plain TCP.
    #[default]
    Tcp,
    /// Multipath TCP.
    Mptcp,
    /// Multipath TCP, or plain where the kernel has none.
    MptcpIfAvailable,
}

impl Transport {
    /// Whether the system knows MPTCP. Its kernel may still refuse it.
    #[allow(dead_code)] // Only Valkey 9 asks for it.
    pub(crate) const HAS_MPTCP: bool = MPTCP.is_some();

    /// A socket for an address that was found.
    pub(super) fn socket(self, found: &Found, close_on_exec: bool) -> Result<OwnedFd, Error> {
        let plain = || new_socket(found.family, found.protocol, close_on_exec);
        if self == Self::Tcp {
            return plain();
        }
        // Where there is none, -1 is refused by `socket`.
        match new_socket(found.family, MPTCP.unwrap_or(-1), close_on_exec) {
            Err(error) if self == Self::MptcpIfAvailable && says_that_there_is_none(error.errno()) => plain(),
            made => made.map_err(Error::of_option),
        }
    }
}

/// What kernels answer that have no MPTCP, have it switched off, or know of no protocol with such a number.
fn says_that_there_is_none(errno: Errno) -> bool {
    matches!(errno, Errno::EPROTONOSUPPORT | Errno::ENOPROTOOPT | Errno::EINVAL)
}

/// A socket whose address can be used again at once.
pub(super) fn new_socket(family: c_int, protocol: c_int, close_on_exec: bool) -> Result<OwnedFd, Error> {
    let fd = OwnedFd(socket::stream(family, protocol, close_on_exec).map_err(Error::at("creating socket"))?);
    socket::set_option(fd.0, libc::SOL_SOCKET, libc::SO_REUSEADDR, 1).map_err(Error::at("setsockopt SO_REUSEADDR"))?;
    Ok(fd)
}

/// A TCP port as the API takes it.
pub(super) fn port_number(port: c_int) -> Result<u16, Error> {
    u16::try_from(port).map_err(|_| Error::new("port", Errno::EINVAL))
}
