//! The errors that commands reply.

use crate::db::door::WrongType;
use std::borrow::Cow;

/// An error reply, with its code and without the `-`.
pub struct Error(pub Cow<'static, [u8]>);

/// A command has replied, or the error is its reply.
pub type Outcome = Result<(), Error>;

impl From<&'static str> for Error {
    fn from(text: &'static str) -> Error {
        Error(Cow::Borrowed(text.as_bytes()))
    }
}

impl From<String> for Error {
    fn from(text: String) -> Error {
        Error(Cow::Owned(text.into_bytes()))
    }
}

impl From<Vec<u8>> for Error {
    fn from(text: Vec<u8>) -> Error {
        Error(Cow::Owned(text))
    }
}

impl From<WrongType> for Error {
    fn from(_: WrongType) -> Error {
        WRONG_TYPE.into()
    }
}

pub const OUT_OF_MEMORY: &str = "OOM command not allowed when used memory > 'maxmemory'.";
pub const SYNTAX_ERROR: &str = "ERR syntax error";
pub const NOT_AN_INTEGER: &str = "ERR value is not an integer or out of range";
pub const NOT_A_FLOAT: &str = "ERR value is not a valid float";
pub const WRONG_TYPE: &str = "WRONGTYPE Operation against a key holding the wrong kind of value";

/// An error that quotes what a client sent, as Redis prints it.
pub fn quoting(before: &str, word: &[u8], after: &str) -> Error {
    [before.as_bytes(), c_text(word, usize::MAX), after.as_bytes()].concat().into()
}

/// An error about `word`, which says where to look: at HELP of the command, by the name that it was called with.
pub fn try_help(before: &str, word: &[u8], command: &[u8]) -> Error {
    let command = c_text(command, usize::MAX).to_ascii_uppercase();
    [before.as_bytes(), c_text(word, usize::MAX), b"'. Try ", &command, b" HELP."].concat().into()
}

/// As much of `bytes` as C's `%.*s` prints: Redis's errors end at a zero byte.
pub fn c_text(bytes: &[u8], max: usize) -> &[u8] {
    let end = bytes.iter().take(max).position(|&c| c == 0).unwrap_or(bytes.len().min(max));
    &bytes[..end]
}

#[cfg(test)]
mod tests {
    use super::c_text;

    #[test]
    fn texts_end_as_in_c() {
        assert_eq!(c_text(b"ab\0c", 9), b"ab");
        assert_eq!(c_text(b"abc\0", 2), b"ab");
    }
}
