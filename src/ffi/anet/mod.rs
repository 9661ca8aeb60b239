//! `anet.h`: socket helpers.
//!
//! Where a function takes `char *err`, NULL is fine; else it is room for `ANET_ERR_LEN` bytes, where a failure
//! leaves a terminated text that says which call failed and why.

pub mod addresses;
pub mod options;
pub mod pipes;
pub mod sockets;

use super::args::{call, string};
use crate::abi::anet::{ANET_ERR, ANET_ERR_LEN, ANET_OK};
use crate::anet::Error;
use crate::sys::text::TextRoom;
use core::ffi::{CStr, c_char, c_int};

/// Runs `body`; a failure's text goes to `err`, its number to `errno`.
///
/// # Safety
/// `err` is NULL or has room for `ANET_ERR_LEN` bytes.
unsafe fn answer<T>(err: *mut c_char, failure: T, body: impl FnOnce() -> Result<T, Error>) -> T {
    call(failure, || {
        body().map_err(|error| {
            // SAFETY: NULL or room for that many bytes, by this function's own contract.
            if let Some(mut err) = unsafe { TextRoom::new(err, ANET_ERR_LEN) } {
                err.write(format_args!("{error}"));
            }
            error.errno()
        })
    })
}

/// [`answer`] for functions that return `ANET_OK` or `ANET_ERR`.
///
/// # Safety
/// As for [`answer`].
unsafe fn status(err: *mut c_char, body: impl FnOnce() -> Result<(), Error>) -> c_int {
    // SAFETY: the caller vouches for `err`.
    unsafe { answer(err, ANET_ERR, || body().map(|()| ANET_OK)) }
}

/// # Safety
/// `host` is NULL or a string.
unsafe fn host_argument<'a>(host: *const c_char) -> Result<&'a CStr, Error> {
    // SAFETY: the caller vouches for the string.
    unsafe { string(host) }.map_err(|errno| Error::new("host", errno))
}
