//! A copy of all data on its way to replicas.

use crate::persist::sink::Sink;
use std::cell::RefCell;
use std::fs::File;
use std::path::Path;
use std::rc::Rc;

/// How much of a copy may wait for the slowest of the replicas that get it.
pub const AHEAD_MAX: usize = 4 * 1024 * 1024;

/// A new file whose name goes at once, so that nothing is left of it whatever happens.
pub fn nameless_file(path: &Path) -> std::io::Result<File> {
    let file = File::options().read(true).write(true).create_new(true).open(path)?;
    std::fs::remove_file(path)?;
    Ok(file)
}

/// Where a snapshot's bytes wait until the replicas are given them.
#[derive(Default)]
pub struct Pieces {
    pub waiting: Vec<Vec<u8>>,
    /// How many more bytes are wanted.
    pub room: usize,
    /// There are no more.
    pub finished: bool,
    /// Why it cannot go on.
    pub failed: Option<String>,
}

/// The snapshot's end of them.
pub struct PieceSink(pub Rc<RefCell<Pieces>>);

impl Sink for PieceSink {
    fn room(&self) -> usize {
        self.0.borrow().room
    }

    fn write(&mut self, bytes: Vec<u8>) {
        let mut pieces = self.0.borrow_mut();
        pieces.room = pieces.room.saturating_sub(bytes.len());
        pieces.waiting.push(bytes);
    }

    fn finish(&mut self) {
        self.0.borrow_mut().finished = true;
    }

    fn outcome(&mut self) -> Option<Result<(), String>> {
        let pieces = self.0.borrow();
        match &pieces.failed {
            Some(error) => Some(Err(error.clone())),
            None => (pieces.finished && pieces.waiting.is_empty()).then_some(Ok(())),
        }
    }
}

/// A copy that is being made.
pub struct FullCopy {
    pub pieces: Rc<RefCell<Pieces>>,
    /// What ends it for replicas that do not know its length.
    pub mark: String,
    /// Where it is kept for replicas that have to know its length first, and how much of it there is.
    pub file: Option<Rc<File>>,
    pub file_len: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_waits_for_room_and_ends_when_all_is_taken() {
        let pieces = Rc::new(RefCell::new(Pieces { room: 10, ..Pieces::default() }));
        let mut sink = PieceSink(pieces.clone());
        sink.write(b"12345678".to_vec());
        assert_eq!(sink.room(), 2);
        sink.write(b"12345678".to_vec());
        assert_eq!(sink.room(), 0);
        sink.finish();
        assert_eq!(sink.outcome(), None);
        assert_eq!(std::mem::take(&mut pieces.borrow_mut().waiting).concat().len(), 16);
        assert_eq!(sink.outcome(), Some(Ok(())));
        pieces.borrow_mut().failed = Some("why".into());
        assert_eq!(sink.outcome(), Some(Err("why".into())));
    }
}
