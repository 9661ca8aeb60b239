//! A snapshot that becomes a file of requests: a thread reads what would be an RDB file and writes what makes the same.

use super::requests;
use crate::persist::file_sink::NewFile;
use crate::persist::sink::Sink;
use crate::persist::waker::Waker;
use rdb::{FileReader, Item, Limits};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

/// Bytes that wait for the thread before the snapshot waits for it.
const QUEUED_MAX: usize = 4 * 1024 * 1024;
/// Bytes of requests that are written at a time.
const WRITE_AT: usize = 256 * 1024;

#[derive(Default)]
struct Shared {
    queued: AtomicUsize,
    outcome: Mutex<Option<Result<(), String>>>,
}

/// A file of requests as a snapshot's sink.
pub struct RequestSink {
    sender: Option<Sender<Vec<u8>>>,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl RequestSink {
    /// Begins a file at an absolute path; with a stamp it tells at first that it is of that second.
    pub fn create(
        path: PathBuf,
        syncs_often: bool,
        stamp: Option<i64>,
        limits: Limits,
        waker: Waker,
    ) -> io::Result<RequestSink> {
        let (sender, pieces) = mpsc::channel();
        let shared = Arc::<Shared>::default();
        let of_thread = shared.clone();
        let run = move || {
            let input = Pieces { pieces, current: Vec::new(), at: 0, shared: of_thread.clone(), waker: waker.clone() };
            if let Some(outcome) = write_file(&path, syncs_often, stamp, FileReader::new(input, limits)).transpose() {
                *of_thread.outcome.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
            }
            waker.wake();
        };
        let thread = std::thread::Builder::new().name("rewrite".into()).spawn(run)?;
        Ok(RequestSink { sender: Some(sender), shared, thread: Some(thread) })
    }
}

/// What the thread gets, as a file to read.
struct Pieces {
    pieces: Receiver<Vec<u8>>,
    current: Vec<u8>,
    at: usize,
    shared: Arc<Shared>,
    waker: Waker,
}

impl Read for Pieces {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        while self.at == self.current.len() {
            let Ok(piece) = self.pieces.recv() else { return Ok(0) };
            let before = self.shared.queued.fetch_sub(piece.len(), Ordering::AcqRel);
            if before >= QUEUED_MAX / 2 && before - piece.len() < QUEUED_MAX / 2 {
                self.waker.wake();
            }
            (self.current, self.at) = (piece, 0);
        }
        let len = room.len().min(self.current.len() - self.at);
        room[..len].copy_from_slice(&self.current[self.at..self.at + len]);
        self.at += len;
        Ok(len)
    }
}

/// None if the file was given up.
fn write_file(
    path: &Path,
    syncs_often: bool,
    stamp: Option<i64>,
    mut reader: FileReader<Pieces>,
) -> Result<Option<()>, String> {
    let mut file = NewFile::create(path, syncs_often)?;
    let mut out = stamp.map(|second| format!("#TS:{second}\r\n").into_bytes()).unwrap_or_default();
    loop {
        match reader.next() {
            Ok(Item::Database(db)) => requests::select(&mut out, usize::try_from(db).unwrap_or(usize::MAX)),
            Ok(Item::Entry(entry)) => requests::of_entry(&mut out, &entry.key, entry.value.view(), entry.deadline),
            Ok(Item::End) => break,
            // Functions cannot be called here, and there is no way to say that they are there.
            Ok(Item::Aux(..) | Item::Sizes { .. } | Item::Function(_)) => {}
            Err(rdb::Error { fault: rdb::Fault::Truncated, .. }) => return Ok(None),
            Err(error) => return Err(format!("the snapshot cannot be read: {error}")),
        }
        if out.len() >= WRITE_AT {
            file.write(&out)?;
            out.clear();
        }
    }
    file.write(&out)?;
    file.finish().map(Some)
}

impl Sink for RequestSink {
    fn room(&self) -> usize {
        QUEUED_MAX.saturating_sub(self.shared.queued.load(Ordering::Acquire))
    }

    fn write(&mut self, bytes: Vec<u8>) {
        self.shared.queued.fetch_add(bytes.len(), Ordering::AcqRel);
        // If the thread has ended, the outcome tells why.
        let _ = self.sender.as_ref().map(|sender| sender.send(bytes));
    }

    /// The snapshot's own end is the end.
    fn finish(&mut self) {}

    fn outcome(&mut self) -> Option<Result<(), String>> {
        self.shared.outcome.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn abandon(mut self: Box<Self>) {
        self.sender = None;
        // It has nothing to say, and if it panicked, it has left what it could.
        self.thread.take().into_iter().for_each(|thread| drop(thread.join()));
    }
}
