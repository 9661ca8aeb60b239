//! Ctrl-C as an event.

use ae::{EventLoop, Interest, Next};
use signal_hook::consts::SIGINT;
use signal_hook::low_level::pipe;
use std::cell::Cell;
use std::io::{self, PipeReader, Read};
use std::os::fd::{AsRawFd, RawFd};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// What SIGINT does instead of ending the process: whoever waits for a reply learns of it.
#[derive(Clone)]
pub struct Interrupts {
    seen: Arc<AtomicBool>,
    reader: Rc<PipeReader>,
}

impl Interrupts {
    /// From now on.
    pub fn watch() -> io::Result<Interrupts> {
        let seen = Arc::new(AtomicBool::new(false));
        signal_hook::flag::register(SIGINT, seen.clone())?;
        let (reader, writer) = io::pipe()?;
        pipe::register(SIGINT, writer)?;
        Ok(Interrupts { seen, reader: Rc::new(reader) })
    }

    /// Whether there was one since the last time.
    pub fn take(&self) -> bool {
        self.seen.swap(false, Ordering::Relaxed)
    }

    /// Waits so long, or until there is one; whether there was.
    pub fn wait(&self, time: Duration) -> io::Result<bool> {
        let el = EventLoop::new(64)?;
        let watched = self.clone();
        el.watch(self.fd(), Interest::READABLE, move |_, _| watched.drain())?;
        let late = Rc::new(Cell::new(false));
        let told = late.clone();
        el.add_timer(time, move |_| {
            told.set(true);
            Next::Stop
        })?;
        loop {
            if self.take() {
                return Ok(true);
            }
            if late.get() {
                return Ok(false);
            }
            el.run_once(true)?;
        }
    }

    /// Readable when there is one.
    pub(super) fn fd(&self) -> RawFd {
        self.reader.as_raw_fd()
    }

    /// Only to empty the pipe; what was written says nothing.
    pub(super) fn drain(&self) {
        let _ = (&*self.reader).read(&mut [0; 64]);
    }
}
