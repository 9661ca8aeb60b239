//! What `anet.h`'s functions are given by pointer: typed once, unsafe to make, safe to use.

use crate::abi::anet::{ANET_ERR, ANET_ERR_LEN, ANET_OK};
use crate::anet::Error;
use crate::ffi::args::call;
use crate::sys::text::TextRoom;
use core::ffi::{CStr, c_char, c_int};
use nix::errno::Errno;

/// The argument `err`: where a failure leaves its text.
pub(in crate::ffi) struct ErrorText<'a>(Option<TextRoom<'a>>);

impl ErrorText<'_> {
    /// # Safety
    /// `err` is NULL or has room for `ANET_ERR_LEN` bytes, which nobody else uses during the call.
    pub(in crate::ffi) unsafe fn new(err: *mut c_char) -> Self {
        // SAFETY: NULL or that much room, by this function's own contract.
        Self(unsafe { TextRoom::new(err, ANET_ERR_LEN) })
    }

    /// Runs `body`. A failure's text goes to the room, its number to `errno`.
    pub(in crate::ffi) fn answer<T>(self, failure: T, body: impl FnOnce() -> Result<T, Error>) -> T {
        call(failure, || {
            body().map_err(|error| {
                if let Some(mut room) = self.0 {
                    room.write(format_args!("{error}"));
                }
                error.errno()
            })
        })
    }

    /// [`Self::answer`] for functions that return `ANET_OK` or `ANET_ERR`.
    pub(in crate::ffi) fn status(self, body: impl FnOnce() -> Result<(), Error>) -> c_int {
        self.answer(ANET_ERR, || body().map(|()| ANET_OK))
    }
}

/// A string that must be there; `name` is the argument's, for the text of the error.
pub(in crate::ffi) fn required<'a>(text: Option<&'a CStr>, name: &'static str) -> Result<&'a CStr, Error> {
    text.ok_or(Error::new(name, Errno::EINVAL))
}
