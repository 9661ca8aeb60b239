//! The script that runs.

use crate::stopwatch::Reading;
use smallvec::SmallVec;

/// What is known of a running script.
pub struct Running {
    pub is_function: bool,
    /// The function's name, or the script's SHA-1.
    pub name: SmallVec<[u8; 40]>,
    /// The request that called it, as soon as it is slow.
    pub request: Vec<Vec<u8>>,
    pub started: Reading,
    /// It has taken so long that others are served meanwhile, with errors.
    pub is_slow: bool,
    /// It has changed something, so that it can no longer be stopped.
    pub has_written: bool,
    /// Somebody wants it to end.
    pub killed: bool,
    /// It came from the primary or the append-only file.
    pub is_ordered: bool,
    /// One of its commands runs.
    pub calls: bool,
}

impl Running {
    pub fn new(is_function: bool, name: &[u8], started: Reading) -> Running {
        Running {
            is_function,
            name: name.into(),
            request: Vec::new(),
            started,
            is_slow: false,
            has_written: false,
            killed: false,
            is_ordered: false,
            calls: false,
        }
    }
}
