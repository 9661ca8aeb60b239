//! A snapshot that becomes a file of requests: a thread reads what would be an RDB file and writes what makes the same.

use super::requests;
use crate::persist::file_sink::NewFile;
use crate::persist::pieces::{Feed, Pieces, pieces};
use crate::persist::sink::Sink;
use crate::persist::waker::Waker;
use rdb::{FileReader, Item, Limits};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

/// Bytes of requests that are written at a time.
const WRITE_AT: usize = 256 * 1024;

/// How it ended, once it has.
type Outcome = Mutex<Option<Result<(), String>>>;

/// A file of requests as a snapshot's sink.
pub struct RequestSink {
    feed: Option<Feed>,
    outcome: Arc<Outcome>,
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
        let (feed, input) = pieces(waker.clone());
        let outcome = Arc::<Outcome>::default();
        let of_thread = outcome.clone();
        let run = move || {
            // One that was given up ends too early, and nobody asks how it ended.
            let outcome = write_file(&path, syncs_often, stamp, FileReader::new(input, limits));
            *of_thread.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
            waker.wake();
        };
        let thread = std::thread::Builder::new().name("rewrite".into()).spawn(run)?;
        Ok(RequestSink { feed: Some(feed), outcome, thread: Some(thread) })
    }
}

fn write_file(
    path: &Path,
    syncs_often: bool,
    stamp: Option<i64>,
    mut reader: FileReader<Pieces>,
) -> Result<(), String> {
    let mut file = NewFile::create(path, syncs_often)?;
    let mut out = stamp.map(|second| format!("#TS:{second}\r\n").into_bytes()).unwrap_or_default();
    loop {
        match reader.next() {
            Ok(Item::Database(db)) => requests::select(&mut out, usize::try_from(db).unwrap_or(usize::MAX)),
            Ok(Item::Entry(entry)) => requests::of_entry(&mut out, &entry.key, entry.value.view(), entry.deadline),
            Ok(Item::End) => break,
            Ok(Item::Function(source)) => requests::of_function(&mut out, &source),
            Ok(Item::Aux(..) | Item::Sizes { .. }) => {}
            Err(error) => return Err(format!("the snapshot cannot be read: {error}")),
        }
        if out.len() >= WRITE_AT {
            file.write(&out)?;
            out.clear();
        }
    }
    file.write(&out)?;
    file.finish()
}

impl Sink for RequestSink {
    fn room(&self) -> usize {
        self.feed.as_ref().map_or(0, Feed::room)
    }

    fn write(&mut self, bytes: Vec<u8>) {
        if let Some(feed) = &self.feed {
            feed.send(bytes);
        }
    }

    /// The snapshot's own end is the end.
    fn finish(&mut self) {}

    fn outcome(&mut self) -> Option<Result<(), String>> {
        self.outcome.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn abandon(mut self: Box<Self>) {
        self.feed = None;
        // It has nothing to say, and if it panicked, it has left what it could.
        self.thread.take().into_iter().for_each(|thread| drop(thread.join()));
    }
}
