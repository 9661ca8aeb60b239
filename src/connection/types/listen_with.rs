//! Listeners of the built-in types with options for their sockets.

#[cfg(feature = "tls")]
use super::TLS;
use super::listen::listen;
use super::{TCP, UNIX};
use crate::abi::connection::*;
use crate::anet::{Error, SocketOptions};
use crate::connection::listener::{open_tcp, open_unix_with};
use crate::sys::Errno;
use core::ptr;

/// Opens the sockets of a listener of a built-in type as the options say; `EOPNOTSUPP` for other types. The host's
/// hooks are not asked.
///
/// # Safety
/// `listener` is valid and its `bindaddr` holds `bindaddr_count` strings.
pub(crate) unsafe fn listen_with(listener: *mut connListener, options: &SocketOptions<'_>) -> Result<(), Error> {
    // SAFETY: valid.
    let (ct, port) = unsafe { ((*listener).ct, (*listener).port) };
    let is = |known: &'static ConnectionType| ptr::eq(ct, known);
    #[cfg(feature = "tls")]
    let is_tls = is(&TLS);
    #[cfg(not(feature = "tls"))]
    let is_tls = false;
    if is(&TCP) || is_tls {
        // SAFETY: valid, with that many addresses.
        return unsafe { listen(listener, |address| open_tcp(address, port, options)) };
    }
    if is(&UNIX) {
        // SAFETY: as above.
        return unsafe { listen(listener, |address| open_unix_with(address, options).map(Some)) };
    }
    Err(Error::new("type of a listener", Errno::EOPNOTSUPP))
}
