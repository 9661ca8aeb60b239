//! Constants of `anet.h`.

use core::ffi::c_int;

/// Success.
pub const ANET_OK: c_int = 0;
/// Failure; `errno` and the error text say why.
pub const ANET_ERR: c_int = -1;
/// The size in bytes of the error text that every `char *err` must have room for.
pub const ANET_ERR_LEN: usize = 256;

/// No flags.
pub const ANET_NONE: c_int = 0;
/// `anetResolve`: accept numeric addresses only, never ask the resolver.
pub const ANET_IP_ONLY: c_int = 1;
/// `anetResolve`: an IPv4 address if there is one. With both preferences or none, the system's order.
pub const ANET_PREFER_IPV4: c_int = 2;
/// `anetResolve`: an IPv6 address if there is one.
pub const ANET_PREFER_IPV6: c_int = 4;

/// `anetFdToString`: the remote end.
#[cfg(abi_v1)]
pub const FD_TO_PEER_NAME: c_int = 0;
/// `anetFdToString`: the own end.
#[cfg(abi_v1)]
pub const FD_TO_SOCK_NAME: c_int = 1;
