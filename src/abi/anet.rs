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
