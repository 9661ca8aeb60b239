//! When clients have waited long enough.

use crate::clients::client::ClientRef;
use std::collections::BTreeSet;

/// Clients that wait, by when that ends (in the server's ticks).
#[derive(Default)]
pub struct Timeouts {
    clients: BTreeSet<(i64, ClientRef)>,
}

impl Timeouts {
    /// How many clients there are that do not wait forever.
    pub fn len(&self) -> usize {
        self.clients.len()
    }

    pub fn add(&mut self, at: i64, client: ClientRef) {
        self.clients.insert((at, client));
    }

    pub fn remove(&mut self, at: i64, client: ClientRef) {
        self.clients.remove(&(at, client));
    }

    /// When the first one ends.
    pub fn first(&self) -> Option<i64> {
        self.clients.first().map(|(at, _)| *at)
    }

    /// Takes a client out that has waited long enough.
    pub fn take_due(&mut self, ticks: i64) -> Option<ClientRef> {
        let (at, client) = self.clients.first().copied().filter(|(at, _)| *at <= ticks)?;
        self.clients.remove(&(at, client));
        Some(client)
    }
}
