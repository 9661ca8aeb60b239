//! Socket options that not every system has.

use super::{Errno, socket};
use core::ffi::{CStr, c_int};

/// A socket option. To set one that the system does not have is `EOPNOTSUPP`.
#[derive(Clone, Copy)]
pub(crate) struct SystemOption {
    /// What fails, for an error's text.
    pub(crate) call: &'static str,
    /// Level and number.
    place: Option<(c_int, c_int)>,
}

impl SystemOption {
    pub(crate) fn set(self, fd: c_int, value: c_int) -> Result<(), Errno> {
        let (level, option) = self.place.ok_or(Errno::EOPNOTSUPP)?;
        socket::set_option(fd, level, option, value)
    }

    pub(crate) fn set_text(self, fd: c_int, value: &CStr) -> Result<(), Errno> {
        let (level, option) = self.place.ok_or(Errno::EOPNOTSUPP)?;
        socket::set_text_option(fd, level, option, value)
    }
}

/// Constants of the options, each with the systems that have it.
macro_rules! options {
    ($($name:ident: $call:literal, $level:ident, $option:ident, if $systems:meta;)*) => {
        $(
            #[cfg($systems)]
            pub(crate) const $name: SystemOption =
                SystemOption { call: $call, place: Some((libc::$level, libc::$option)) };
            #[cfg(not($systems))]
            pub(crate) const $name: SystemOption = SystemOption { call: $call, place: None };
        )*
    };
}

options! {
    REUSE_PORT: "setsockopt SO_REUSEPORT", SOL_SOCKET, SO_REUSEPORT, if not(any(target_os = "illumos", target_os = "solaris"));
    DEVICE: "setsockopt SO_BINDTODEVICE", SOL_SOCKET, SO_BINDTODEVICE, if target_os = "linux";
    FREE_BIND: "setsockopt IP_FREEBIND", IPPROTO_IP, IP_FREEBIND, if target_os = "linux";
    FREE_BIND_V6: "setsockopt IPV6_FREEBIND", IPPROTO_IPV6, IPV6_FREEBIND, if target_os = "linux";
    USER_TIMEOUT: "setsockopt TCP_USER_TIMEOUT", IPPROTO_TCP, TCP_USER_TIMEOUT, if target_os = "linux";
    QUICK_ACK: "setsockopt TCP_QUICKACK", IPPROTO_TCP, TCP_QUICKACK, if target_os = "linux";
    FAST_OPEN: "setsockopt TCP_FASTOPEN", IPPROTO_TCP, TCP_FASTOPEN, if target_os = "linux";
    FAST_OPEN_CONNECT: "setsockopt TCP_FASTOPEN_CONNECT", IPPROTO_TCP, TCP_FASTOPEN_CONNECT, if target_os = "linux";
}
