//! Names to addresses.

use super::Errno;
use super::socket::SocketAddress;
use super::text::Text;
use core::ffi::{CStr, c_int};
use core::mem::MaybeUninit;
use core::ptr;

#[cfg(not(any(target_os = "illumos", target_os = "solaris")))]
use libc::{AI_NUMERICHOST, AI_PASSIVE};

/// Of netdb.h, which the libc crate does not have there.
#[cfg(any(target_os = "illumos", target_os = "solaris"))]
const AI_NUMERICHOST: c_int = 0x20;
/// Likewise.
#[cfg(any(target_os = "illumos", target_os = "solaris"))]
const AI_PASSIVE: c_int = 0x8;

/// What to look for.
#[derive(Clone, Copy, Default)]
pub(crate) struct Query {
    /// `AF_INET`, `AF_INET6`, or `AF_UNSPEC` for both.
    pub(crate) family: c_int,
    /// Numeric addresses only.
    pub(crate) numeric: bool,
    /// For a socket that listens: no host means every address.
    pub(crate) passive: bool,
}

/// Why a name has no address: the resolver's own code, and the nearest errno.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ResolveError {
    pub(crate) code: c_int,
    pub(crate) errno: Errno,
}

impl ResolveError {
    /// One that is an errno alone.
    pub(crate) fn system(errno: Errno) -> Self {
        Self { code: libc::EAI_SYSTEM, errno }
    }
}

/// One address that was found, with what `socket` needs for it.
#[derive(Clone, Copy)]
pub(crate) struct Found {
    pub(crate) family: c_int,
    pub(crate) protocol: c_int,
    pub(crate) address: SocketAddress,
}

/// The stream addresses of `host` (None: the loopback, or every address when passive) with the port set, in
/// the order the system prefers. glibc takes the name `*` for None, and without a port that is no address.
pub(crate) fn resolve(host: Option<&CStr>, port: Option<u16>, query: Query) -> Result<Vec<Found>, ResolveError> {
    // SAFETY: all zero is a valid addrinfo.
    let mut hints: libc::addrinfo = unsafe { MaybeUninit::zeroed().assume_init() };
    hints.ai_family = query.family;
    hints.ai_socktype = libc::SOCK_STREAM;
    if query.numeric {
        hints.ai_flags |= AI_NUMERICHOST;
    }
    if query.passive {
        hints.ai_flags |= AI_PASSIVE;
    }
    let service = port.map(|port| Text::<8>::new(format_args!("{port}")));
    let service = service.as_ref().map_or(ptr::null(), |service| service.as_c_str().as_ptr());
    let host = host.map_or(ptr::null(), CStr::as_ptr);
    let mut list = ptr::null_mut();
    // SAFETY: the strings and hints outlive the call, the result goes to `list`.
    let code = unsafe { libc::getaddrinfo(host, service, &hints, &mut list) };
    if code != 0 {
        return Err(ResolveError { code, errno: nearest_errno(code) });
    }
    let mut found = Vec::new();
    let mut entry = list;
    // SAFETY: the list is linked by `ai_next` up to NULL, each address is `ai_addrlen` bytes long.
    while let Some(info) = unsafe { entry.as_ref() } {
        if found.try_reserve(1).is_err() {
            // SAFETY: the list came from getaddrinfo and is no longer used.
            unsafe { libc::freeaddrinfo(list) };
            return Err(ResolveError { code: libc::EAI_MEMORY, errno: Errno::ENOMEM });
        }
        found.push(Found {
            family: info.ai_family,
            protocol: info.ai_protocol,
            // SAFETY: as above.
            address: unsafe { SocketAddress::copied(info.ai_addr, info.ai_addrlen) },
        });
        entry = info.ai_next;
    }
    // SAFETY: the list came from getaddrinfo and is no longer used.
    unsafe { libc::freeaddrinfo(list) };
    Ok(found)
}

fn nearest_errno(code: c_int) -> Errno {
    match code {
        libc::EAI_SYSTEM => Errno::last(),
        libc::EAI_MEMORY => Errno::ENOMEM,
        libc::EAI_AGAIN => Errno::EAGAIN,
        libc::EAI_FAMILY => Errno::EAFNOSUPPORT,
        _ => Errno::EADDRNOTAVAIL,
    }
}
