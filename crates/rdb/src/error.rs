//! Why bytes are refused.

use std::fmt::{self, Display, Formatter};
use std::io::ErrorKind;

/// What is wrong, and where.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Error {
    /// How many bytes there are in front of what is wrong: of the string that holds it, if it is inside one.
    pub offset: u64,
    /// What is wrong.
    pub fault: Fault,
}

/// What can be wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// A payload is too short for version and checksum.
    NoFrame,
    /// A payload's version is one that cannot be read.
    Version(u16),
    /// A payload has another checksum than it says.
    Checksum,
    /// The bytes end before the value does.
    Truncated,
    /// They cannot be read.
    Read(ErrorKind),
    /// No type has this number.
    Type(u8),
    /// The type is known, and not supported.
    Unsupported(&'static str),
    /// A string is written in a way that there is not.
    Encoding(u8),
    /// A length is as long as none can be, or is none at all.
    Length,
    /// Compressed bytes are malformed, or tell another length than they have.
    Compression,
    /// A block of such a format is malformed at one of its bytes.
    Block {
        /// The name of the format.
        format: &'static str,
        /// How many of its bytes are in front of what is wrong.
        at: usize,
    },
    /// The pair of a packed sorted set with this number has no score, is out of order or has a member that is there
    /// twice.
    Pair(usize),
    /// A node of a list is of a kind that there is not.
    Node(u64),
    /// A collection has nothing in it. It has been read to its end.
    Empty,
    /// A member or a field is there twice.
    Duplicate,
    /// A score is not a number.
    Score,
    /// A stream's counters contradict its entries.
    Counters,
    /// A consumer has a pending entry that its group does not have for it alone, or an entry has no consumer.
    Pending,
    /// Something is left when the value is read.
    Trailing,
    /// A file does not begin as one.
    Signature,
    /// A module's data, and the module's name.
    Module([u8; 9]),
    /// Such a thing cannot stand between what belongs to a key and the key.
    Opcode(u8),
}

impl Error {
    /// Whether a payload is refused for its version or checksum, before its value is looked at.
    pub fn is_of_frame(&self) -> bool {
        matches!(self.fault, Fault::NoFrame | Fault::Version(_) | Fault::Checksum)
    }
}

impl Display for Error {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}, at byte {}", self.fault, self.offset)
    }
}

impl Display for Fault {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Fault::NoFrame => write!(f, "too short for a version and a checksum"),
            Fault::Version(version) => write!(f, "RDB version {version} is not supported"),
            Fault::Checksum => write!(f, "wrong checksum"),
            Fault::Truncated => write!(f, "unexpected end"),
            Fault::Read(kind) => write!(f, "cannot be read: {kind}"),
            Fault::Type(number) => write!(f, "unknown type {number}"),
            Fault::Unsupported(name) => write!(f, "{name} is not supported"),
            Fault::Encoding(number) => write!(f, "unknown encoding {number} of a string"),
            Fault::Length => write!(f, "wrong length"),
            Fault::Compression => write!(f, "malformed compressed string"),
            Fault::Block { format, at } => write!(f, "{format} malformed at its byte {at}"),
            Fault::Pair(number) => write!(f, "sorted set malformed at its member {number}"),
            Fault::Node(kind) => write!(f, "unknown kind {kind} of a list's node"),
            Fault::Empty => write!(f, "empty collection"),
            Fault::Duplicate => write!(f, "duplicate element"),
            Fault::Score => write!(f, "score that is not a number"),
            Fault::Counters => write!(f, "stream's counters contradict its entries"),
            Fault::Pending => write!(f, "pending entry that is not one consumer's"),
            Fault::Trailing => write!(f, "bytes behind the value"),
            Fault::Signature => write!(f, "not an RDB file"),
            Fault::Module(name) => write!(f, "data of the module '{}' are not supported", name.escape_ascii()),
            Fault::Opcode(code) => write!(f, "unexpected opcode {code}"),
        }
    }
}

impl std::error::Error for Error {}
