//! Lengths, strings and numbers, as everything in the format is made of them.

use crate::lzf;
use store::Digits;
use store::types::Element;

/// Strings up to this length are never compressed.
const UNCOMPRESSED_MAX: usize = 20;
/// A compressed string is at least so much shorter.
const COMPRESSION_MIN: usize = 4;

/// Whether strings are compressed: `rdbcompression`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Compression {
    /// They are written as they are.
    Off,
    /// Longer ones are compressed if that makes them shorter.
    Lzf,
}

/// Writes to the end of a buffer.
pub struct Writer<'a> {
    out: &'a mut Vec<u8>,
    compression: Compression,
}

impl<'a> Writer<'a> {
    /// One that writes behind what the buffer has.
    pub fn new(out: &'a mut Vec<u8>, compression: Compression) -> Writer<'a> {
        Writer { out, compression }
    }

    /// How many bytes the buffer has.
    pub(super) fn len(&self) -> usize {
        self.out.len()
    }

    /// Bytes as they are, without their length.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    /// A length or another number without sign.
    pub fn length(&mut self, length: u64) {
        match length {
            0..0x40 => self.raw(&[length as u8]),
            0x40..0x4000 => self.raw(&(0x4000 | length as u16).to_be_bytes()),
            0x4000..=0xffff_ffff => {
                self.raw(&[0x80]);
                self.raw(&(length as u32).to_be_bytes());
            }
            _ => {
                self.raw(&[0x81]);
                self.raw(&length.to_be_bytes());
            }
        }
    }

    /// A string: as the integer that it spells, or compressed, where that is shorter.
    pub fn string(&mut self, text: &[u8]) {
        self.element(Element::of(text));
    }

    /// A string, for which it is known already whether it spells an integer.
    pub fn element(&mut self, element: Element<'_>) {
        match element {
            Element::Integer(value) => self.integer(value),
            Element::Text(text) => self.text(text),
        }
    }

    fn integer(&mut self, value: i64) {
        if let Ok(value) = i8::try_from(value) {
            self.raw(&[0xc0, value as u8]);
        } else if let Ok(value) = i16::try_from(value) {
            self.raw(&[0xc1]);
            self.raw(&value.to_le_bytes());
        } else if let Ok(value) = i32::try_from(value) {
            self.raw(&[0xc2]);
            self.raw(&value.to_le_bytes());
        } else {
            self.text(Digits::new().of(value));
        }
    }

    /// A string that spells no integer of 32 bits.
    fn text(&mut self, text: &[u8]) {
        if self.compression == Compression::Lzf && text.len() > UNCOMPRESSED_MAX && self.compressed(text) {
            return;
        }
        self.length(text.len() as u64);
        self.raw(text);
    }

    /// Writes a string if it becomes shorter by compression.
    fn compressed(&mut self, text: &[u8]) -> bool {
        // The lengths in front are of unknown size until the compressed bytes are there.
        let mut bytes = Vec::new();
        let done = lzf::compress(text, text.len() - COMPRESSION_MIN, &mut bytes);
        if done {
            self.raw(&[0xc3]);
            self.length(bytes.len() as u64);
            self.length(text.len() as u64);
            self.raw(&bytes);
        }
        done
    }

    /// A double in its eight bytes.
    pub fn double(&mut self, value: f64) {
        self.raw(&value.to_le_bytes());
    }

    /// A point in time in milliseconds since 1970.
    pub fn milliseconds(&mut self, time: i64) {
        self.raw(&time.to_le_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
        let mut out = Vec::new();
        write(&mut Writer::new(&mut out, Compression::Lzf));
        out
    }

    #[test]
    fn lengths_have_four_forms() {
        for (length, bytes) in [
            (0, &[0][..]),
            (63, &[63]),
            (64, &[0x40, 64]),
            (16_383, &[0x7f, 0xff]),
            (16_384, &[0x80, 0, 0, 0x40, 0]),
            (u64::from(u32::MAX), &[0x80, 0xff, 0xff, 0xff, 0xff]),
            (1 << 32, &[0x81, 0, 0, 0, 1, 0, 0, 0, 0]),
            (u64::MAX, &[0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
        ] {
            assert_eq!(written(|writer| writer.length(length)), bytes);
        }
    }

    #[test]
    fn integers_are_written_as_such_up_to_32_bits() {
        for (text, bytes) in [
            ("0", &b"\xc0\x00"[..]),
            ("-128", b"\xc0\x80"),
            ("128", b"\xc1\x80\x00"),
            ("-32769", b"\xc2\xff\x7f\xff\xff"),
            ("-2147483648", b"\xc2\x00\x00\x00\x80"),
            ("2147483648", b"\x0a2147483648"),
            ("007", b"\x03007"),
            ("", b"\x00"),
        ] {
            assert_eq!(written(|writer| writer.string(text.as_bytes())), bytes, "{text}");
        }
    }

    #[test]
    fn long_strings_are_compressed_if_asked() {
        assert_eq!(written(|writer| writer.string(&[b'a'; 20])).len(), 21);
        assert_eq!(written(|writer| writer.string(&[b'a'; 21])), b"\xc3\x06\x15\x01aa\xe0\x0a\x00");
        let mut out = Vec::new();
        Writer::new(&mut out, Compression::Off).string(&[b'a'; 21]);
        assert_eq!(out[0], 21);
        assert_eq!(written(|writer| writer.string(b"abcdefghijklmnopqrstuvwxyz"))[0], 26);
    }
}
