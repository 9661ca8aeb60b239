//! errno at the border to C.

use nix::errno::Errno;

/// Runs `body` for a C caller: on success `errno` is as it was before, on failure it says why and
/// `failure` is returned.
#[inline(always)]
pub(crate) fn call<T>(failure: T, body: impl FnOnce() -> Result<T, Errno>) -> T {
    let before = Errno::last_raw();
    match body() {
        Ok(value) => {
            Errno::set_raw(before);
            value
        }
        Err(errno) => {
            errno.set();
            failure
        }
    }
}

/// As [`call`], for a result whose computation has not touched `errno`.
#[inline(always)]
pub(crate) fn returned<T>(failure: T, result: Result<T, Errno>) -> T {
    result.unwrap_or_else(|errno| {
        errno.set();
        failure
    })
}

/// Runs `body`, which has nothing to report, and leaves `errno` as it was.
pub(crate) fn quietly<T>(body: impl FnOnce() -> T) -> T {
    let before = Errno::last_raw();
    let value = body();
    Errno::set_raw(before);
    value
}

/// That there is nothing of what was asked for: `ENODATA`, where the system has it.
#[cfg(not(any(target_os = "freebsd", target_os = "dragonfly", target_os = "openbsd")))]
pub(crate) const NO_DATA: Errno = Errno::ENODATA;
#[cfg(any(target_os = "freebsd", target_os = "dragonfly", target_os = "openbsd"))]
pub(crate) const NO_DATA: Errno = Errno::ENOATTR;
