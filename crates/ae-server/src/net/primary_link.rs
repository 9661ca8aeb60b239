//! A connection with the server's own primary, before the stream.

use crate::replication::handshake::Handshake;
use crate::replication::transfer::Transfer;
use ae::{Connection, Handler};
use std::cell::Cell;
use std::fs::{self, File};
use std::io;
use std::path::PathBuf;
use std::rc::Rc;

/// A connection with the primary that does not bring the stream yet.
pub struct PrimaryLink {
    /// Which of the server's links it belongs to.
    pub number: u64,
    pub conn: Connection,
    /// How connecting went, if that was known while a script ran.
    pub connected: Rc<Cell<Option<io::Result<()>>>>,
    pub stage: Stage,
    /// What has arrived of a line.
    pub line: Vec<u8>,
    /// Reads from it; not in place while there is no room for more.
    pub reader: Option<Handler>,
    pub reads: bool,
    /// There while data are loaded from it: whether aside, so that the old ones are still served.
    pub loads_aside: Option<bool>,
}

pub enum Stage {
    Connecting,
    Handshake(Handshake),
    Transfer {
        transfer: Transfer,
        into: Arriving,
        history: Option<(String, u64)>,
    },
    /// All of the copy has arrived; these bytes come behind it.
    Loading {
        history: Option<(String, u64)>,
        rest: Vec<u8>,
    },
    Over,
}

/// Where the copy goes while it arrives.
pub enum Arriving {
    File(File, TemporaryFile),
    /// It is loaded at once.
    Loader,
}

/// A file that goes when this is dropped.
pub struct TemporaryFile(pub PathBuf);

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        // It may have gone already.
        let _ = fs::remove_file(&self.0);
    }
}
