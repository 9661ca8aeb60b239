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
    /// The timeout in seconds that all checks are for; None if some client may have been noted for another one or not at
    /// all, so that all are to be noted.
    timeout: Option<u32>,
}

impl IdleClients {
    pub fn watch(&mut self, client: &Client, timeout: u32) {
        self.timeout = self.timeout.filter(|of_all| *of_all == timeout);
        if timeout > 0 {
            self.checks.push(Reverse((due(client, timeout), client.fd(), client.id)));
        }
    }

    /// Sees to it that those are noted that another list watches: with all others, since that is rare.
    pub fn take_over(&mut self, other: &mut IdleClients) {
        if !std::mem::take(&mut other.checks).is_empty() {
            self.timeout = None;
        }
    }

    /// The clients that have been idle for `timeout` seconds.
    pub fn due(&mut self, clients: &Clients, ticks: i64, timeout: u32) -> Vec<(RawFd, u64)> {
        if self.timeout != Some(timeout) {
            self.timeout = Some(timeout);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::acl::users::Users;

    /// Clients of tests have their ids as descriptors.
    fn add(clients: &mut Clients, last_active: i64) -> (RawFd, u64) {
        let id = clients.next_id();
        clients.add(Box::new(Client::new(id, None, Users::new().default_user(), last_active)));
        (id as RawFd, id)
    }

    #[test]
    fn clients_are_due_once_they_have_been_idle_for_as_long_as_they_may() {
        let (mut clients, mut idle) = (Clients::new(), IdleClients::default());
        let (one, other) = (add(&mut clients, 0), add(&mut clients, 0));
        assert_eq!(idle.due(&clients, 1999, 2), []);
        clients.iter_mut().for_each(|client| client.last_active = if client.id == other.1 { 500 } else { 0 });
        assert_eq!(idle.due(&clients, 2000, 2), [one]);
        assert_eq!(idle.due(&clients, 2499, 2), []);
        assert_eq!(idle.due(&clients, 2500, 2), [other]);
    }

    #[test]
    fn another_timeout_counts_for_those_who_are_there() {
        let (mut clients, mut idle) = (Clients::new(), IdleClients::default());
        let one = add(&mut clients, 0);
        assert_eq!(idle.due(&clients, 100, 10), []);
        assert_eq!(idle.due(&clients, 3000, 4), []);
        assert_eq!(idle.due(&clients, 10_000, 4), [one]);
        assert_eq!(idle.due(&clients, 10_000, 0), []);
    }

    /// It may change more than once before somebody looks.
    #[test]
    fn who_comes_while_there_is_another_timeout_is_due_as_well() {
        for meanwhile in [0, 1000] {
            let (mut clients, mut idle) = (Clients::new(), IdleClients::default());
            assert_eq!(idle.due(&clients, 0, 1), []);
            let one = add(&mut clients, 0);
            idle.watch(clients.iter().next().unwrap(), meanwhile);
            assert_eq!(idle.due(&clients, 999, 1), []);
            assert_eq!(idle.due(&clients, 1000, 1), [one]);
        }
    }

    #[test]
    fn who_no_longer_waits_may_be_idle_too_long_again() {
        let (mut clients, mut idle) = (Clients::new(), IdleClients::default());
        let one = add(&mut clients, 0);
        let watches = |clients: &mut Clients, on| clients.iter_mut().for_each(|client| client.monitors = on);
        watches(&mut clients, true);
        assert_eq!(idle.due(&clients, 1000, 1), []);
        watches(&mut clients, false);
        assert_eq!(idle.due(&clients, 2000, 1), [one]);
    }

    #[test]
    fn a_client_is_not_due_for_another_that_had_its_descriptor() {
        let (mut clients, mut idle) = (Clients::new(), IdleClients::default());
        add(&mut clients, 0);
        assert_eq!(idle.due(&clients, 100, 1), []);
        clients.iter_mut().for_each(|client| client.id = 7);
        assert_eq!(idle.due(&clients, 1000, 1), []);
    }
}
