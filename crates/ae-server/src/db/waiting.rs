//! Clients that wait for something to happen to a key, in the order in which they came.

use crate::clients::client::ClientRef;
use std::collections::{HashMap, VecDeque};

/// A key, with its database.
pub type Place = (usize, Box<[u8]>);

/// Who waits for which key, and which of these keys have changed.
#[derive(Default)]
pub struct Waiting {
    /// By database.
    keys: Vec<HashMap<Box<[u8]>, VecDeque<ClientRef>>>,
    len: usize,
    /// Keys that somebody waits for and that have changed, in that order and each once.
    ready: VecDeque<Place>,
}

impl Waiting {
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// A client waits for a key from now on. It is named once, however often it does.
    pub fn add(&mut self, db: usize, key: &[u8], client: ClientRef) {
        if self.keys.len() <= db {
            self.keys.resize_with(db + 1, HashMap::new);
        }
        let clients = self.keys[db].entry(key.into()).or_insert_with(|| {
            self.len += 1;
            VecDeque::new()
        });
        if !clients.contains(&client) {
            clients.push_back(client);
        }
    }

    /// A client no longer waits for a key.
    pub fn remove(&mut self, db: usize, key: &[u8], client: ClientRef) {
        let Some(keys) = self.keys.get_mut(db) else { return };
        let Some(clients) = keys.get_mut(key) else { return };
        clients.retain(|other| *other != client);
        if clients.is_empty() {
            keys.remove(key);
            self.len -= 1;
        }
    }

    /// A key has changed.
    pub fn changed(&mut self, db: usize, key: &[u8]) {
        let waited_for = self.keys.get(db).is_some_and(|keys| keys.contains_key(key));
        if waited_for && !self.ready.iter().any(|(other_db, other)| *other_db == db && **other == *key) {
            self.ready.push_back((db, key.into()));
        }
    }

    /// The keys of a database that somebody waits for.
    pub fn keys(&self, db: usize) -> impl Iterator<Item = &[u8]> {
        self.keys.get(db).into_iter().flat_map(|keys| keys.keys().map(|key| &**key))
    }

    pub fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// The next key that has changed, with those who wait for it.
    pub fn next_ready(&mut self) -> Option<(Place, Vec<ClientRef>)> {
        let (db, key) = self.ready.pop_front()?;
        let clients = self.keys.get(db).and_then(|keys| keys.get(&key));
        let clients = clients.map(|clients| clients.iter().copied().collect()).unwrap_or_default();
        Some(((db, key), clients))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn client(id: u64) -> ClientRef {
        ClientRef { fd: id as i32, id }
    }

    #[test]
    fn in_order_and_once() {
        let mut waiting = Waiting::default();
        for id in [3, 1, 2, 1] {
            waiting.add(0, b"k", client(id));
        }
        waiting.changed(0, b"other");
        waiting.changed(1, b"k");
        assert!(!waiting.has_ready());
        waiting.changed(0, b"k");
        waiting.changed(0, b"k");
        let (place, clients) = waiting.next_ready().unwrap();
        assert_eq!((place.0, &*place.1), (0, &b"k"[..]));
        assert_eq!(clients, [client(3), client(1), client(2)]);
        assert!(waiting.next_ready().is_none());
        for id in [1, 2, 3] {
            waiting.remove(0, b"k", client(id));
        }
        assert!(waiting.is_empty());
    }
}
