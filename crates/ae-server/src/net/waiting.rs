//! Clients that wait for a key, and how long.

use super::state::Net;
use crate::command::call::end_overdue;
use crate::command::dispatch::serve_waiting;
use crate::log::{Level, log};
use ae::{EventLoop, Next};
use std::time::Duration;

impl Net {
    /// Ends waits that have lasted long enough, goes on with the clients that no longer wait, and sees to it that the loop
    /// wakes when the next wait ends.
    pub(super) fn end_waiting(&mut self, el: &EventLoop) {
        if self.next_end().is_some() {
            self.server.read_clock();
            end_overdue(&mut self.server);
            self.server.end_pause_in_time();
        }
        serve_waiting(&mut self.server);
        self.resume_unblocked();
        self.wake_for_timeout(el);
    }

    /// When the next wait ends, or the pause.
    fn next_end(&self) -> Option<i64> {
        self.server.timeouts.first().into_iter().chain(self.server.pause.end()).min()
    }

    fn wake_for_timeout(&mut self, el: &EventLoop) {
        let first = self.next_end();
        if self.wakes_at == first {
            return;
        }
        if let Some(timer) = self.waker.take() {
            el.cancel_timer(timer);
        }
        self.wakes_at = first;
        let Some(at) = first else { return };
        // What is due is dealt with before the loop sleeps again.
        let left = Duration::from_millis(u64::try_from(at - self.server.ticks).unwrap_or(0));
        match el.add_timer(left, |_| Next::Stop) {
            Ok(timer) => self.waker = Some(timer),
            Err(error) => log(Level::Warning, format_args!("cannot create a timer for waiting clients: {error}")),
        }
    }
}
