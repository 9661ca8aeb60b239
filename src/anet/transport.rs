//! The protocol and the port of a stream socket.

use super::Error;
use crate::sys::Errno;
use crate::sys::resolve::Found;
use crate::sys::socket::MPTCP;
use core::ffi::c_int;

/// What a stream goes over.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    /// Plain TCP.
    Tcp,
    /// Multipath TCP.
    #[allow(dead_code)] // Only Valkey 9 asks for it.
    Mptcp,
}

impl Transport {
    /// Whether the system knows MPTCP. Its kernel may still refuse it.
    #[allow(dead_code)] // Only Valkey 9 asks for it.
    pub(crate) const HAS_MPTCP: bool = MPTCP.is_some();

    /// The protocol for a socket to an address that was found.
    pub(super) fn protocol(self, found: &Found) -> c_int {
        match self {
            Self::Tcp => found.protocol,
            // Where there is none, -1 is refused by `socket`.
            Self::Mptcp => MPTCP.unwrap_or(-1),
        }
    }
}

/// A TCP port as the API takes it.
pub(super) fn port_number(port: c_int) -> Result<u16, Error> {
    u16::try_from(port).map_err(|_| Error::new("port", Errno::EINVAL))
}
