//! A file that a thread of its own writes: under another name until it is whole and on the disk.

use super::sink::Sink;
use super::waker::Waker;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

/// Bytes that wait for the thread before the snapshot waits for it.
const QUEUED_MAX: usize = 4 * 1024 * 1024;
/// Bytes that are written at once.
const PIECE: usize = 64 * 1024;
/// Bytes between two syncs, so that the last one does not take long.
const SYNC_EVERY: usize = 4 * 1024 * 1024;

/// A file on its way to its place.
pub struct NewFile {
    file: File,
    /// What it is called meanwhile, and in the end.
    temporary: PathBuf,
    path: PathBuf,
    /// Written since the last sync; None if there is only one sync, at the end.
    unsynced: Option<usize>,
}

impl NewFile {
    /// Begins a file at an absolute path.
    pub fn create(path: &Path, syncs_often: bool) -> Result<NewFile, String> {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let temporary = path.with_file_name(format!("temp-{}-{number}-{name}", std::process::id()));
        let file = File::create(&temporary)
            .map_err(|error| format!("cannot create the file {}: {error}", temporary.display()))?;
        Ok(NewFile { file, temporary, path: path.into(), unsynced: syncs_often.then_some(0) })
    }

    fn failed(&self, what: &str, error: &io::Error) -> String {
        format!("cannot {what} the file {}: {error}", self.temporary.display())
    }

    pub fn write(&mut self, bytes: &[u8]) -> Result<(), String> {
        for piece in bytes.chunks(PIECE) {
            self.file.write_all(piece).map_err(|error| self.failed("write", &error))?;
            // Where both have the same processor, the loop would have to wait for the end of a time slice.
            thread::yield_now();
        }
        if let Some(unsynced) = &mut self.unsynced {
            *unsynced += bytes.len();
            if *unsynced >= SYNC_EVERY {
                *unsynced = 0;
                self.file.sync_data().map_err(|error| self.failed("sync", &error))?;
            }
        }
        Ok(())
    }

    /// Puts it in its place, in which it is when this returns, whatever happens to the machine.
    pub fn finish(self) -> Result<(), String> {
        self.file.sync_all().map_err(|error| self.failed("sync", &error))?;
        fs::rename(&self.temporary, &self.path).map_err(|error| {
            format!("cannot rename the file {} to {}: {error}", self.temporary.display(), self.path.display())
        })?;
        let folder = self.path.parent().unwrap_or(Path::new("."));
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(|error| format!("cannot sync the folder {}: {error}", folder.display()))
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        // It may be in its place. If it cannot be removed, it is in nobody's way.
        let _ = fs::remove_file(&self.temporary);
    }
}

enum Message {
    Bytes(Vec<u8>),
    Finish,
}

#[derive(Default)]
struct Shared {
    queued: AtomicUsize,
    outcome: Mutex<Option<Result<(), String>>>,
}

/// A file as a snapshot's sink.
pub struct FileSink {
    sender: Option<Sender<Message>>,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl FileSink {
    /// Begins a file at an absolute path. Whether that works, the outcome tells.
    pub fn create(path: PathBuf, syncs_often: bool, waker: Waker) -> FileSink {
        let (sender, receiver) = mpsc::channel();
        let shared = Arc::new(Shared::default());
        let of_thread = shared.clone();
        let run = move || {
            if let Some(outcome) = write_file(&path, syncs_often, &receiver, &of_thread.queued, &waker) {
                *of_thread.outcome.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
            }
            waker.wake();
        };
        let thread = match thread::Builder::new().name("save".into()).spawn(run) {
            Ok(thread) => Some(thread),
            Err(error) => {
                let outcome = Err(format!("cannot create a thread: {error}"));
                *shared.outcome.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
                None
            }
        };
        FileSink { sender: Some(sender), shared, thread }
    }

    fn send(&self, message: Message) {
        // If the thread has ended, the outcome tells why.
        let _ = self.sender.as_ref().map(|sender| sender.send(message));
    }
}

/// None if the file was given up.
fn write_file(
    path: &Path,
    syncs_often: bool,
    receiver: &Receiver<Message>,
    queued: &AtomicUsize,
    waker: &Waker,
) -> Option<Result<(), String>> {
    let mut file = match NewFile::create(path, syncs_often) {
        Ok(file) => file,
        Err(error) => return Some(Err(error)),
    };
    loop {
        match receiver.recv() {
            Ok(Message::Bytes(bytes)) => {
                if let Err(error) = file.write(&bytes) {
                    return Some(Err(error));
                }
                let before = queued.fetch_sub(bytes.len(), Ordering::AcqRel);
                if before >= QUEUED_MAX / 2 && before - bytes.len() < QUEUED_MAX / 2 {
                    waker.wake();
                }
            }
            Ok(Message::Finish) => return Some(file.finish()),
            Err(_) => return None,
        }
    }
}

impl Sink for FileSink {
    fn room(&self) -> usize {
        QUEUED_MAX.saturating_sub(self.shared.queued.load(Ordering::Acquire))
    }

    fn write(&mut self, bytes: Vec<u8>) {
        self.shared.queued.fetch_add(bytes.len(), Ordering::AcqRel);
        self.send(Message::Bytes(bytes));
    }

    fn finish(&mut self) {
        self.send(Message::Finish);
    }

    fn outcome(&mut self) -> Option<Result<(), String>> {
        self.shared.outcome.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn abandon(mut self: Box<Self>) {
        self.sender = None;
        // It has nothing to say, and if it panicked, it has left what it could.
        self.thread.take().into_iter().for_each(|thread| drop(thread.join()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(sink: &mut FileSink) -> Result<(), String> {
        sink.thread.take().unwrap().join().unwrap();
        sink.outcome().unwrap()
    }

    fn names(folder: &Path) -> Vec<String> {
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_file_appears_when_it_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dump.rdb");
        fs::write(&path, "old").unwrap();
        let mut sink = FileSink::create(path.clone(), true, Waker::default());
        for _ in 0..3 {
            sink.write(vec![b'x'; SYNC_EVERY / 2 + 1]);
        }
        assert_eq!(fs::read(&path).unwrap(), b"old");
        sink.finish();
        assert_eq!(outcome(&mut sink), Ok(()));
        assert_eq!(fs::read(&path).unwrap().len(), 3 * (SYNC_EVERY / 2 + 1));
        assert_eq!((names(folder.path()), sink.room()), (vec!["dump.rdb".into()], QUEUED_MAX));
    }

    #[test]
    fn a_file_that_is_given_up_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dump.rdb");
        let mut sink = FileSink::create(path.clone(), false, Waker::default());
        sink.write(b"some".to_vec());
        Box::new(sink).abandon();
        assert_eq!(names(folder.path()), [""; 0]);
    }

    #[test]
    fn failures_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("none").join("dump.rdb");
        let error = outcome(&mut FileSink::create(path, false, Waker::default())).unwrap_err();
        assert!(error.starts_with("cannot create the file ") && error.contains("No such file"), "{error}");
        let path = folder.path().join("full");
        fs::create_dir_all(path.join("something")).unwrap();
        let mut sink = FileSink::create(path, false, Waker::default());
        sink.finish();
        let error = outcome(&mut sink).unwrap_err();
        assert!(error.starts_with("cannot rename the file "), "{error}");
        assert_eq!(names(folder.path()), ["full"]);
    }
}
