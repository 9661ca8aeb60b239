//! The snapshot and the loading that are under way.

use crate::persist::loader::Loader;
use crate::persist::sink::Sink;
use std::time::Instant;
use store::Keyspace;

/// What a snapshot is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// An RDB file: BGSAVE.
    File,
    /// The append-only file begins anew with it.
    Log,
    /// It goes to replicas.
    Replicas,
}

/// How a snapshot ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ended {
    /// All of it is where it belongs.
    Done,
    Failed(String),
    /// It was given up, since it is no longer wanted.
    Abandoned,
}

/// The snapshot under way.
pub struct Running<Done> {
    pub purpose: Purpose,
    pub started: Instant,
    pub(super) sink: Box<dyn Sink>,
    pub(super) done: Done,
    /// Everything is written, and the sink has it.
    pub(super) complete: bool,
    /// When the next slice may begin while there are requests.
    pub(super) next: Instant,
}

/// How something is loaded.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct LoadOptions {
    /// Keys whose time has come are taken, too: somebody will say when they go.
    pub keep_expired: bool,
    /// It is put aside until all of it is there, and what there is goes on being served. Otherwise the databases have
    /// to be empty.
    pub aside: bool,
    /// The server begins with it: if it tells the history of the data, that goes on.
    pub resumes: bool,
}

/// What was loaded.
#[derive(Debug, Default)]
pub struct LoadedFile {
    /// Names and values about the file.
    pub aux: Vec<(Vec<u8>, Vec<u8>)>,
    /// What a stream had behind it so far.
    pub rest: Vec<u8>,
}

/// What is being loaded.
pub struct Loading<Done> {
    pub(super) loader: Loader,
    pub(super) options: LoadOptions,
    pub(super) aside: Vec<Keyspace>,
    pub(super) done: Done,
    pub(super) file: LoadedFile,
    pub(super) functions: Vec<(u64, Vec<u8>)>,
    pub(super) expired: u64,
    pub(super) loaded: u64,
    pub started: Instant,
    pub(super) reported: Instant,
    /// For tests: when the next entry may be taken.
    pub(super) next: Instant,
}

impl<Done> Loading<Done> {
    /// How many bytes have been read, and how many there are in all if that is known.
    pub fn progress(&self) -> (u64, u64) {
        (self.loader.read(), self.loader.total)
    }

    /// How much memory the data had where the file was written, if it says so; else 0.
    pub fn used_memory(&self) -> u64 {
        let told = self.file.aux.iter().find(|(name, _)| name == b"used-mem");
        told.and_then(|(_, value)| str::from_utf8(value).ok()?.parse().ok()).unwrap_or(0)
    }

    pub fn is_aside(&self) -> bool {
        self.options.aside
    }
}
