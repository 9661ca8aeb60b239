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
    /// It is about what the program asked for beside the address.
    is_of_option: bool,
}

impl Error {
    /// A call that failed with an errno.
    pub(crate) fn new(call: &'static str, errno: Errno) -> Self {
        Self { call, errno, resolver: None, is_of_option: false }
    }

    /// The errno for the C caller.
    pub(crate) fn errno(&self) -> Errno {
        self.errno
    }

    /// Whether it is the resolver that has nothing of that name.
    pub(super) fn is_unknown_name(&self) -> bool {
        self.resolver.is_some()
    }

    /// The same as an error of an option.
    pub(super) fn of_option(self) -> Self {
        Self { is_of_option: true, ..self }
    }

    /// Whether the address alone would have done: an option was refused.
    pub(crate) fn is_of_option(&self) -> bool {
        self.is_of_option
    }

    /// For `map_err`: names the call.
    pub(super) fn at(call: &'static str) -> impl FnOnce(Errno) -> Self {
        move |errno| Self::new(call, errno)
    }
}

impl From<ResolveError> for Error {
    fn from(error: ResolveError) -> Self {
        Self { resolver: Some(error.code), ..Self::new("getaddrinfo", error.errno) }
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
