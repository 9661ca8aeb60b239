//! Writing a file entry by entry, into a buffer that its user takes away.

use super::opcode;
use crate::checksum::crc64;
use crate::encoding::{Compression, Place, Writer, encode_portion, type_of};
use crate::frame::VERSION;
use store::ValueRef;

/// How a file is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FileOptions {
    /// Whether strings are compressed: `rdbcompression`.
    pub compression: Compression,
    /// Whether there is a checksum: `rdbchecksum`.
    pub checksum: bool,
}

impl Default for FileOptions {
    fn default() -> Self {
        FileOptions { compression: Compression::Lzf, checksum: true }
    }
}

/// What a file says of the uses of a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Usage {
    /// For how many seconds it has not been used.
    Idle(u64),
    /// How often it is used, on a logarithmic scale.
    Frequency(u8),
}

/// A key with what belongs to it.
#[derive(Clone, Copy)]
pub struct Entry<'a> {
    /// The key.
    pub key: &'a [u8],
    /// Its value.
    pub value: ValueRef<'a>,
    /// When it expires, in Unix milliseconds.
    pub deadline: Option<i64>,
    /// What is said of its uses, if anything.
    pub usage: Option<Usage>,
}

/// Writes a file into a buffer, from which its user takes away what there is whenever it wants.
///
/// ```
/// use rdb::{Entry, FileOptions, FileReader, FileWriter, Item, Limits};
/// use store::{StringValue, Value};
///
/// let mut writer = FileWriter::new(FileOptions::default());
/// writer.database(3, 1, 0);
/// let value = Value::from(StringValue::new(b"value"));
/// writer.entry(&Entry { key: b"key", value: value.view(), deadline: None, usage: None });
/// writer.finish();
/// let file = writer.take();
///
/// let mut reader = FileReader::new(&file[..], Limits::default());
/// assert!(matches!(reader.next(), Ok(Item::Database(3))));
/// assert!(matches!(reader.next(), Ok(Item::Sizes { keys: 1, volatile: 0 })));
/// assert!(matches!(reader.next(), Ok(Item::Entry(entry)) if *entry.key == *b"key"));
/// assert!(matches!(reader.next(), Ok(Item::End)));
/// ```
pub struct FileWriter {
    out: Vec<u8>,
    /// Where the rest of an entry begins that is not whole yet.
    open: Option<Place>,
    /// What comes behind that entry.
    behind: Vec<u8>,
    options: FileOptions,
    /// Of what has been taken away.
    checksum: u64,
    /// How much that was.
    taken: u64,
}

impl FileWriter {
    /// One that has written the header.
    pub fn new(options: FileOptions) -> FileWriter {
        let out = format!("REDIS{VERSION:04}").into_bytes();
        FileWriter { out, open: None, behind: Vec::new(), options, checksum: 0, taken: 0 }
    }

    fn writer(&mut self) -> Writer<'_> {
        let out = if self.open.is_some() { &mut self.behind } else { &mut self.out };
        Writer::new(out, self.options.compression)
    }

    /// A name and a value about the file.
    pub fn aux(&mut self, name: &[u8], value: &[u8]) {
        let mut writer = self.writer();
        writer.raw(&[opcode::AUX]);
        writer.string(name);
        writer.string(value);
    }

    /// A library of functions, as its source.
    pub fn function(&mut self, source: &[u8]) {
        let mut writer = self.writer();
        writer.raw(&[opcode::FUNCTION]);
        writer.string(source);
    }

    /// The entries that follow belong to this database, which has so many keys, and so many that expire.
    pub fn database(&mut self, number: u64, keys: u64, volatile: u64) {
        self.select(number);
        let mut writer = self.writer();
        writer.raw(&[opcode::SIZES]);
        writer.length(keys);
        writer.length(volatile);
    }

    /// As [`FileWriter::database`] for one that has been named before.
    pub fn select(&mut self, number: u64) {
        let mut writer = self.writer();
        writer.raw(&[opcode::DATABASE]);
        writer.length(number);
    }

    /// An entry.
    pub fn entry(&mut self, entry: &Entry<'_>) {
        self.start(entry);
        encode_portion(entry.value, None, usize::MAX, &mut self.writer());
    }

    /// An entry, of whose value no more than about so many bytes are written. True if that is not all: then
    /// [`FileWriter::go_on`] writes the rest, and whatever else is written meanwhile waits for that, in memory.
    ///
    /// # Panics
    ///
    /// If another entry is not whole yet.
    pub fn begin_entry(&mut self, entry: &Entry<'_>, bytes: usize) -> bool {
        assert!(self.open.is_none(), "one entry at a time is open");
        self.start(entry);
        self.open = encode_portion(entry.value, None, bytes, &mut self.writer());
        self.open.is_some()
    }

    /// About so many more bytes of the value of the entry that was begun last, which has not changed. True if that is not
    /// all.
    pub fn go_on(&mut self, value: ValueRef<'_>, bytes: usize) -> bool {
        if self.open.is_some() {
            let mut writer = Writer::new(&mut self.out, self.options.compression);
            self.open = encode_portion(value, self.open, bytes, &mut writer);
        }
        if self.open.is_none() {
            self.out.append(&mut self.behind);
        }
        self.open.is_some()
    }

    fn start(&mut self, entry: &Entry<'_>) {
        let mut writer = self.writer();
        if let Some(deadline) = entry.deadline {
            writer.raw(&[opcode::MILLISECONDS]);
            writer.milliseconds(deadline);
        }
        match entry.usage {
            Some(Usage::Idle(seconds)) => {
                writer.raw(&[opcode::IDLE]);
                writer.length(seconds);
            }
            Some(Usage::Frequency(frequency)) => writer.raw(&[opcode::FREQUENCY, frequency]),
            None => {}
        }
        writer.raw(&[type_of(entry.value)]);
        writer.string(entry.key);
    }

    /// The end. Nothing may come behind it, and every entry is whole.
    pub fn finish(&mut self) {
        debug_assert!(self.open.is_none());
        self.out.push(opcode::END);
        let checksum = if self.options.checksum { crc64(self.checksum, &self.out) } else { 0 };
        self.out.extend_from_slice(&checksum.to_le_bytes());
    }

    /// How many bytes wait to be taken away.
    pub fn pending(&self) -> usize {
        self.out.len()
    }

    /// How many bytes there have been in all.
    pub fn written(&self) -> u64 {
        self.taken + (self.out.len() + self.behind.len()) as u64
    }

    /// Takes away the bytes that wait.
    pub fn take(&mut self) -> Vec<u8> {
        let bytes = std::mem::take(&mut self.out);
        self.taken += bytes.len() as u64;
        if self.options.checksum {
            self.checksum = crc64(self.checksum, &bytes);
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use store::{StringValue, Value};

    fn file(options: FileOptions, mut between: impl FnMut(&mut FileWriter)) -> Vec<u8> {
        let value = Value::from(StringValue::new(b"v"));
        let mut writer = FileWriter::new(options);
        between(&mut writer);
        writer.aux(b"name", b"1");
        between(&mut writer);
        writer.database(0, 2, 1);
        writer.entry(&Entry { key: b"k", value: value.view(), deadline: Some(1), usage: Some(Usage::Frequency(7)) });
        between(&mut writer);
        writer.entry(&Entry { key: b"12", value: value.view(), deadline: None, usage: Some(Usage::Idle(100)) });
        writer.finish();
        assert_eq!(writer.pending() as u64 + writer.taken, writer.written());
        writer.take()
    }

    #[test]
    fn the_bytes_of_a_file() {
        let bytes = file(FileOptions { checksum: false, ..FileOptions::default() }, |_| ());
        let parts: [&[u8]; 6] = [
            b"REDIS0010\xfa\x04name\xc0\x01",
            b"\xfe\x00\xfb\x02\x01",
            b"\xfc\x01\0\0\0\0\0\0\0\xf9\x07\x00\x01k\x01v",
            b"\xf8\x40\x64\x00\xc0\x0c\x01v",
            b"\xff",
            &[0; 8],
        ];
        assert_eq!(bytes, parts.concat());
    }

    #[test]
    fn what_is_written_while_an_entry_is_open_comes_behind_it() {
        use store::types::set::{Limits, Set};
        let mut set = Set::new();
        // So long and alike that each is compressed.
        (0..1000).for_each(|i| _ = set.add(format!("member {i:040}").as_bytes(), &Limits::default()));
        let (large, small) = (Value::from(set), Value::from(StringValue::new(b"v")));
        let entry = |key, value| Entry { key, value, deadline: None, usage: None };
        let write = |in_portions: bool| {
            let mut writer = FileWriter::new(FileOptions::default());
            writer.database(0, 3, 0);
            let mut bytes = Vec::new();
            match in_portions {
                true => assert!(writer.begin_entry(&entry(b"large", large.view()), 1000)),
                false => writer.entry(&entry(b"large", large.view())),
            }
            writer.entry(&entry(b"small", small.view()));
            writer.select(1);
            writer.entry(&entry(b"other", small.view()));
            if in_portions {
                assert_eq!(writer.written(), (writer.pending() + writer.behind.len()) as u64);
                assert!(writer.pending() < 1100, "{}", writer.pending());
                while writer.go_on(large.view(), 1000) {
                    assert!(writer.pending() < 1100, "{}", writer.pending());
                    bytes.append(&mut writer.take());
                }
            }
            writer.finish();
            assert_eq!(writer.written(), (bytes.len() + writer.pending()) as u64);
            [bytes, writer.take()].concat()
        };
        assert_eq!(write(true), write(false));
    }

    #[test]
    fn the_checksum_does_not_depend_on_when_bytes_are_taken() {
        let whole = file(FileOptions::default(), |_| ());
        let mut first = Vec::new();
        let rest = file(FileOptions::default(), |writer| first.extend(writer.take()));
        assert_eq!([first, rest].concat(), whole);
        let (content, checksum) = whole.split_last_chunk().unwrap();
        assert_eq!(crc64(0, content), u64::from_le_bytes(*checksum));
    }
}
