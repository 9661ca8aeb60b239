//! Bytes on their way from the loop to a thread, which reads them as a file.

use super::waker::Waker;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};

/// Bytes that wait for the thread before no more are wanted.
const QUEUED_MAX: usize = 4 * 1024 * 1024;

/// The loop's end. The thread finds the end of the file when this is dropped.
pub struct Feed {
    pieces: Sender<Vec<u8>>,
    queued: Arc<AtomicUsize>,
}

/// The thread's end.
pub struct Pieces {
    pieces: Receiver<Vec<u8>>,
    current: Vec<u8>,
    at: usize,
    queued: Arc<AtomicUsize>,
    waker: Waker,
}

/// Both ends. The loop is woken when there is room again.
pub fn pieces(waker: Waker) -> (Feed, Pieces) {
    let (sender, pieces) = mpsc::channel();
    let queued = Arc::<AtomicUsize>::default();
    let feed = Feed { pieces: sender, queued: queued.clone() };
    (feed, Pieces { pieces, current: Vec::new(), at: 0, queued, waker })
}

impl Feed {
    /// How many more bytes are wanted now.
    pub fn room(&self) -> usize {
        QUEUED_MAX.saturating_sub(self.queued.load(Ordering::Acquire))
    }

    /// They go nowhere if the thread has ended, which tells why in its own way.
    pub fn send(&self, bytes: Vec<u8>) {
        self.queued.fetch_add(bytes.len(), Ordering::AcqRel);
        let _ = self.pieces.send(bytes);
    }
}

impl Pieces {
    /// What has been received and not been read, and where the rest comes from.
    pub fn into_rest(self) -> (Vec<u8>, Receiver<Vec<u8>>) {
        (self.current[self.at..].to_vec(), self.pieces)
    }
}

impl Read for Pieces {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        while self.at == self.current.len() {
            let Ok(piece) = self.pieces.recv() else { return Ok(0) };
            let before = self.queued.fetch_sub(piece.len(), Ordering::AcqRel);
            if before >= QUEUED_MAX / 2 && before - piece.len() < QUEUED_MAX / 2 {
                self.waker.wake();
            }
            (self.current, self.at) = (piece, 0);
        }
        let len = room.len().min(self.current.len() - self.at);
        room[..len].copy_from_slice(&self.current[self.at..self.at + len]);
        self.at += len;
        Ok(len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_too_fast_is_told() {
        let (feed, mut pieces) = pieces(Waker::default());
        feed.send(vec![1; QUEUED_MAX - 10]);
        assert_eq!(feed.room(), 10);
        feed.send(vec![2; 20]);
        assert_eq!(feed.room(), 0);
        pieces.read_exact(&mut vec![0; QUEUED_MAX - 10]).unwrap();
        assert_eq!(feed.room(), QUEUED_MAX - 20);
        drop(feed);
        let mut rest = Vec::new();
        pieces.read_to_end(&mut rest).unwrap();
        assert_eq!(rest, [2; 20]);
    }

    #[test]
    fn whoever_sent_too_fast_is_woken_when_half_of_it_is_read() {
        let (waker, mut listener) = Waker::new().unwrap();
        let (feed, mut pieces) = pieces(waker);
        let piece = vec![1; QUEUED_MAX / 4];
        (0..4).for_each(|_| feed.send(piece.clone()));
        assert_eq!(feed.room(), 0);
        let (told, woken) = mpsc::channel();
        let waits = std::thread::spawn(move || {
            listener.pipe.read_exact(&mut [0]).unwrap();
            told.send(()).unwrap();
        });
        let mut room = piece.clone();
        (0..2).for_each(|_| pieces.read_exact(&mut room).unwrap());
        assert!(woken.try_recv().is_err(), "half of it is still there");
        pieces.read_exact(&mut room).unwrap();
        woken.recv_timeout(testkit::PATIENCE).unwrap();
        waits.join().unwrap();
    }
}
