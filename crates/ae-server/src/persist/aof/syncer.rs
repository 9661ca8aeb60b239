//! The thread that syncs files, so that nobody waits for that, and closes those that are done with.

use super::disk::DiskFile;
use std::fs::File;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

enum Job {
    Sync(Arc<DiskFile>),
    /// The last sync of a file that nothing more is written to.
    Finish(Arc<DiskFile>),
    Close(Vec<File>),
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

    /// Closes files that have been removed, which frees what they hold.
    pub fn close(&self, files: Vec<File>) {
        let _ = self.jobs.send(Job::Close(files));
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
            Job::Close(files) => {
                drop(files);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::persist::aof::disk::Disk;
    use crate::persist::aof::disk::faults::{EIO, Fault};

    #[test]
    fn a_failure_is_told_though_a_later_sync_succeeds() {
        let (at, disk) = (tempfile::tempdir().unwrap(), Disk::default());
        let file = Arc::new(disk.open(&at.path().join("file"), true).unwrap());
        let syncer = Syncer::start().unwrap();
        disk.faults.plan(0..1, Fault::Error(EIO));
        syncer.sync(file.clone());
        syncer.finish(file);
        testkit::eventually("both have ended", || (syncer.running() == 0).then_some(()));
        assert_eq!(syncer.take_result().unwrap().unwrap_err().raw_os_error(), Some(EIO));
        assert!(syncer.take_result().is_none());
    }
}
