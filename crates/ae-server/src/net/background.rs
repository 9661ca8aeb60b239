//! What goes on beside requests: snapshots and loading.

use super::state::Net;
use crate::log::{Level, log};
use crate::persist::waker::Waker;
use ae::{EventLoop, Interest};
use std::cell::RefCell;
use std::os::fd::AsRawFd;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// After a request others are expected for so long.
const ACTIVE_FOR: Duration = Duration::from_millis(1);

/// Has threads wake the loop.
pub fn listen_to_threads(el: &EventLoop, net: &Rc<RefCell<Net>>) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("cannot create a pipe for threads: {error}");
    let (waker, listener) = Waker::new().map_err(failed)?;
    // What they want is seen to before the loop sleeps again.
    el.watch(listener.pipe.as_raw_fd(), Interest::READABLE, move |_, _| listener.heard()).map_err(failed)?;
    net.borrow_mut().server.waker = waker;
    Ok(())
}

impl Net {
    /// Goes on with what is under way, for a bounded time. True if it wants to go on at once.
    pub(super) fn advance_background(&mut self, el: &EventLoop) -> bool {
        let loading = (self.server.loading.is_some() && self.server.advance_loading()) || self.advance_replay();
        let saving = self.server.snapshot.is_some() && {
            if self.active {
                self.last_request = Instant::now();
            }
            let active = self.last_request.elapsed() < ACTIVE_FOR;
            self.server.advance_snapshot(active)
        };
        if let Some(failure) = &self.server.failure {
            log(Level::Warning, format_args!("{failure}"));
            el.stop();
        }
        loading || saving
    }
}
