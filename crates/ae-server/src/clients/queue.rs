//! Clients with replies to be written before the loop sleeps.

use super::client::Client;
use std::os::fd::RawFd;

/// Descriptors of clients.
#[derive(Default)]
pub struct Queue {
    /// If a client has gone, its descriptor may be another's, to whom an early write does no harm.
    fds: Vec<RawFd>,
}

impl Queue {
    /// Adds a client, unless it is in the queue.
    pub fn add(&mut self, client: &mut Client) {
        if !client.queued {
            client.queued = true;
            self.fds.push(client.fd());
        }
    }

    /// By index, because writing to a client may add others.
    pub fn get(&self, index: usize) -> Option<RawFd> {
        self.fds.get(index).copied()
    }

    pub fn clear(&mut self) {
        self.fds.clear();
    }
}
