//! Sockets and their addresses.

use super::Errno;
use super::text::{IP_TEXT_LEN, Text, ip_text};
use core::ffi::{CStr, c_int, c_void};
use core::mem::{MaybeUninit, size_of};
use core::ptr;
use libc::{sockaddr, sockaddr_storage, socklen_t};
use std::ffi::CString;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The name that stands for every unix socket's address, as Redis prints it.
pub(crate) const UNIX_SOCKET_NAME: &str = "/unixsocket";

/// A socket address of any family.
#[derive(Clone, Copy)]
pub(crate) struct SocketAddress {
    storage: sockaddr_storage,
    len: socklen_t,
}

impl SocketAddress {
    /// Lets `fill` write an address and its length. It has room for that of any family.
    fn filled(fill: impl FnOnce(*mut sockaddr, &mut socklen_t) -> c_int) -> Result<(c_int, Self), Errno> {
        let mut address = Self::empty();
        address.len = size_of::<sockaddr_storage>() as socklen_t;
        let result = Errno::result(fill(ptr::from_mut(&mut address.storage).cast(), &mut address.len))?;
        Ok((result, address))
    }

    fn empty() -> Self {
        // SAFETY: all zero is a valid sockaddr_storage.
        Self { storage: unsafe { MaybeUninit::zeroed().assume_init() }, len: 0 }
    }

    /// A copy of an address found by the resolver.
    ///
    /// # Safety
    /// `address` is valid for reads of `len` bytes.
    pub(super) unsafe fn copied(address: *const sockaddr, len: socklen_t) -> Self {
        let mut copy = Self::empty();
        copy.len = len.min(size_of::<sockaddr_storage>() as socklen_t);
        // SAFETY: `address` is valid for `len` bytes, and the length fits the storage.
        unsafe {
            ptr::copy_nonoverlapping(address.cast::<u8>(), ptr::from_mut(&mut copy.storage).cast(), copy.len as usize)
        };
        copy
    }

    /// The address of a unix socket; `ENAMETOOLONG` when the path and its NUL do not fit.
    pub(crate) fn unix(path: &CStr) -> Result<Self, Errno> {
        let mut address = Self::empty();
        let unix = ptr::from_mut(&mut address.storage).cast::<libc::sockaddr_un>();
        let bytes = path.to_bytes_with_nul();
        // SAFETY: the storage is large enough and aligned for every family's address.
        let unix = unsafe { &mut *unix };
        if bytes.len() > unix.sun_path.len() {
            return Err(Errno::ENAMETOOLONG);
        }
        unix.sun_family = libc::AF_UNIX as libc::sa_family_t;
        for (to, from) in unix.sun_path.iter_mut().zip(bytes) {
            *to = *from as _;
        }
        address.len = size_of::<libc::sockaddr_un>() as socklen_t;
        Ok(address)
    }

    /// The address of a unix socket in the abstract namespace, where there is one (`EOPNOTSUPP`); `ENAMETOOLONG` when
    /// the name does not fit.
    pub(crate) fn abstract_unix(name: &[u8]) -> Result<Self, Errno> {
        if !cfg!(any(target_os = "linux", target_os = "android")) {
            return Err(Errno::EOPNOTSUPP);
        }
        let mut address = Self::empty();
        // SAFETY: the storage is large enough and aligned for every family's address.
        let unix = unsafe { &mut *ptr::from_mut(&mut address.storage).cast::<libc::sockaddr_un>() };
        // A NUL byte says which namespace; the length ends the name.
        let room = unix.sun_path.get_mut(1..=name.len()).ok_or(Errno::ENAMETOOLONG)?;
        unix.sun_family = libc::AF_UNIX as libc::sa_family_t;
        for (to, from) in room.iter_mut().zip(name) {
            *to = *from as _;
        }
        address.len = (core::mem::offset_of!(libc::sockaddr_un, sun_path) + 1 + name.len()) as socklen_t;
        Ok(address)
    }

    /// The path of a unix socket that has one.
    pub(crate) fn path(&self) -> Option<CString> {
        if self.family() != libc::AF_UNIX {
            return None;
        }
        // SAFETY: the storage is large enough and aligned for every family's address.
        let unix: &libc::sockaddr_un = unsafe { &*self.as_ptr().cast() };
        let len = (self.len as usize).saturating_sub(core::mem::offset_of!(libc::sockaddr_un, sun_path));
        let bytes = unix.sun_path.iter().take(len).map(|byte| *byte as u8).take_while(|byte| *byte != 0);
        CString::new(bytes.collect::<Vec<_>>()).ok().filter(|path| !path.is_empty())
    }

    pub(crate) fn family(&self) -> c_int {
        self.storage.ss_family.into()
    }

    fn as_ptr(&self) -> *const sockaddr {
        ptr::from_ref(&self.storage).cast()
    }

    fn v4(&self) -> Option<&libc::sockaddr_in> {
        // SAFETY: the storage is large enough and aligned, and the family says what it holds.
        (self.family() == libc::AF_INET).then(|| unsafe { &*self.as_ptr().cast() })
    }

    fn v6(&self) -> Option<&libc::sockaddr_in6> {
        // SAFETY: the storage is large enough and aligned, and the family says what it holds.
        (self.family() == libc::AF_INET6).then(|| unsafe { &*self.as_ptr().cast() })
    }

    fn ip_address(&self) -> Option<IpAddr> {
        let v4 = self.v4().map(|v4| Ipv4Addr::from(v4.sin_addr.s_addr.to_ne_bytes()).into());
        v4.or_else(|| self.v6().map(|v6| Ipv6Addr::from(v6.sin6_addr.s6_addr).into()))
    }

    /// The address for Rust, None for families other than IPv4 and IPv6.
    pub(crate) fn to_std(self) -> Option<SocketAddr> {
        self.ip_address().map(|ip| SocketAddr::new(ip, self.port() as u16))
    }

    /// The address as text, without port: `/unixsocket` for unix sockets, `?` for unknown families.
    pub(crate) fn ip(&self) -> Text<IP_TEXT_LEN> {
        let bytes: *const c_void = if let Some(v4) = self.v4() {
            ptr::from_ref(&v4.sin_addr).cast()
        } else if let Some(v6) = self.v6() {
            ptr::from_ref(&v6.sin6_addr).cast()
        } else {
            let name = if self.family() == libc::AF_UNIX { UNIX_SOCKET_NAME } else { "?" };
            return Text::new(format_args!("{name}"));
        };
        // SAFETY: an address of the family.
        unsafe { ip_text(self.family(), bytes) }
    }

    /// Whether it is on this machine: a loopback address, or a unix socket.
    pub(crate) fn is_loopback(&self) -> bool {
        match self.ip_address() {
            Some(ip) => ip.to_canonical().is_loopback(),
            None => self.family() == libc::AF_UNIX,
        }
    }

    /// The port, 0 for families without.
    pub(crate) fn port(&self) -> c_int {
        let port = self.v4().map(|v4| v4.sin_port).or_else(|| self.v6().map(|v6| v6.sin6_port));
        port.map_or(0, |port| u16::from_be(port).into())
    }
}

/// `ip:port`, `[ip]:port` for IPv6.
impl core::fmt::Display for SocketAddress {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let (ip, port) = (self.ip(), self.port());
        if self.v6().is_some() { write!(f, "[{ip}]:{port}") } else { write!(f, "{ip}:{port}") }
    }
}

/// The number of MPTCP, where there is one.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) const MPTCP: Option<c_int> = Some(libc::IPPROTO_MPTCP);
/// The number of MPTCP, where there is one.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) const MPTCP: Option<c_int> = None;

/// A socket; with `close_on_exec` an exec closes it.
pub(crate) fn stream(family: c_int, protocol: c_int, close_on_exec: bool) -> Result<c_int, Errno> {
    #[cfg(not(target_vendor = "apple"))]
    {
        let kind = if close_on_exec { libc::SOCK_STREAM | libc::SOCK_CLOEXEC } else { libc::SOCK_STREAM };
        // SAFETY: takes no pointer.
        Errno::result(unsafe { libc::socket(family, kind, protocol) })
    }
    #[cfg(target_vendor = "apple")]
    {
        // SAFETY: takes no pointer.
        let fd = Errno::result(unsafe { libc::socket(family, libc::SOCK_STREAM, protocol) })?;
        if close_on_exec {
            super::fd::set_descriptor_flags(fd, libc::FD_CLOEXEC)?;
        }
        Ok(fd)
    }
}

pub(crate) fn bind(fd: c_int, address: &SocketAddress) -> Result<(), Errno> {
    // SAFETY: the address is as long as said.
    Errno::result(unsafe { libc::bind(fd, address.as_ptr(), address.len) }).map(drop)
}

pub(crate) fn connect(fd: c_int, address: &SocketAddress) -> Result<(), Errno> {
    // SAFETY: the address is as long as said.
    Errno::result(unsafe { libc::connect(fd, address.as_ptr(), address.len) }).map(drop)
}

pub(crate) fn listen(fd: c_int, backlog: c_int) -> Result<(), Errno> {
    // SAFETY: takes no pointer.
    Errno::result(unsafe { libc::listen(fd, backlog) }).map(drop)
}

/// Accepts a connection; with `safe` as a non-blocking, close-on-exec descriptor.
pub(crate) fn accept(fd: c_int, safe: bool) -> Result<(c_int, SocketAddress), Errno> {
    #[cfg(not(target_vendor = "apple"))]
    return SocketAddress::filled(|address, len| {
        let flags = if safe { libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC } else { 0 };
        // SAFETY: the address has room for `len` bytes.
        unsafe { libc::accept4(fd, address, len, flags) }
    });
    #[cfg(target_vendor = "apple")]
    {
        // SAFETY: the address has room for `len` bytes.
        let accepted = SocketAddress::filled(|address, len| unsafe { libc::accept(fd, address, len) })?;
        if safe {
            super::fd::set_descriptor_flags(accepted.0, libc::FD_CLOEXEC)?;
            super::fd::set_status_flags(accepted.0, super::fd::status_flags(accepted.0)? | libc::O_NONBLOCK)?;
        }
        Ok(accepted)
    }
}

/// Shuts both directions down.
#[cfg_attr(abi_v1, allow(dead_code))] // Connections have no such function up to redis-7.0.
pub(crate) fn shutdown(fd: c_int) -> Result<(), Errno> {
    // SAFETY: takes no pointer.
    Errno::result(unsafe { libc::shutdown(fd, libc::SHUT_RDWR) }).map(drop)
}

/// The address of the other end.
pub(crate) fn peer_address(fd: c_int) -> Result<SocketAddress, Errno> {
    // SAFETY: the address has room for `len` bytes.
    SocketAddress::filled(|address, len| unsafe { libc::getpeername(fd, address, len) }).map(|(_, address)| address)
}

/// The address of this end.
pub(crate) fn own_address(fd: c_int) -> Result<SocketAddress, Errno> {
    // SAFETY: the address has room for `len` bytes.
    SocketAddress::filled(|address, len| unsafe { libc::getsockname(fd, address, len) }).map(|(_, address)| address)
}

/// Sets a socket option to a value of the option's own type.
fn set<T>(fd: c_int, level: c_int, option: c_int, value: &T) -> Result<(), Errno> {
    // SAFETY: the value is as long as said.
    Errno::result(unsafe {
        libc::setsockopt(fd, level, option, ptr::from_ref(value).cast::<c_void>(), size_of::<T>() as socklen_t)
    })
    .map(drop)
}

/// Sets a socket option that takes an integer.
pub(crate) fn set_option(fd: c_int, level: c_int, option: c_int, value: c_int) -> Result<(), Errno> {
    set(fd, level, option, &value)
}

/// Sets a socket option that takes a string.
pub(crate) fn set_text_option(fd: c_int, level: c_int, option: c_int, value: &CStr) -> Result<(), Errno> {
    let bytes = value.to_bytes_with_nul();
    // SAFETY: the string is as long as said.
    Errno::result(unsafe {
        libc::setsockopt(fd, level, option, bytes.as_ptr().cast::<c_void>(), bytes.len() as socklen_t)
    })
    .map(drop)
}

/// Sets `SO_SNDTIMEO` or `SO_RCVTIMEO`.
pub(crate) fn set_timeout(fd: c_int, option: c_int, milliseconds: u64) -> Result<(), Errno> {
    let limit = libc::timeval {
        tv_sec: (milliseconds / 1000).try_into().unwrap_or(libc::time_t::MAX),
        tv_usec: (milliseconds % 1000 * 1000) as libc::suseconds_t,
    };
    set(fd, libc::SOL_SOCKET, option, &limit)
}

/// Reads a socket option that is an integer.
pub(crate) fn option(fd: c_int, level: c_int, option: c_int) -> Result<c_int, Errno> {
    option_of(fd, level, option)
}

/// Reads a socket option of a type for which any bytes will do.
pub(super) fn option_of<T: Copy>(fd: c_int, level: c_int, option: c_int) -> Result<T, Errno> {
    let mut value = MaybeUninit::<T>::zeroed();
    let mut len = size_of::<T>() as socklen_t;
    // SAFETY: the value is as long as said.
    Errno::result(unsafe { libc::getsockopt(fd, level, option, value.as_mut_ptr().cast(), &mut len) })?;
    // SAFETY: any bytes are a value of the type.
    Ok(unsafe { value.assume_init() })
}

/// How many buffers one `writev` takes, at most what fits the `iovcnt` of a connection.
pub(crate) fn max_iovecs() -> u16 {
    // SAFETY: takes no pointer.
    let limit = unsafe { libc::sysconf(libc::_SC_IOV_MAX) };
    // POSIX guarantees 16; Linux and the BSDs have 1024.
    u16::try_from(limit).ok().filter(|limit| *limit > 0).unwrap_or(1024)
}

/// Sends what the socket takes at once, also one that blocks; no signal when the peer is gone.
#[cfg(feature = "tls")]
pub(crate) fn send_now(fd: c_int, data: &[u8]) -> Result<usize, Errno> {
    let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
    // SAFETY: the slice is as long as said.
    Errno::result(unsafe { libc::send(fd, data.as_ptr().cast(), data.len(), flags) }).map(|count| count as usize)
}

/// Receives what is there, also from a socket that blocks.
#[cfg(feature = "tls")]
pub(crate) fn receive_now(fd: c_int, room: &mut [u8]) -> Result<usize, Errno> {
    // SAFETY: the slice is as long as said.
    Errno::result(unsafe { libc::recv(fd, room.as_mut_ptr().cast(), room.len(), libc::MSG_DONTWAIT) })
        .map(|count| count as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address_of(ip: [u8; 4]) -> SocketAddress {
        // SAFETY: all zero is a valid sockaddr_in.
        let mut v4: libc::sockaddr_in = unsafe { core::mem::zeroed() };
        v4.sin_family = libc::AF_INET as _;
        v4.sin_addr.s_addr = u32::from_ne_bytes(ip);
        // SAFETY: as long as said.
        unsafe { SocketAddress::copied(ptr::from_ref(&v4).cast(), size_of_val(&v4) as socklen_t) }
    }

    #[test]
    fn loopback_addresses_alone_are_on_this_machine() {
        assert!(address_of([127, 0, 0, 1]).is_loopback());
        assert!(address_of([127, 1, 2, 3]).is_loopback());
        assert!(!address_of([192, 0, 2, 1]).is_loopback());
        assert!(SocketAddress::unix(c"/tmp/socket").unwrap().is_loopback());
    }
}
