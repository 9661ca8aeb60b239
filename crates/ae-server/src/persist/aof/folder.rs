//! The folder with the append-only file's parts, and how one set of them takes the place of another.
//!
//! Whatever fails, and whenever the process ends, the manifest on the disk names files that are there and that hold
//! everything: a new file is whole and synced before the manifest names it, and an old one goes after it no longer
//! does.

use super::disk::{Disk, DiskFile, named};
use super::manifest::{Entry, Manifest};
use super::stage::Stage;
use crate::log::{Level, log};
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// The folder, and what is in it.
pub struct Folder {
    disk: Disk,
    /// `dir`, where a single old file may be.
    parent: PathBuf,
    path: PathBuf,
    /// `appendfilename`: what the files' names begin with.
    name: String,
    pub manifest: Manifest,
}

impl Folder {
    /// Reads the manifest, if there is one. The error is for the operator.
    pub fn open(disk: Disk, parent: &Path, folder: &str, name: &str) -> Result<Folder, String> {
        let (parent, path) = (parent.to_path_buf(), parent.join(folder));
        let mut opened = Folder { disk, parent, path, name: name.into(), manifest: Manifest::default() };
        let manifest = opened.manifest_path();
        match opened.disk.read(&manifest) {
            Ok(text) => {
                let wrong = |fault| format!("{} is not a manifest: {fault}", manifest.display());
                opened.manifest = Manifest::parse(&text).map_err(wrong)?;
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(format!("cannot read {error}")),
        }
        Ok(opened)
    }

    /// Whether it is still there.
    pub fn is_there(&self) -> bool {
        self.path.is_dir()
    }

    /// The directory that it is in.
    pub fn parent(&self) -> &Path {
        &self.parent
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    fn manifest_path(&self) -> PathBuf {
        self.path.join(format!("{}.manifest", self.name))
    }

    pub fn path_of(&self, entry: &Entry) -> PathBuf {
        self.path.join(&entry.name)
    }

    /// Takes over a single file, as Redis had until version 6. True if there was one.
    pub fn take_over_single(&mut self) -> Result<bool, String> {
        let single = self.parent.join(&self.name);
        let failed = |error: io::Error| format!("cannot take over {}: {error}", single.display());
        // Also if the process ended after it wrote the manifest, and before it moved the file.
        let named = self.manifest.increments.is_empty()
            && self.manifest.base.as_ref().is_some_and(|base| base.name == self.name);
        let is_wanted = self.manifest.is_empty() || named;
        if !is_wanted || !self.disk.is_file(&single).map_err(failed)? {
            return Ok(false);
        }
        if named && self.disk.is_file(&self.path.join(&self.name)).map_err(failed)? {
            return Ok(false);
        }
        self.move_single(&single).map_err(failed)?;
        log(Level::Notice, format_args!("{} is now the base in {}", single.display(), self.path.display()));
        Ok(true)
    }

    fn move_single(&mut self, single: &Path) -> io::Result<()> {
        self.make()?;
        let mut manifest = Manifest::default();
        manifest.replace_base(Entry { name: self.name.clone(), seq: 1 }, 0);
        self.save(manifest)?;
        self.disk.rename(single, &self.path.join(&self.name))?;
        self.disk.sync_folder(&self.path)?;
        self.disk.sync_folder(&self.parent)
    }

    /// Sees to it that the folder is there, and that what a killed process left half done is not.
    pub fn make(&self) -> io::Result<()> {
        if !self.disk.is_folder(&self.path)? {
            self.disk.make_folder(&self.path)?;
            self.disk.sync_folder(&self.parent)?;
        }
        for entry in fs::read_dir(&self.path).map_err(named(&self.path))?.flatten() {
            let name = entry.file_name();
            if name.to_str().is_some_and(|name| name.starts_with("temp-") && name.contains(&self.name)) {
                // Best effort: nothing depends on it.
                let _ = self.disk.remove(&entry.path());
            }
        }
        Ok(())
    }

    /// Writes the manifest. If only the last step fails, the new one is in its place, but may be gone after a loss of
    /// power: neither the old one's files nor the new one's may be removed.
    fn save(&mut self, manifest: Manifest) -> io::Result<()> {
        let temporary = self.path.join(format!("temp-{}.manifest", self.name));
        self.disk.write_whole(&temporary, &manifest.to_text())?;
        self.disk.rename(&temporary, &self.manifest_path())?;
        self.manifest = manifest;
        self.disk.sync_folder(&self.path)
    }

    /// The last increment, opened to go on with it.
    pub fn open_last(&self) -> Option<io::Result<DiskFile>> {
        self.manifest.increments.last().map(|last| self.disk.open(&self.path_of(last), false))
    }

    /// Begins a new increment. On failure nothing may be written to it.
    pub fn begin_increment(&mut self) -> io::Result<DiskFile> {
        let mut manifest = self.manifest.clone();
        manifest.add_increment(format!("{}.{}.incr.aof", self.name, manifest.increment_seq + 1));
        let Some(added) = manifest.increments.last().cloned() else { unreachable!("it was added") };
        let file = self.disk.open(&self.path_of(&added), true)?;
        let saved = self.save(manifest);
        if saved.is_err() && self.manifest.increments.last() != Some(&added) {
            // Best effort: without a manifest that names it, it is not looked at.
            let _ = self.disk.remove(&self.path_of(&added));
        }
        saved.map(|()| file)
    }

    fn detached(&self) -> PathBuf {
        self.path.join(format!("temp-{}.incr", self.name))
    }

    /// Begins an increment that counts only when there is a base before it.
    pub fn begin_detached(&self) -> io::Result<DiskFile> {
        self.make()?;
        self.disk.open(&self.detached(), true)
    }

    /// Where the next base is written.
    pub fn temporary_base(&self) -> PathBuf {
        self.path.join(format!("temp-rewrite-{}", self.name))
    }

    /// Puts the base that has been written in place of all that came before the last increment; of everything, if
    /// nothing is written; and before the detached one, if that waits for it.
    pub fn replace_base(&mut self, is_rdb: bool, stage: Stage) -> io::Result<()> {
        let mut manifest = self.manifest.clone();
        let seq = manifest.base_seq + 1;
        let kind = if is_rdb { "rdb" } else { "aof" };
        let base = Entry { name: format!("{}.{seq}.base.{kind}", self.name), seq };
        let base_path = self.path_of(&base);
        manifest.replace_base(base.clone(), usize::from(stage == Stage::On));
        self.disk.rename(&self.temporary_base(), &base_path)?;
        let replaced = self.name_all(manifest, stage == Stage::WaitsForBase);
        if replaced.is_err() && self.manifest.base.as_ref() != Some(&base) {
            // Best effort, as it is not looked at.
            let _ = self.disk.remove(&base_path);
        }
        replaced
    }

    fn name_all(&mut self, mut manifest: Manifest, detached: bool) -> io::Result<()> {
        if detached {
            manifest.add_increment(format!("{}.{}.incr.aof", self.name, manifest.increment_seq + 1));
            if let Some(added) = manifest.increments.last() {
                self.disk.rename(&self.detached(), &self.path_of(added))?;
            }
        }
        // The names that the manifest is about to give must not be lost where the manifest is not.
        self.disk.sync_folder(&self.path)?;
        self.save(manifest)
    }

    /// Writes a first base, of a server that has nothing yet.
    pub fn begin_empty(&mut self, content: &[u8], is_rdb: bool) -> io::Result<()> {
        self.make()?;
        self.disk.write_whole(&self.temporary_base(), content)?;
        self.replace_base(is_rdb, Stage::Off)
    }

    /// Removes the files that are no longer needed, and then forgets them: if the process ends in between, the manifest
    /// still tells what to remove, and so it does of what cannot be removed. Their contents go when what is returned is
    /// dropped, which takes long for large ones.
    pub fn remove_history(&mut self) -> io::Result<Vec<File>> {
        if self.manifest.history.is_empty() {
            return Ok(Vec::new());
        }
        let mut manifest = self.manifest.clone();
        let (mut contents, mut removed) = (Vec::new(), Ok(()));
        manifest.history.retain(|entry| {
            let path = self.path_of(entry);
            contents.extend(File::open(&path).ok());
            match self.disk.remove(&path) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    removed = Err(error);
                    true
                }
                _ => false,
            }
        });
        self.save(manifest)?;
        removed.map(|()| contents)
    }

    /// The lengths of the base and of the increments.
    pub fn sizes(&self) -> io::Result<(u64, u64)> {
        let len = |entry: &Entry| self.disk.len(&self.path_of(entry));
        let base: io::Result<u64> = self.manifest.base.iter().map(len).sum();
        let increments: io::Result<u64> = self.manifest.increments.iter().map(len).sum();
        Ok((base?, increments?))
    }
}

#[cfg(test)]
#[path = "folder_tests.rs"]
mod tests;
