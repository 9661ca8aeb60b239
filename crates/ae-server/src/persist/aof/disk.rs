//! Files, any operation of which tests can make fail.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// The file system. Tests have one that fails when they want.
#[derive(Clone, Default)]
pub struct Disk {
    #[cfg(test)]
    pub faults: faults::Faults,
}

/// The error of an operation, which says on which file it was.
pub fn named(path: &Path) -> impl Fn(io::Error) -> io::Error + '_ {
    |error| io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// A file that is written at its end.
pub struct DiskFile {
    file: File,
    disk: Disk,
}

impl Disk {
    /// An operation is about to begin, on so many bytes: how many of them it may write.
    #[cfg(test)]
    fn begin(&self, len: usize) -> io::Result<usize> {
        self.faults.begin(len)
    }

    #[cfg(not(test))]
    fn begin(&self, len: usize) -> io::Result<usize> {
        Ok(len)
    }

    /// Opens a file to write at its end. It is made if it is not there, and emptied with `empty`.
    pub fn open(&self, path: &Path, empty: bool) -> io::Result<DiskFile> {
        self.begin(0).map_err(named(path))?;
        let file = OpenOptions::new().append(true).create(true).open(path).map_err(named(path))?;
        if empty {
            file.set_len(0).map_err(named(path))?;
        }
        Ok(DiskFile { file, disk: self.clone() })
    }

    /// Writes a whole file, and has it on the disk when this returns.
    pub fn write_whole(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let file = self.open(path, true)?;
        file.write_all(bytes).and_then(|()| file.sync()).map_err(named(path))
    }

    pub fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        fs::read(path).map_err(named(path))
    }

    pub fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.begin(0).and_then(|_| fs::rename(from, to)).map_err(named(from))
    }

    pub fn remove(&self, path: &Path) -> io::Result<()> {
        self.begin(0).and_then(|_| fs::remove_file(path)).map_err(named(path))
    }

    /// Makes a folder, unless it is there.
    pub fn make_folder(&self, path: &Path) -> io::Result<()> {
        match self.begin(0).and_then(|_| fs::create_dir(path)) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
            made => made.map_err(named(path)),
        }
    }

    /// Whether there is a file.
    pub fn is_file(&self, path: &Path) -> io::Result<bool> {
        Ok(self.find(path)?.is_some_and(|found| found.is_file()))
    }

    /// Whether there is a folder.
    pub fn is_folder(&self, path: &Path) -> io::Result<bool> {
        Ok(self.find(path)?.is_some_and(|found| found.is_dir()))
    }

    /// None if there is nothing. What cannot be looked at may be there.
    fn find(&self, path: &Path) -> io::Result<Option<Metadata>> {
        match fs::metadata(path) {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(named(path)(error)),
        }
    }

    /// Has the names in a folder on the disk when this returns.
    pub fn sync_folder(&self, path: &Path) -> io::Result<()> {
        self.begin(0).map_err(named(path))?;
        // No test takes the power away.
        let synced = if cfg!(test) { Ok(()) } else { File::open(path).and_then(|folder| folder.sync_all()) };
        synced.map_err(named(path))
    }

    /// Cuts a file to a length, and has that on the disk.
    pub fn cut(&self, path: &Path, len: u64) -> io::Result<()> {
        let file = self.open(path, false)?;
        file.cut(len).and_then(|()| file.sync()).map_err(named(path))
    }

    /// The length of a file.
    pub fn len(&self, path: &Path) -> io::Result<u64> {
        fs::metadata(path).map(|file| file.len()).map_err(named(path))
    }
}

impl DiskFile {
    /// Writes some of the bytes, and returns how many.
    pub fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        let may = self.disk.begin(bytes.len())?;
        loop {
            match (&self.file).write(&bytes[..may]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                written => return written,
            }
        }
    }

    pub fn write_all(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.write(bytes)? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                len => bytes = &bytes[len..],
            }
        }
        Ok(())
    }

    /// Has the file's bytes on the disk when this returns.
    pub fn sync(&self) -> io::Result<()> {
        self.disk.begin(0)?;
        #[cfg(test)]
        return self.disk.faults.wait_to_sync();
        #[cfg(not(test))]
        self.file.sync_data()
    }

    pub fn cut(&self, len: u64) -> io::Result<()> {
        self.disk.begin(0)?;
        self.file.set_len(len)
    }

    pub fn len(&self) -> io::Result<u64> {
        self.file.metadata().map(|file| file.len())
    }
}

#[cfg(test)]
pub mod faults {
    //! Operations that fail.

    use std::io;
    use std::sync::{Arc, Mutex, MutexGuard};

    /// Numbers of errors: input or output, no space left.
    pub const EIO: i32 = 5;
    pub const ENOSPC: i32 = 28;

    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub enum Fault {
        /// The operation fails with this error number.
        Error(i32),
        /// The first operation, if it is a write, takes only half; it fails otherwise, and so do the others.
        Half,
        /// As [`Fault::Half`], and everything after it fails: the process has been killed.
        Killed,
    }

    #[derive(Default)]
    struct Plan {
        begun: usize,
        fault: Option<(std::ops::Range<usize>, Fault)>,
        dead: bool,
    }

    /// Counts operations, and has some of them fail.
    #[derive(Clone, Default)]
    pub struct Faults(Arc<Mutex<Plan>>, Arc<Mutex<()>>);

    impl Faults {
        /// The operations of these numbers fail, from now on.
        pub fn plan(&self, numbers: std::ops::Range<usize>, fault: Fault) {
            let mut plan = self.0.lock().unwrap();
            *plan = Plan { fault: Some((numbers, fault)), ..Plan::default() };
        }

        /// Nothing fails any more.
        pub fn clear(&self) {
            *self.0.lock().unwrap() = Plan::default();
        }

        /// Until the guard is dropped, syncs do not end.
        pub fn hold_syncs(&self) -> MutexGuard<'_, ()> {
            self.1.lock().unwrap()
        }

        pub fn wait_to_sync(&self) -> io::Result<()> {
            drop(self.1.lock().unwrap());
            Ok(())
        }

        /// How many operations there have been since the last plan.
        pub fn begun(&self) -> usize {
            self.0.lock().unwrap().begun
        }

        pub fn begin(&self, len: usize) -> io::Result<usize> {
            let mut plan = self.0.lock().unwrap();
            let number = plan.begun;
            plan.begun += 1;
            if plan.dead {
                return Err(io::ErrorKind::NotConnected.into());
            }
            let Some((numbers, fault)) = plan.fault.clone().filter(|(numbers, _)| numbers.contains(&number)) else {
                return Ok(len);
            };
            plan.dead = fault == Fault::Killed;
            match fault {
                Fault::Error(code) => Err(io::Error::from_raw_os_error(code)),
                _ if len > 1 && number == numbers.start => Ok(len / 2),
                _ => Err(io::Error::from_raw_os_error(ENOSPC)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// It may be lost if the power goes.
    #[test]
    fn what_cannot_be_synced_is_told() {
        let at = tempfile::tempdir().unwrap();
        let (disk, path) = (Disk::default(), at.path().join("file"));
        // Behind opening it, and writing or cutting.
        disk.faults.plan(2..3, faults::Fault::Error(faults::EIO));
        assert!(disk.write_whole(&path, b"some text").is_err());
        disk.faults.plan(2..3, faults::Fault::Error(faults::EIO));
        assert!(disk.cut(&path, 4).is_err());
        disk.faults.clear();
        disk.cut(&path, 4).unwrap();
        assert_eq!(disk.read(&path).unwrap(), b"some");
    }
}
