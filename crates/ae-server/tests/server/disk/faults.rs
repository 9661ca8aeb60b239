//! What is to fail on a server's disk.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use tempfile::TempDir;

/// Numbers of errors: input or output, no space left, no permission.
const EIO: u32 = 5;
const ENOSPC: u32 = 28;
const EACCES: u32 = 13;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    Io,
    NoSpace,
    /// A write takes half of its bytes, and then there is no space left.
    Half,
    /// Nothing may be read or written.
    NoPermission,
}

pub const FAULTS: [Fault; 4] = [Fault::Io, Fault::NoSpace, Fault::Half, Fault::NoPermission];
/// Failures of so many operations in a row do not end before the disk is healed.
pub const FOREVER: u32 = 1 << 30;

/// A folder whose files can fail.
pub struct Disk {
    pub folder: TempDir,
    /// Where `fail.c` looks.
    control: File,
    path: PathBuf,
    library: &'static Path,
}

/// The number of a field of `struct control`.
#[derive(Clone, Copy)]
enum Field {
    First,
    End,
    Error,
    Begun,
    Failed,
}

impl Disk {
    /// None if there is no C compiler, which fails the test where every tool has to be there.
    pub fn new() -> Option<Disk> {
        let library = library()?;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("control");
        let control = OpenOptions::new().read(true).write(true).create_new(true).open(&path).unwrap();
        control.set_len(4096).unwrap();
        std::fs::create_dir(folder.path().join("data")).unwrap();
        Some(Disk { folder, control, path, library })
    }

    /// Where the files are that can fail.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Has a program's files fail.
    pub fn attach(&self, command: &mut Command) {
        command.env("LD_PRELOAD", self.library).env("FAIL_CONTROL", &self.path).env("FAIL_UNDER", self.data());
    }

    fn set(&self, field: Field, number: u32) {
        self.control.write_all_at(&number.to_ne_bytes(), field as u64 * 4).unwrap();
    }

    fn get(&self, field: Field) -> u32 {
        let mut bytes = [0; 4];
        self.control.read_exact_at(&mut bytes, field as u64 * 4).unwrap();
        u32::from_ne_bytes(bytes)
    }

    /// Of the operations from now on, the one with this number fails, and those behind it, so many in all.
    pub fn fail(&self, fault: Fault, number: u32, count: u32) {
        self.set(Field::Error, [EIO, ENOSPC, 0, EACCES][fault as usize]);
        let first = self.get(Field::Begun) + number;
        self.set(Field::First, first);
        self.set(Field::Failed, 0);
        self.set(Field::End, first.saturating_add(count));
    }

    /// Nothing fails any more. Returns how many operations have.
    pub fn heal(&self) -> u32 {
        self.set(Field::End, 0);
        self.get(Field::Failed)
    }

    /// How many operations there have been.
    pub fn begun(&self) -> u32 {
        self.get(Field::Begun)
    }
}

/// `fail.c` as a shared library, made once.
fn library() -> Option<&'static Path> {
    static MADE: OnceLock<Option<(TempDir, PathBuf)>> = OnceLock::new();
    let made = MADE.get_or_init(|| {
        if Command::new("cc").arg("--version").output().is_err() {
            assert!(std::env::var_os("LIBAE_ALL_TOOLS").is_none(), "there is no C compiler");
            eprintln!("not tested: there is no C compiler");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let (source, library) = (folder.path().join("fail.c"), folder.path().join("fail.so"));
        std::fs::write(&source, include_str!("fail.c")).unwrap();
        let options = ["-Wall", "-Wextra", "-Werror", "-O1", "-shared", "-fPIC", "-o"];
        let made = Command::new("cc").args(options).arg(&library).arg(&source).arg("-ldl").status().unwrap();
        assert!(made.success());
        Some((folder, library))
    });
    made.as_ref().map(|(_, library)| library.as_path())
}
