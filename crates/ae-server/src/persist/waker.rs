//! How threads tell the loop that there is something for it to look at.

use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Wakes the loop. One that nobody listens to does nothing.
#[derive(Clone, Default)]
pub struct Waker(Option<Arc<Bell>>);

struct Bell {
    pipe: PipeWriter,
    /// It has been rung and not been heard yet, so that there is never more than one byte in the pipe.
    rung: AtomicBool,
}

/// The loop's end.
pub struct Listener {
    pub pipe: PipeReader,
    bell: Arc<Bell>,
}

impl Waker {
    pub fn new() -> io::Result<(Waker, Listener)> {
        let (reader, writer) = io::pipe()?;
        let bell = Arc::new(Bell { pipe: writer, rung: AtomicBool::new(false) });
        Ok((Waker(Some(bell.clone())), Listener { pipe: reader, bell }))
    }

    pub fn wake(&self) {
        if let Some(bell) = &self.0
            && !bell.rung.swap(true, Ordering::AcqRel)
        {
            // It fails only when the loop has gone.
            let _ = (&bell.pipe).write(&[0]);
        }
    }
}

impl Listener {
    /// The bell was heard. What was done before it rang can be seen afterwards.
    pub fn heard(&self) {
        let _ = (&self.pipe).read(&mut [0]);
        self.bell.rung.store(false, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::Waker;
    use std::sync::mpsc;

    #[test]
    fn it_can_be_rung_again_when_it_has_been_heard() {
        let (waker, listener) = Waker::new().unwrap();
        let (tell, heard) = mpsc::channel();
        std::thread::spawn(move || {
            for _ in 0..2 {
                listener.heard();
                tell.send(()).unwrap();
            }
        });
        for _ in 0..2 {
            waker.wake();
            waker.wake();
            heard.recv_timeout(testkit::PATIENCE).unwrap();
        }
    }
}
