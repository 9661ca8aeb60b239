//! Addresses of unix sockets as the functions with options take them.

use super::{Error, SocketAddress};
use crate::sys::Errno;
use core::ffi::CStr;

/// Whether an address is that of a unix socket: a path (with a slash in it), or `@` and a name in the abstract
/// namespace, as systemd has it. No name of a host is either.
pub(crate) fn is_unix(address: &CStr) -> bool {
    let bytes = address.to_bytes();
    bytes.starts_with(b"@") || bytes.contains(&b'/')
}

/// The address of a unix socket: of a path, or of `@` and a name in the abstract namespace.
pub(super) fn unix_address(address: &CStr) -> Result<SocketAddress, Error> {
    match address.to_bytes().strip_prefix(b"@") {
        None => SocketAddress::unix(address),
        // The system would make a name up.
        Some(b"") => Err(Errno::EINVAL),
        Some(name) => SocketAddress::abstract_unix(name),
    }
    .map_err(|errno| Error::new("unix socket address", errno))
}
