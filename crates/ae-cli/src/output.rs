//! Standard output and standard error.

use crate::text::system_error;
use std::io::{self, ErrorKind, IsTerminal, Write};

/// The program ends with this status; what there was to say has been said.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stop(pub u8);

/// Writes to standard output at once.
pub fn put(text: impl AsRef<[u8]>) -> Result<(), Stop> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_ref()).and_then(|()| stdout.flush()) {
        Ok(()) => Ok(()),
        // Whoever read has left: there is nobody to tell.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Err(Stop(1)),
        Err(error) => fail(format!("Error writing to standard output: {}", system_error(&error))),
    }
}

/// Writes a line to standard error.
pub fn complain(text: impl AsRef<[u8]>) {
    let mut stderr = io::stderr().lock();
    let _ = stderr.write_all(text.as_ref()).and_then(|()| stderr.write_all(b"\n"));
}

/// Says why, and ends with status 1.
pub fn fail<T>(text: impl AsRef<[u8]>) -> Result<T, Stop> {
    complain(text);
    Err(Stop(1))
}

/// Whether colours are wanted: on a terminal, unless `NO_COLOR` is set.
pub fn colours() -> bool {
    io::stdout().is_terminal() && !no_color()
}

/// Whether the environment asks for none.
pub fn no_color() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}
