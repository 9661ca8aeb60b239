//! What can be wrong with a request before it is a command.

use std::fmt;

/// Why a byte stream is not the Redis protocol. Nothing after such an error can be trusted, so the connection is to
/// be closed once the reply is sent. `Display` gives the text of Redis 7.2's error reply, without the `-ERR `.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProtocolError {
    /// The number after `*` is not one, or too large.
    InvalidMultibulkLength,
    /// The number after `$` is not one, is negative or above [`Limits::max_bulk`](super::Limits::max_bulk).
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

impl fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::InvalidMultibulkLength => "invalid multibulk length",
            Self::InvalidBulkLength => "invalid bulk length",
            Self::UnauthenticatedMultibulkLength => "unauthenticated multibulk length",
            Self::UnauthenticatedBulkLength => "unauthenticated bulk length",
            Self::ExpectedDollar(got) => {
                return write!(f, "Protocol error: expected '$', got '{}'", char::from(*got));
            }
            Self::TooBigInline => "too big inline request",
            Self::TooBigMultibulkCount => "too big mbulk count string",
            Self::TooBigBulkCount => "too big bulk count string",
            Self::UnbalancedQuotes => "unbalanced quotes in request",
            Self::TooBigRequest => "too big request",
        };
        write!(f, "Protocol error: {text}")
    }
}

impl std::error::Error for ProtocolError {}
