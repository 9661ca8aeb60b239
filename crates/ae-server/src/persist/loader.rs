//! A file or a stream that a thread of its own reads and makes entries of. The loop gets them in batches.

use super::pieces::{Feed, Pieces, pieces};
use super::waker::Waker;
use crate::log::{Level, log};
use rdb::{Error, FileReader, Item, Limits, ReadEntry};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender, TryRecvError};

/// How many things are in a batch at most, and about how many bytes of the input make one.
const BATCH: usize = 256;
const BATCH_BYTES: u64 = 256 * 1024;
/// Batches that wait for the loop before the thread waits for it.
const BATCHES: usize = 4;

/// Something that was read.
pub enum Loaded {
    Aux(Vec<u8>, Vec<u8>),
    /// A library, and where it begins in the file.
    Function(u64, Vec<u8>),
    Entry(usize, ReadEntry),
    /// So many keys follow in a database, says the input.
    Keys(usize, u64),
    /// All of it; with what came behind it.
    End(Rest),
    Failed(Error),
}

/// What came behind the end.
pub struct Rest {
    bytes: Vec<u8>,
    pieces: Option<Receiver<Vec<u8>>>,
}

impl Rest {
    /// The bytes of a stream that were given behind the end, all of them up to now. None of a file's.
    pub fn take(self) -> Vec<u8> {
        let mut bytes = self.bytes;
        self.pieces.iter().flat_map(Receiver::try_iter).for_each(|piece| bytes.extend(piece));
        bytes
    }
}

/// Reads in a thread, which ends when this is dropped.
pub struct Loader {
    batches: Receiver<Vec<Loaded>>,
    /// The batch that is being taken.
    current: std::vec::IntoIter<Loaded>,
    /// For a stream.
    input: Option<Feed>,
    /// Bytes that have been read.
    read: Arc<AtomicU64>,
    /// How many bytes there are in all, if that is known.
    pub total: u64,
}

impl Loader {
    /// Reads a file.
    pub fn of_file(path: &Path, limits: Limits, waker: Waker) -> io::Result<Loader> {
        let file = File::open(path)?;
        let total = file.metadata()?.len();
        Loader::start(file, None, total, limits, waker)
    }

    /// Reads what it is given by [`Loader::feed`].
    pub fn of_stream(limits: Limits, waker: Waker) -> io::Result<Loader> {
        let (feed, pieces) = pieces(waker.clone());
        Loader::start(pieces, Some(feed), 0, limits, waker)
    }

    fn start(
        source: impl Input + Send + 'static,
        input: Option<Feed>,
        total: u64,
        limits: Limits,
        waker: Waker,
    ) -> io::Result<Loader> {
        let (sender, batches) = mpsc::sync_channel(BATCHES);
        let read_bytes = Arc::<AtomicU64>::default();
        let of_thread = read_bytes.clone();
        let run = move || {
            read(source, limits, &sender, &of_thread, &waker);
            drop(sender);
            waker.wake();
        };
        std::thread::Builder::new().name("load".into()).spawn(run)?;
        Ok(Loader { batches, current: Vec::new().into_iter(), input, read: read_bytes, total })
    }

    /// Takes the next bytes of a stream.
    pub fn feed(&mut self, bytes: Vec<u8>) {
        if let Some(input) = &self.input {
            input.send(bytes);
        }
    }

    /// How many more bytes of a stream are wanted now; any number when it has ended.
    pub fn room(&self) -> usize {
        self.input.as_ref().map_or(usize::MAX, Feed::room)
    }

    /// The stream has ended.
    pub fn end_stream(&mut self) {
        self.input = None;
    }

    /// How many bytes have been read.
    pub fn read(&self) -> u64 {
        self.read.load(Ordering::Acquire)
    }

    /// The next thing; None if it is not there yet.
    pub fn next(&mut self) -> Option<Loaded> {
        if let Some(next) = self.current.next() {
            return Some(next);
        }
        match self.batches.try_recv() {
            Ok(batch) => {
                self.current = batch.into_iter();
                self.current.next()
            }
            Err(TryRecvError::Empty) => None,
            // It ends with an end or a failure unless it panicked.
            Err(TryRecvError::Disconnected) => {
                let fault = rdb::Fault::Read(io::ErrorKind::Other);
                Some(Loaded::Failed(Error { offset: self.read(), fault }))
            }
        }
    }
}

/// What can be read, and may have bytes left.
trait Input: Read {
    /// What comes behind what was taken out of the input but is no part of the file.
    fn rest(self, taken: Vec<u8>) -> Rest;
}

impl Input for File {
    fn rest(self, _: Vec<u8>) -> Rest {
        Rest { bytes: Vec::new(), pieces: None }
    }
}

impl Input for Pieces {
    fn rest(self, taken: Vec<u8>) -> Rest {
        let (unread, pieces) = self.into_rest();
        Rest { bytes: [taken, unread].concat(), pieces: Some(pieces) }
    }
}

/// Tells how many keys of a file were left out, because their collections have no elements.
pub fn tell_left_out(count: u64) {
    if count > 0 {
        log(Level::Notice, format_args!("{count} keys without any elements were left out"));
    }
}

/// The thread's work. It ends when the loop takes no more batches.
fn read<R: Input>(source: R, limits: Limits, batches: &SyncSender<Vec<Loaded>>, read: &AtomicU64, waker: &Waker) {
    let mut reader = FileReader::new(source, limits);
    let (mut db, mut batch, mut sent_at) = (0, Vec::new(), 0);
    let failure = loop {
        let at = reader.offset();
        let next = reader.next();
        read.store(reader.offset(), Ordering::Release);
        match next {
            Ok(Item::Database(number)) => db = usize::try_from(number).unwrap_or(usize::MAX),
            Ok(Item::Sizes { keys: 0, .. }) => {}
            Ok(Item::Sizes { keys, .. }) => batch.push(Loaded::Keys(db, keys)),
            Ok(Item::Aux(name, value)) => batch.push(Loaded::Aux(name, value)),
            Ok(Item::Function(source)) => batch.push(Loaded::Function(at, source)),
            Ok(Item::Entry(entry)) => batch.push(Loaded::Entry(db, entry)),
            Ok(Item::End) => {
                tell_left_out(reader.empty());
                break None;
            }
            Err(error) => break Some(error),
        }
        // One without anything would look as if there were nothing yet.
        let is_due = batch.len() >= BATCH || reader.offset() - sent_at >= BATCH_BYTES;
        if is_due && !batch.is_empty() {
            sent_at = reader.offset();
            if batches.send(std::mem::take(&mut batch)).is_err() {
                return;
            }
            waker.wake();
        }
    };
    batch.push(match failure {
        Some(error) => Loaded::Failed(error),
        None => {
            let (taken, input) = reader.into_rest();
            Loaded::End(input.rest(taken))
        }
    });
    // If nobody takes it, nobody wants to know.
    let _ = batches.send(batch);
}

#[cfg(test)]
mod tests {
    use super::*;
    use rdb::{Entry, FileOptions, FileWriter};
    use store::{StringValue, Value};

    fn file(entries: u32) -> Vec<u8> {
        let mut writer = FileWriter::new(FileOptions::default());
        writer.aux(b"name", b"value");
        writer.database(2, entries.into(), 0);
        for i in 0..entries {
            let value = Value::from(StringValue::new(&i.to_be_bytes()[..]));
            writer.entry(&Entry { key: &i.to_be_bytes(), value: value.view(), deadline: None, usage: None });
        }
        writer.finish();
        writer.take()
    }

    /// Everything, as soon as it is there.
    fn all(loader: &mut Loader) -> (u32, Result<Vec<u8>, Error>) {
        let mut entries = 0;
        loop {
            match loader.next() {
                Some(Loaded::Entry(db, entry)) => {
                    assert_eq!((db, &*entry.key), (2, &u32::to_be_bytes(entries)[..]));
                    entries += 1;
                }
                Some(Loaded::Keys(db, keys)) => assert_eq!((db, keys > 0), (2, true)),
                Some(Loaded::Aux(name, _)) => assert_eq!(name, b"name"),
                Some(Loaded::Function(..)) => unreachable!(),
                Some(Loaded::End(rest)) => return (entries, Ok(rest.take())),
                Some(Loaded::Failed(error)) => return (entries, Err(error)),
                None => std::thread::yield_now(),
            }
        }
    }

    #[test]
    fn a_file_becomes_entries() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, file(10_000)).unwrap();
        let mut loader = Loader::of_file(&path, Limits::default(), Waker::default()).unwrap();
        assert_eq!(all(&mut loader), (10_000, Ok(Vec::new())));
        assert_eq!(loader.read(), loader.total);
    }

    #[test]
    fn a_stream_may_come_in_any_pieces_and_go_on() {
        let bytes = [&file(1000)[..], b"and more"].concat();
        for size in [1, 7, 1000, bytes.len()] {
            let mut loader = Loader::of_stream(Limits::default(), Waker::default()).unwrap();
            bytes.chunks(size).for_each(|piece| loader.feed(piece.to_vec()));
            let (entries, rest) = all(&mut loader);
            assert_eq!((entries, rest), (1000, Ok(b"and more".to_vec())), "{size}");
        }
    }

    #[test]
    fn much_may_come_behind_a_stream_at_once() {
        let behind: Vec<u8> = (0..1_000_000u32).map(|at| (at / 1000) as u8).collect();
        let mut loader = Loader::of_stream(Limits::default(), Waker::default()).unwrap();
        loader.feed([&file(10)[..], &behind[..900_000]].concat());
        loader.feed(behind[900_000..].to_vec());
        let (entries, rest) = all(&mut loader);
        assert!(entries == 10 && rest.unwrap() == behind);
    }

    #[test]
    fn no_batch_is_empty_however_far_things_are_apart() {
        let mut writer = FileWriter::new(FileOptions::default());
        (0..BATCH_BYTES).for_each(|_| writer.database(2, 0, 0));
        let value = Value::from(StringValue::new(b"v"));
        writer.entry(&Entry { key: &[0; 4], value: value.view(), deadline: None, usage: None });
        writer.finish();
        let (feed, pieces) = pieces(Waker::default());
        feed.send(writer.take());
        let (sender, batches) = mpsc::sync_channel(100);
        read(pieces, Limits::default(), &sender, &AtomicU64::default(), &Waker::default());
        drop(sender);
        let batches: Vec<_> = batches.iter().map(|batch| batch.len()).collect();
        assert!(batches.iter().all(|len| *len > 0) && batches.iter().sum::<usize>() == 2, "{batches:?}");
    }

    #[test]
    fn a_stream_that_ends_early_fails_with_its_offset() {
        let bytes = file(1000);
        let mut loader = Loader::of_stream(Limits::default(), Waker::default()).unwrap();
        loader.feed(bytes[..5000].to_vec());
        loader.end_stream();
        let (_, end) = all(&mut loader);
        assert_eq!(end.unwrap_err(), Error { offset: 5000, fault: rdb::Fault::Truncated });
    }
}
