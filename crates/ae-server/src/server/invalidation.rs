//! Telling clients that their copies of values are no longer right.

use super::state::Server;
use crate::clients::client::{Client, ClientRef};
use crate::clients::tracking::TrackingMode;
use resp::{Protocol, writer};

/// The channel on which a client that speaks RESP2 is told.
const CHANNEL: &[u8] = b"__redis__:invalidate";
/// Keys that are forgotten at a time because there are too many.
const KEYS_FORGOTTEN: usize = 100;

impl Server {
    /// The client tracks in this way from now on, with the prefixes that it has asked for before as well.
    pub fn start_tracking(&mut self, client: &mut Client, mut mode: TrackingMode) {
        self.tracking.start(client.reference(), &mode.prefixes);
        let before = client.tracking.take().unwrap_or_default();
        let new = std::mem::replace(&mut mode.prefixes, before.prefixes);
        mode.prefix_memory = before.prefix_memory;
        mode.caching = before.caching;
        for prefix in new {
            let memory = size_of::<Box<[u8]>>() + prefix.len();
            mode.prefix_memory += if mode.prefixes.insert(prefix) { memory } else { 0 };
        }
        client.tracking = Some(Box::new(mode));
        self.databases.observers.set_tracking(true);
    }

    pub fn stop_tracking(&mut self, client: &mut Client) {
        if let Some(mode) = client.tracking.take() {
            self.tracking.stop(client.reference(), &mode.prefixes);
            self.note_use_of_tracking();
        }
    }

    /// Without clients that track and keys that they have read, no change matters.
    fn note_use_of_tracking(&mut self) {
        self.databases.observers.set_tracking(!self.tracking.is_empty());
    }

    /// Finds out who has to be told of the keys that have changed since the last time, by a request of `current`: those
    /// that had read them by now. They are told later, so that no reply is interrupted.
    pub fn note_invalidated(&mut self, current: Option<&Client>) {
        let invalidated = std::mem::take(&mut self.databases.observers.invalidated);
        let author = current.map(Client::reference);
        if invalidated.all {
            self.tracking.forget_all();
            let clients: Vec<ClientRef> = self.tracking.clients().collect();
            self.invalidations.extend(clients.into_iter().map(|client| (client, None)));
        }
        for (key, by_request) in invalidated.keys {
            let by = author.filter(|_| by_request);
            for client in self.tracking.forget(&key) {
                if self.wants_to_know(client, current, false, by) {
                    self.invalidations.push((client, Some(key.clone())));
                }
            }
            self.tracking.note_prefixes(&key, by);
        }
        self.note_use_of_tracking();
    }

    /// Tells of the keys that have changed since the last time.
    pub fn tell_invalidated(&mut self, mut current: Option<&mut Client>) {
        self.note_invalidated(current.as_deref());
        for (client, key) in std::mem::take(&mut self.invalidations) {
            match key {
                Some(key) => self.tell_client(client, current.as_deref_mut(), Some(&[&key])),
                None => self.tell_client(client, current.as_deref_mut(), None),
            }
        }
    }

    /// The same for all clients but the current one.
    pub fn tell_others_invalidated(&mut self, current: &mut Client) {
        let own = |(client, _): &(ClientRef, _)| {
            let tracker = self.clients.get(client.fd).filter(|tracker| tracker.id == client.id);
            let redirect = tracker.and_then(|tracker| tracker.tracking.as_ref()?.redirect);
            *client == current.reference() || redirect == Some(current.id)
        };
        let (own, others) = std::mem::take(&mut self.invalidations).into_iter().partition(own);
        self.invalidations = others;
        self.tell_invalidated(Some(current));
        self.invalidations = own;
    }

    /// Forgets keys beyond `tracking-table-max-keys`, as if they had changed: some, before each request and in the
    /// cron.
    pub fn shrink_tracking(&mut self, current: Option<&Client>) {
        for _ in 0..KEYS_FORGOTTEN {
            let Some(key) = self.tracking.excess(self.config.tracking_max_keys as usize) else { return };
            for client in self.tracking.forget(&key) {
                if self.wants_to_know(client, current, false, None) {
                    self.invalidations.push((client, Some(key.clone())));
                }
            }
        }
    }

    /// Tells of the keys with certain prefixes that have changed since the last time.
    pub fn tell_broadcasts(&mut self) {
        for broadcast in self.tracking.take_broadcasts() {
            for client in broadcast.clients {
                let changed = broadcast.changed.iter();
                let wanted = changed.filter(|(_, by)| self.wants_to_know(client, None, true, *by));
                let keys: Vec<&[u8]> = wanted.map(|(key, _)| &**key).collect();
                if !keys.is_empty() {
                    self.tell_client(client, None, Some(&keys));
                }
            }
        }
    }

    /// Whether a client is told of a change that a request of `by` made, of a key that it has read or (`broadcast`) one
    /// with its prefix. It may have read the key before it began to ask for prefixes.
    fn wants_to_know(
        &self,
        client: ClientRef,
        current: Option<&Client>,
        broadcast: bool,
        by: Option<ClientRef>,
    ) -> bool {
        let is_current = current.filter(|current| current.reference() == client);
        // One that is not here runs the request that another one was served for, or has gone.
        let Some(found) = is_current.or_else(|| self.clients.get(client.fd)) else { return true };
        let mode = found.tracking.as_ref().filter(|_| found.id == client.id);
        mode.is_some_and(|mode| mode.broadcast == broadcast && !(mode.no_loop && by == Some(client)))
    }

    /// Tells a client, or the one that it named for that. No keys are all keys.
    fn tell_client(&mut self, client: ClientRef, mut current: Option<&mut Client>, keys: Option<&[&[u8]]>) {
        let mut found = find(self, client, current.as_deref_mut());
        let Some(tracker) = &mut found else { return };
        let Some(mode) = &mut tracker.tracking else { return };
        let Some(redirect) = mode.redirect else {
            // Without a redirection only RESP3 has a form for it.
            if tracker.protocol == Protocol::Resp3 {
                write_invalidation(tracker, keys);
                self.clients.wants_to_send(client);
            }
            return;
        };
        let target = self.reference_of(redirect, current.as_deref());
        if let Some(target) = target {
            let Some(receiver) = find(self, target, current) else { return };
            if receiver.protocol == Protocol::Resp3 || receiver.subscriptions.is_some() {
                write_invalidation(receiver, keys);
                self.clients.wants_to_send(target);
            }
        } else if let Some(tracker) = find(self, client, current) {
            tell_broken(tracker, redirect);
            self.clients.wants_to_send(client);
        }
    }

    /// The client with an id.
    pub fn reference_of(&self, id: u64, current: Option<&Client>) -> Option<ClientRef> {
        let found = current.into_iter().chain(self.clients.iter()).find(|client| client.id == id);
        found.map(Client::reference)
    }
}

fn find<'a>(server: &'a mut Server, client: ClientRef, current: Option<&'a mut Client>) -> Option<&'a mut Client> {
    match current {
        Some(current) if current.reference() == client => Some(current),
        _ => server.clients.get_same(client),
    }
}

fn write_invalidation(client: &mut Client, keys: Option<&[&[u8]]>) {
    let mut reply = client.reply();
    match reply.protocol() {
        Protocol::Resp3 => {
            reply.push(2);
            reply.bulk("invalidate");
        }
        Protocol::Resp2 => {
            reply.array(3);
            reply.bulk("message");
            reply.bulk(CHANNEL);
        }
    }
    match keys {
        Some(keys) => reply.strings(keys),
        None => reply.null(),
    }
}

/// The client that is told in its place has gone.
fn tell_broken(client: &mut Client, redirect: u64) {
    if let Some(mode) = &mut client.tracking {
        mode.broken = true;
    }
    if client.protocol == Protocol::Resp3 {
        let out = client.output.open();
        writer::push(out, Protocol::Resp3, 2);
        writer::bulk(out, b"tracking-redir-broken");
        writer::integer(out, redirect as i64);
    }
}
