//! What can be wrong with a request before it is a command.

use std::borrow::Cow;
use std::fmt;

/// Why a byte stream is not the Redis protocol. Nothing after such an error can be trusted, so the connection is to be
/// closed once the reply is sent. [`reply`](Self::reply) gives the text of Redis's error reply; `Display` the same for
/// a log, where a byte that is not printable is escaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProtocolError {
    /// The number after `*` is not one, or too large.
    InvalidMultibulkLength,
    /// The number after `$` is not one, is negative or above [`Limits::max_bulk`](crate::Limits::max_bulk).
    InvalidBulkLength,
    /// More arguments than a client may send before it has authenticated.
    UnauthenticatedMultibulkLength,
    /// A longer argument than a client may send before it has authenticated.
    UnauthenticatedBulkLength,
    /// An argument of a multibulk request began with this byte.
    ExpectedDollar(u8),
    /// An inline request without a line end in its first 64 KiB.
    TooBigInline,
    /// A `*` line without an end in its first 64 KiB.
    TooBigMultibulkCount,
    /// A `$` line without an end in its first 64 KiB.
    TooBigBulkCount,
    /// An inline request with an open quote, or text right behind a closing one.
    UnbalancedQuotes,
    /// One request of more than 4 GiB.
    TooBigRequest,
}

impl ProtocolError {
    /// The text of the error reply, without the `-ERR `. It repeats a byte that a client sent as it came.
    pub fn reply(&self) -> Cow<'static, [u8]> {
        let text = match self {
            Self::InvalidMultibulkLength => "Protocol error: invalid multibulk length",
            Self::InvalidBulkLength => "Protocol error: invalid bulk length",
            Self::UnauthenticatedMultibulkLength => "Protocol error: unauthenticated multibulk length",
            Self::UnauthenticatedBulkLength => "Protocol error: unauthenticated bulk length",
            Self::ExpectedDollar(got) => {
                return [b"Protocol error: expected '$', got '", &[*got][..], b"'"].concat().into();
            }
            Self::TooBigInline => "Protocol error: too big inline request",
            Self::TooBigMultibulkCount => "Protocol error: too big mbulk count string",
            Self::TooBigBulkCount => "Protocol error: too big bulk count string",
            Self::UnbalancedQuotes => "Protocol error: unbalanced quotes in request",
            Self::TooBigRequest => "Protocol error: too big request",
        };
        Cow::Borrowed(text.as_bytes())
    }
}

impl fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reply().iter().try_for_each(|byte| match byte {
            b' '..=b'~' => write!(f, "{}", char::from(*byte)),
            _ => write!(f, "{}", byte.escape_ascii()),
        })
    }
}

impl std::error::Error for ProtocolError {}
