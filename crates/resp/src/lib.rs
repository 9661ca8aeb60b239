//! The Redis protocol: parser of requests (multibulk and inline), writer and parser of replies (RESP2 and RESP3), free
//! of I/O.
//!
//! A server keeps one buffer of received bytes per connection and asks a [`RequestParser`] for the next request in
//! it; arguments come back as slices of that buffer. Replies are appended to a `Vec<u8>` by the functions in
//! [`writer`].
//!
//! ```
//! use resp::{Limits, RequestParser, writer};
//!
//! let mut buf = b"*2\r\n$4\r\nECHO\r\n$5\r\nhello\r\nPING\r\n".to_vec();
//! let mut parser = RequestParser::new();
//! let mut out = Vec::new();
//! while parser.advance(&mut buf, &Limits::default())? {
//!     let args = parser.args(&buf);
//!     match &args[0] {
//!         b"ECHO" => writer::bulk(&mut out, &args[1]),
//!         _ => writer::simple(&mut out, "PONG"),
//!     }
//! }
//! assert_eq!(out, b"$5\r\nhello\r\n+PONG\r\n");
//! # Ok::<(), resp::ProtocolError>(())
//! ```
#![forbid(unsafe_code)]

mod error;
mod inline;
pub mod number;
mod parser;
mod reply;
mod reply_parser;
pub mod words;
pub mod writer;

pub use error::ProtocolError;
pub use parser::{Args, ArgsBuffer, INLINE_MAX, Limits, OwnedArgs, RequestParser};
pub use reply::Reply;
pub use reply_parser::{BULK_MAX, ELEMENTS_MAX, LINE_MAX, NESTED_MAX, ReplyError, ReplyParser};
pub use writer::Protocol;

#[cfg(test)]
mod properties;
