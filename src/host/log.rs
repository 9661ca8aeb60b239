//! One line for the host's log, or for stderr.

use super::hooks;
use crate::abi::host::LIBAE_LOG_WARNING;
use crate::sys::env;
use crate::sys::errno::quietly;
use crate::sys::fd;
use crate::sys::text::Text;
use core::ffi::c_int;
use core::fmt;

/// The longest line, with its NUL; longer ones are cut.
const LINE_LEN: usize = 1024;

/// Writes a line to the host's log; without one, warnings to stderr if `LIBAE_LOG` is set. errno is left alone.
pub(crate) fn log(level: c_int, message: fmt::Arguments<'_>) {
    let Some(hook) = hooks::log_hook() else {
        if level >= LIBAE_LOG_WARNING && env::is_set(c"LIBAE_LOG") {
            let line = Text::<LINE_LEN>::new(format_args!("libae: {message}\n"));
            let bytes = line.as_c_str().to_bytes();
            // SAFETY: as long as said. A log that cannot be written has nobody to tell.
            let _ = quietly(|| unsafe { fd::write(fd::STDERR, bytes.as_ptr().cast(), bytes.len()) });
        }
        return;
    };
    let line = Text::<LINE_LEN>::new(message);
    // SAFETY: the host's hooks may be called.
    quietly(|| unsafe { hook(level, line.as_c_str().as_ptr()) });
}
