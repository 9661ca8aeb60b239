//! In place of a descriptor that becomes readable at a time, where neither epoll nor kqueue is.

use super::Errno;
use core::ffi::c_int;

/// There is none.
pub(crate) fn create(_least: c_int) -> Result<c_int, Errno> {
    Err(Errno::EOPNOTSUPP)
}

/// There is none to set.
pub(crate) fn set(_fd: c_int, _deadline: Option<u64>) -> Result<(), Errno> {
    Err(Errno::EOPNOTSUPP)
}

/// There is none to clear.
pub(crate) fn clear(_fd: c_int) {}
