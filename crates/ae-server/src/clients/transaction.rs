//! What a client wants to have done at once.

use crate::command::spec::Spec;
use resp::OwnedArgs;

/// The requests between MULTI and EXEC.
#[derive(Default)]
pub struct Transaction {
    pub queue: Vec<(&'static Spec, OwnedArgs)>,
    /// A request could not be queued, so that EXEC must not do the others.
    pub failed: bool,
}

/// A key that a transaction depends on.
pub struct WatchedKey {
    pub db: usize,
    pub key: Box<[u8]>,
    /// Its version when it was first watched.
    pub version: u64,
}
