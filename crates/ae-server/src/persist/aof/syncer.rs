//! The thread that syncs files, so that nobody waits for that, and removes those that are done with.

use super::disk::{Disk, DiskFile};
use crate::log::{Level, log};
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

enum Job {
    Sync(Arc<DiskFile>),
    /// The last sync of a file that nothing more is written to.
    Finish(Arc<DiskFile>),
    Remove(Disk, PathBuf),
}

#[derive(Default)]
struct Shared {
    /// Syncs that have not ended.
    running: AtomicUsize,
    /// How the last one ended, for whoever asks first.
    result: Mutex<Option<io::Result<()>>>,
}

impl Shared {
    fn result(&self) -> MutexGuard<'_, Option<io::Result<()>>> {
        self.result.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The thread's other end. The thread ends when it has done what it was given, after this is dropped.
pub struct Syncer {
    jobs: Sender<Job>,
    shared: Arc<Shared>,
}

impl Syncer {
    pub fn start() -> io::Result<Syncer> {
        let (jobs, todo) = mpsc::channel();
        let shared = Arc::new(Shared::default());
        let own = shared.clone();
        std::thread::Builder::new().name("aof-sync".into()).spawn(move || work(&todo, &own))?;
        Ok(Syncer { jobs, shared })
    }

    /// Syncs a file.
    pub fn sync(&self, file: Arc<DiskFile>) {
        self.count(Job::Sync(file));
    }

    /// Syncs a file for the last time, and closes it.
    pub fn finish(&self, file: Arc<DiskFile>) {
        self.count(Job::Finish(file));
    }

    fn count(&self, job: Job) {
        self.shared.running.fetch_add(1, Ordering::AcqRel);
        if self.jobs.send(job).is_err() {
            self.shared.running.fetch_sub(1, Ordering::AcqRel);
            *self.shared.result() = Some(Err(io::Error::other("the thread that syncs has ended")));
        }
    }

    pub fn remove(&self, disk: &Disk, path: PathBuf) {
        // What stays is in nobody's way.
        let _ = self.jobs.send(Job::Remove(disk.clone(), path));
    }

    /// How many syncs have not ended.
    pub fn running(&self) -> usize {
        self.shared.running.load(Ordering::Acquire)
    }

    /// How the syncs ended since the last time: the first failure, if there was one.
    pub fn take_result(&self) -> Option<io::Result<()>> {
        self.shared.result().take()
    }
}

fn work(todo: &Receiver<Job>, shared: &Shared) {
    for job in todo {
        let ended = match job {
            Job::Sync(file) | Job::Finish(file) => file.sync(),
            Job::Remove(disk, path) => {
                match disk.remove(&path) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => {
                        log(Level::Warning, format_args!("cannot remove {}: {error}", path.display()));
                    }
                    _ => {}
                }
                continue;
            }
        };
        {
            let mut result = shared.result();
            if !matches!(*result, Some(Err(_))) {
                *result = Some(ended);
            }
        }
        shared.running.fetch_sub(1, Ordering::AcqRel);
    }
}
