//! Closing clients that have been idle for too long, without looking at all of them each time.

use crate::clients::client::Client;
use crate::clients::table::Clients;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::os::fd::RawFd;

/// Each client is noted once, for the time when it will have been idle too long if nothing happens. If it turns out
/// then that something did happen, it is noted anew; the traffic itself costs nothing here.
#[derive(Default)]
pub struct IdleClients {
    /// When to look (in the server's ticks), at whom.
    checks: BinaryHeap<Reverse<(i64, RawFd, u64)>>,
    /// The timeout that the checks are for, in seconds.
    timeout: u32,
}

impl IdleClients {
    pub fn watch(&mut self, client: &Client, timeout: u32) {
        if timeout > 0 {
            self.checks.push(Reverse((due(client, timeout), client.fd(), client.id)));
        }
    }

    /// Takes over those that another list watches.
    pub fn append(&mut self, other: &mut IdleClients) {
        self.checks.append(&mut other.checks);
    }

    /// The clients that have been idle for `timeout` seconds.
    pub fn due(&mut self, clients: &Clients, ticks: i64, timeout: u32) -> Vec<(RawFd, u64)> {
        if timeout != self.timeout {
            self.timeout = timeout;
            self.checks.clear();
            clients.iter().for_each(|client| self.watch(client, timeout));
        }
        let mut found = Vec::new();
        while let Some(&Reverse((at, fd, id))) = self.checks.peek()
            && at <= ticks
        {
            self.checks.pop();
            // The client may have gone, and another have its descriptor.
            if let Some(client) = clients.get(fd).filter(|client| client.id == id) {
                if client.may_be_idle() {
                    self.checks.push(Reverse((ticks + i64::from(timeout) * 1000, fd, id)));
                } else if due(client, timeout) <= ticks {
                    found.push((fd, id));
                } else {
                    self.watch(client, timeout);
                }
            }
        }
        found
    }
}

fn due(client: &Client, timeout: u32) -> i64 {
    client.last_active.saturating_add(i64::from(timeout) * 1000)
}
