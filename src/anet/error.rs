//! What went wrong, and where.

use crate::sys::Errno;
use crate::sys::resolve::ResolveError;
use crate::sys::text::{error_text, resolver_text};
use core::fmt;

/// A failed call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Error {
    call: &'static str,
    errno: Errno,
    resolver: Option<core::ffi::c_int>,
}

impl Error {
    /// A call that failed with an errno.
    pub(crate) fn new(call: &'static str, errno: Errno) -> Self {
        Self { call, errno, resolver: None }
    }

    /// The errno for the C caller.
    pub(crate) fn errno(&self) -> Errno {
        self.errno
    }

    /// For `map_err`: names the call.
    pub(super) fn at(call: &'static str) -> impl FnOnce(Errno) -> Self {
        move |errno| Self::new(call, errno)
    }
}

impl From<ResolveError> for Error {
    fn from(error: ResolveError) -> Self {
        Self { call: "getaddrinfo", errno: error.errno, resolver: Some(error.code) }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.resolver {
            Some(code) if code != libc::EAI_SYSTEM => write!(f, "{}: {}", self.call, resolver_text(code)),
            _ => write!(f, "{}: {}", self.call, error_text(self.errno)),
        }
    }
}

impl From<Error> for std::io::Error {
    fn from(error: Error) -> Self {
        let kind = Self::from_raw_os_error(error.errno as i32).kind();
        Self::new(kind, error.to_string())
    }
}
