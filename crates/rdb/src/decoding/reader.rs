//! Lengths, strings and numbers, as everything in the format is made of them.

use crate::error::{Error, Fault};
use crate::lzf;
use std::io::{ErrorKind, Read};
use store::Digits;

/// So much is read at a time: a length can be a lie, and memory is only for bytes that came.
const CHUNK: usize = 64 * 1024;

/// What is in front of a string.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Length {
    /// The string's length; or a number.
    Plain(u64),
    /// What the string is encoded as.
    Encoding(u8),
}

/// Reads from a slice or a buffered file, and counts the bytes.
pub struct Reader<R> {
    input: R,
    offset: u64,
    /// Compressed bytes, for the next string.
    compressed: Vec<u8>,
}

impl<R: Read> Reader<R> {
    /// One that begins at offset 0.
    pub fn new(input: R) -> Reader<R> {
        Reader { input, offset: 0, compressed: Vec::new() }
    }

    /// What it reads from.
    pub(crate) fn input(&mut self) -> &mut R {
        &mut self.input
    }

    /// What it read from.
    pub(crate) fn into_input(self) -> R {
        self.input
    }

    /// How many bytes were read.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// An error here.
    pub fn error(&self, fault: Fault) -> Error {
        Error { offset: self.offset, fault }
    }

    /// Exactly as many bytes as there is room for.
    pub fn fill(&mut self, room: &mut [u8]) -> Result<(), Error> {
        self.input.read_exact(room).map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof => self.error(Fault::Truncated),
            kind => self.error(Fault::Read(kind)),
        })?;
        self.offset += room.len() as u64;
        Ok(())
    }

    /// One byte.
    pub fn byte(&mut self) -> Result<u8, Error> {
        self.array().map(|[byte]| byte)
    }

    /// So many bytes.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    /// A double in its eight bytes.
    pub fn double(&mut self) -> Result<f64, Error> {
        self.array().map(f64::from_le_bytes)
    }

    /// A point in time in milliseconds since 1970.
    pub fn milliseconds(&mut self) -> Result<i64, Error> {
        self.array().map(i64::from_le_bytes)
    }

    /// What is in front of a string.
    pub fn length_or_encoding(&mut self) -> Result<Length, Error> {
        let start = self.offset;
        let first = self.byte()?;
        let length = match first >> 6 {
            0 => first.into(),
            1 => u16::from_be_bytes([first & 0x3f, self.byte()?]).into(),
            2 if first == 0x80 => u32::from_be_bytes(self.array()?).into(),
            2 if first == 0x81 => u64::from_be_bytes(self.array()?),
            2 => return Err(Error { offset: start, fault: Fault::Length }),
            _ => return Ok(Length::Encoding(first & 0x3f)),
        };
        Ok(Length::Plain(length))
    }

    /// A length or another number without sign.
    pub fn length(&mut self) -> Result<u64, Error> {
        let start = self.offset;
        match self.length_or_encoding()? {
            Length::Plain(length) => Ok(length),
            Length::Encoding(_) => Err(Error { offset: start, fault: Fault::Length }),
        }
    }

    /// A string, in place of what `text` had. The result is true if it was written as an integer.
    pub fn string(&mut self, text: &mut Vec<u8>) -> Result<bool, Error> {
        const INT8: u8 = 0;
        const INT16: u8 = 1;
        const INT32: u8 = 2;
        const LZF: u8 = 3;
        text.clear();
        let start = self.offset;
        let integer = match self.length_or_encoding()? {
            Length::Plain(length) => return self.bytes(length, text).map(|()| false),
            Length::Encoding(INT8) => i8::from_le_bytes(self.array()?).into(),
            Length::Encoding(INT16) => i16::from_le_bytes(self.array()?).into(),
            Length::Encoding(INT32) => i32::from_le_bytes(self.array()?).into(),
            Length::Encoding(LZF) => return self.compressed(text).map(|()| false),
            Length::Encoding(encoding) => return Err(Error { offset: start, fault: Fault::Encoding(encoding) }),
        };
        text.extend_from_slice(Digits::new().of(integer));
        Ok(true)
    }

    fn compressed(&mut self, text: &mut Vec<u8>) -> Result<(), Error> {
        let (from, to) = (self.length()?, self.length()?);
        let fault = self.error(Fault::Compression);
        let mut compressed = std::mem::take(&mut self.compressed);
        compressed.clear();
        self.bytes(from, &mut compressed)?;
        let len = usize::try_from(to).map_err(|_| fault)?;
        if !lzf::decompress(&compressed, len, text) {
            return Err(fault);
        }
        self.compressed = compressed;
        Ok(())
    }

    /// Adds so many bytes to `out`.
    fn bytes(&mut self, count: u64, out: &mut Vec<u8>) -> Result<(), Error> {
        let mut left = count;
        while left > 0 {
            let (start, more) = (out.len(), left.min(CHUNK as u64) as usize);
            out.resize(start + more, 0);
            self.fill(&mut out[start..])?;
            left -= more as u64;
        }
        Ok(())
    }

    /// Fails if there is another byte.
    pub fn end(&mut self) -> Result<(), Error> {
        let end = self.offset;
        match self.byte() {
            Err(Error { fault: Fault::Truncated, .. }) => Ok(()),
            Err(error) => Err(error),
            Ok(_) => Err(Error { offset: end, fault: Fault::Trailing }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::{Compression, Writer};
    use proptest::prelude::*;

    fn read(bytes: &[u8]) -> Result<String, (u64, Fault)> {
        let mut text = b"before".to_vec();
        let read = Reader::new(bytes).string(&mut text);
        read.map(|_| String::from_utf8_lossy(&text).into_owned()).map_err(|error| (error.offset, error.fault))
    }

    #[test]
    fn strings_of_all_encodings() {
        assert_eq!(read(b"\x03abc").unwrap(), "abc");
        assert_eq!(read(b"\x40\x03abc").unwrap(), "abc");
        assert_eq!(read(b"\x80\0\0\0\x03abc").unwrap(), "abc");
        assert_eq!(read(b"\x81\0\0\0\0\0\0\0\x03abc").unwrap(), "abc");
        assert_eq!(read(b"\xc0\x80").unwrap(), "-128");
        assert_eq!(read(b"\xc1\x00\x80").unwrap(), "-32768");
        assert_eq!(read(b"\xc2\xff\xff\xff\x7f").unwrap(), "2147483647");
        assert_eq!(read(b"\xc3\x06\x15\x01aa\xe0\x0a\x00").unwrap(), "a".repeat(21));
    }

    #[test]
    fn faults_are_told_with_their_offset() {
        for (bytes, offset, fault) in [
            (&b""[..], 0, Fault::Truncated),
            (b"\x03ab", 1, Fault::Truncated),
            (b"\x40", 1, Fault::Truncated),
            (b"\x82\0\0\0\0", 0, Fault::Length),
            (b"\xc4\0", 0, Fault::Encoding(4)),
            (b"\xc2\0", 1, Fault::Truncated),
            (b"\xc3\xc0\0\0", 1, Fault::Length),
            (b"\xc3\x06\x16\x01aa\xe0\x0a\x00", 3, Fault::Compression),
            (b"\xc3\x01\x81\xff\xff\xff\xff\xff\xff\xff\xff\0", 11, Fault::Compression),
        ] {
            assert_eq!(read(bytes), Err((offset, fault)), "{bytes:?}");
        }
    }

    #[test]
    fn a_length_is_not_believed() {
        let mut text = Vec::new();
        for bytes in
            [&b"\x81\x7f\xff\xff\xff\xff\xff\xff\xff...."[..], b"\xc3\x81\x7f\xff\xff\xff\xff\xff\xff\xff\x10abc"]
        {
            let mut reader = Reader::new(bytes);
            assert_eq!(reader.string(&mut text).unwrap_err().fault, Fault::Truncated);
            assert!(text.capacity() <= 2 * CHUNK && reader.compressed.capacity() <= 2 * CHUNK);
        }
    }

    #[test]
    fn a_fault_of_the_input_is_told() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
                Err(ErrorKind::ConnectionReset.into())
            }
        }
        assert_eq!(Reader::new(Broken).byte().unwrap_err().fault, Fault::Read(ErrorKind::ConnectionReset));
        assert_eq!(Reader::new(Broken).end().unwrap_err().fault, Fault::Read(ErrorKind::ConnectionReset));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            texts in prop::collection::vec((prop::collection::vec(0u8..4, 0..30), 0usize..30), 0..10),
            numbers: Vec<u64>,
            integer: i64,
            shift in 0u32..63,
            double: u64,
            lzf: bool,
        ) {
            let compression = if lzf { Compression::Lzf } else { Compression::Off };
            let mut out = Vec::new();
            let mut writer = Writer::new(&mut out, compression);
            let texts: Vec<Vec<u8>> = texts.into_iter().map(|(text, times)| text.repeat(times)).collect();
            let integer = integer >> shift;
            numbers.iter().for_each(|number| writer.length(*number));
            texts.iter().for_each(|text| writer.string(text));
            writer.string(integer.to_string().as_bytes());
            writer.double(f64::from_bits(double));
            writer.milliseconds(integer);
            let mut reader = Reader::new(&out[..]);
            for number in numbers {
                prop_assert_eq!(reader.length(), Ok(number));
            }
            let mut read = Vec::new();
            for text in texts {
                prop_assert_eq!(reader.string(&mut read), Ok(false));
                prop_assert_eq!(&read, &text);
            }
            prop_assert_eq!(reader.string(&mut read), Ok(i32::try_from(integer).is_ok()));
            prop_assert_eq!(&read, &integer.to_string().into_bytes());
            prop_assert_eq!(reader.double().map(f64::to_bits), Ok(double));
            prop_assert_eq!(reader.milliseconds(), Ok(integer));
            prop_assert_eq!(reader.end(), Ok(()));
            prop_assert_eq!(reader.offset(), out.len() as u64);
        }
    }
}
