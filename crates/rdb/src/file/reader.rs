//! What is in a file, one thing at a time.

use super::opcode;
use super::source::Source;
use super::writer::Usage;
use crate::code;
use crate::decoding::{Limits, Reader, decode};
use crate::error::{Error, Fault};
use crate::frame::is_readable;
use std::io::Read;
use store::Value;

/// The first version that has a checksum.
const CHECKSUMS_SINCE: u16 = 5;
/// The only version that Valkey's own signature is known to come with.
const VALKEY: u16 = 80;

/// Whether a file that begins so is meant to be read here.
pub fn is_start(bytes: &[u8]) -> bool {
    bytes.starts_with(b"REDIS") || bytes.starts_with(b"VALKEY")
}

/// A key with what belongs to it.
pub struct ReadEntry {
    /// The key.
    pub key: Box<[u8]>,
    /// Its value.
    pub value: Value,
    /// When it expires, in Unix milliseconds.
    pub deadline: Option<i64>,
    /// What is said of its uses.
    pub usage: Option<Usage>,
    /// Where in the file it begins.
    pub offset: u64,
}

/// Something in a file.
pub enum Item {
    /// A name and a value about the file.
    Aux(Vec<u8>, Vec<u8>),
    /// A library of functions, as its source.
    Function(Vec<u8>),
    /// The number of the database that the next entries belong to. It is 0 before the first one.
    Database(u64),
    /// How many keys the database has, and how many of them expire. Nothing but a hint.
    Sizes {
        /// Keys.
        keys: u64,
        /// Those that expire.
        volatile: u64,
    },
    /// An entry.
    Entry(ReadEntry),
    /// The end; the checksum was right, or there was none.
    End,
}

/// Reads a file from any input, and not one byte of what may come behind it. Memory grows with the entry that is being
/// read, and with nothing else.
pub struct FileReader<R> {
    reader: Reader<Source<R>>,
    limits: Limits,
    version: u16,
    has_checksum: bool,
    empty: u64,
}

impl<R: Read> FileReader<R> {
    /// One that begins with a file's header.
    pub fn new(input: R, limits: Limits) -> FileReader<R> {
        FileReader { reader: Reader::new(Source::new(input)), limits, version: 0, has_checksum: false, empty: 0 }
    }

    /// How many bytes were read.
    pub fn offset(&self) -> u64 {
        self.reader.offset()
    }

    /// The version of the format; 0 before the first call of [`FileReader::next`].
    pub fn version(&self) -> u16 {
        self.version
    }

    /// Whether the file had a checksum; known at its end.
    pub fn has_checksum(&self) -> bool {
        self.has_checksum
    }

    /// What was taken from the input that is behind the file, and the input.
    pub fn into_rest(self) -> (Vec<u8>, R) {
        self.reader.into_input().into_rest()
    }

    fn header(&mut self) -> Result<u16, Error> {
        let fault = |offset, fault| Error { offset, fault };
        let header: [u8; 9] = self.reader.array()?;
        let (digits, is_valkey) = match (&header[..5], &header[..6]) {
            (b"REDIS", _) => (&header[5..], false),
            (_, b"VALKEY") => (&header[6..], true),
            _ => return Err(fault(0, Fault::Signature)),
        };
        let number = str::from_utf8(digits).ok().filter(|digits| digits.bytes().all(|digit| digit.is_ascii_digit()));
        let start = (header.len() - digits.len()) as u64;
        let version: u16 = number.and_then(|digits| digits.parse().ok()).ok_or(fault(start, Fault::Signature))?;
        if version == 0 || !is_readable(version) || (is_valkey && version != VALKEY) {
            return Err(fault(start, Fault::Version(version)));
        }
        Ok(version)
    }

    /// How many keys have been left out so far, because their collections have no elements: older versions of Redis
    /// could save such.
    pub fn empty(&self) -> u64 {
        self.empty
    }

    /// The next thing in the file. Nothing comes behind [`Item::End`].
    #[expect(clippy::should_implement_trait, reason = "an iterator would end, this fails when it is called too often")]
    pub fn next(&mut self) -> Result<Item, Error> {
        if self.version == 0 {
            self.version = self.header()?;
        }
        let mut offset = self.reader.offset();
        let (mut deadline, mut usage) = (None, None);
        loop {
            let at = self.reader.offset();
            let code = self.reader.byte()?;
            let of_entry = deadline.is_some() || usage.is_some();
            match code {
                opcode::MILLISECONDS => deadline = Some(self.milliseconds()?),
                opcode::SECONDS => deadline = Some(i64::from(i32::from_le_bytes(self.reader.array()?)) * 1000),
                opcode::FREQUENCY => usage = Some(Usage::Frequency(self.reader.byte()?)),
                opcode::IDLE => usage = Some(Usage::Idle(self.reader.length()?)),
                // What is said of the next key has to be about a key.
                opcode::SLOT_IMPORT.. if of_entry => return Err(Error { offset: at, fault: Fault::Opcode(code) }),
                opcode::SLOT_IMPORT.. => {
                    if let Some(item) = self.between(code, at)? {
                        return Ok(item);
                    }
                }
                code => match self.entry(code, deadline, usage, offset) {
                    Err(error) if error.fault == Fault::Empty => {
                        self.empty += 1;
                        (deadline, usage, offset) = (None, None, self.reader.offset());
                    }
                    entry => return entry.map(Item::Entry),
                },
            }
        }
    }

    /// Before version 9 milliseconds were written in the order of the machine's bytes, and that was this one.
    fn milliseconds(&mut self) -> Result<i64, Error> {
        self.reader.milliseconds()
    }

    fn entry(
        &mut self,
        code: u8,
        deadline: Option<i64>,
        usage: Option<Usage>,
        offset: u64,
    ) -> Result<ReadEntry, Error> {
        let mut key = Vec::new();
        self.reader.string(&mut key)?;
        if matches!(code, code::MODULE | code::MODULE_2) {
            return Err(self.module()?);
        }
        let value = decode(code, &mut self.reader, &self.limits)?;
        Ok(ReadEntry { key: key.into(), value, deadline, usage, offset })
    }

    /// What belongs to no entry.
    fn between(&mut self, code: u8, at: u64) -> Result<Option<Item>, Error> {
        let refused = |name| Err(Error { offset: at, fault: Fault::Unsupported(name) });
        let reader = &mut self.reader;
        let mut string = || {
            let mut text = Vec::new();
            reader.string(&mut text).map(|_| text)
        };
        let item = match code {
            opcode::AUX => Item::Aux(string()?, string()?),
            opcode::FUNCTION => Item::Function(string()?),
            opcode::DATABASE => Item::Database(self.reader.length()?),
            opcode::SIZES => Item::Sizes { keys: self.reader.length()?, volatile: self.reader.length()? },
            opcode::SLOT_INFO => {
                for _ in 0..3 {
                    self.reader.length()?;
                }
                return Ok(None);
            }
            opcode::FUNCTION_PRE_GA => return refused("a preliminary form of functions"),
            opcode::SLOT_IMPORT => return refused("an import of slots"),
            opcode::MODULE_AUX => return Err(self.module()?),
            _ => {
                self.end()?;
                Item::End
            }
        };
        Ok(Some(item))
    }

    /// The fault that data of a module are, with its name.
    fn module(&mut self) -> Result<Error, Error> {
        let offset = self.reader.offset();
        let id = self.reader.length()?;
        Ok(Error { offset, fault: Fault::Module(module_name(id)) })
    }

    fn end(&mut self) -> Result<(), Error> {
        if self.version < CHECKSUMS_SINCE {
            return Ok(());
        }
        let computed = self.reader.input().checksum();
        let offset = self.reader.offset();
        let told = u64::from_le_bytes(self.reader.array()?);
        self.has_checksum = told != 0;
        if told != 0 && told != computed {
            return Err(Error { offset, fault: Fault::Checksum });
        }
        Ok(())
    }
}

/// A module's name: nine characters of six bits each, with ten bits of a version behind them.
fn module_name(id: u64) -> [u8; 9] {
    const CHARACTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    std::array::from_fn(|at| CHARACTERS[(id >> (10 + 6 * (8 - at)) & 63) as usize])
}

#[cfg(test)]
#[path = "reader_tests.rs"]
mod tests;
