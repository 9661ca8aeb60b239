//! Clients that wait for something to happen to a key, in the order in which they came.

use crate::clients::client::ClientRef;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::ops::Bound::{Excluded, Unbounded};

/// A key, with its database.
pub type Place = (usize, Box<[u8]>);

/// Who waits for which key, and which of these keys have changed.
#[derive(Default)]
pub struct Waiting {
    /// By database.
    keys: Vec<HashMap<Box<[u8]>, Queue>>,
    len: usize,
    /// The last turn given out.
    turn: u64,
    /// Keys that somebody waits for and that have changed, in that order and each once.
    ready: VecDeque<Place>,
}

/// Those who wait for one key.
#[derive(Default)]
struct Queue {
    /// By turn.
    clients: BTreeMap<u64, ClientRef>,
    /// The turns of those who have to know that the key is gone. Most wait on, and there may be many.
    mind_removal: BTreeSet<u64>,
    /// The key has changed.
    is_ready: bool,
}

impl Waiting {
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The turn of the next client that begins to wait: the same for all of its keys.
    pub fn next_turn(&mut self) -> u64 {
        self.turn += 1;
        self.turn
    }

    /// A client waits for a key from now on. It is named once, however often it does. `minds_removal`: it has to know as
    /// well that the key is gone.
    pub fn add(&mut self, db: usize, key: &[u8], turn: u64, client: ClientRef, minds_removal: bool) {
        if self.keys.len() <= db {
            self.keys.resize_with(db + 1, HashMap::new);
        }
        let queue = self.keys[db].entry(key.into()).or_insert_with(|| {
            self.len += 1;
            Queue::default()
        });
        queue.clients.insert(turn, client);
        if minds_removal {
            queue.mind_removal.insert(turn);
        }
    }

    /// The client with this turn no longer waits for a key.
    pub fn remove(&mut self, db: usize, key: &[u8], turn: u64) {
        let Some(keys) = self.keys.get_mut(db) else { return };
        let Some(queue) = keys.get_mut(key) else { return };
        queue.clients.remove(&turn);
        queue.mind_removal.remove(&turn);
        if queue.clients.is_empty() {
            keys.remove(key);
            self.len -= 1;
        }
    }

    /// A key has changed.
    pub fn changed(&mut self, db: usize, key: &[u8]) {
        let queue = self.keys.get_mut(db).and_then(|keys| keys.get_mut(key));
        if let Some(queue) = queue.filter(|queue| !queue.is_ready) {
            queue.is_ready = true;
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

    /// The next key that has changed.
    pub fn next_ready(&mut self) -> Option<Place> {
        let (db, key) = self.ready.pop_front()?;
        if let Some(queue) = self.keys.get_mut(db).and_then(|keys| keys.get_mut(&key)) {
            queue.is_ready = false;
        }
        Some((db, key))
    }

    /// The first client behind a turn that waits for a key, with its turn; if the key is gone, of those who mind.
    pub fn next_client(&self, db: usize, key: &[u8], turn: u64, gone: bool) -> Option<(u64, ClientRef)> {
        let queue = self.keys.get(db)?.get(key)?;
        let behind = (Excluded(turn), Unbounded);
        if gone {
            let turn = queue.mind_removal.range(behind).next()?;
            return queue.clients.get(turn).map(|client| (*turn, *client));
        }
        queue.clients.range(behind).next().map(|(turn, client)| (*turn, *client))
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
        for (turn, id) in [(1, 3), (2, 1), (3, 2), (2, 1)] {
            waiting.add(0, b"k", turn, client(id), id == 1);
        }
        waiting.changed(0, b"other");
        waiting.changed(1, b"k");
        assert!(!waiting.has_ready());
        waiting.changed(0, b"k");
        waiting.changed(0, b"k");
        assert_eq!(waiting.next_ready(), Some((0, b"k"[..].into())));
        let clients = |waiting: &Waiting, gone| -> Vec<ClientRef> {
            let next = |turn| waiting.next_client(0, b"k", turn, gone);
            std::iter::successors(next(0), |(turn, _)| next(*turn)).map(|(_, client)| client).collect()
        };
        assert_eq!(clients(&waiting, false), [client(3), client(1), client(2)]);
        assert_eq!(clients(&waiting, true), [client(1)]);
        assert!(waiting.next_ready().is_none());
        waiting.changed(0, b"k");
        for turn in [1, 2, 3] {
            waiting.remove(0, b"k", turn);
        }
        assert!(waiting.is_empty());
        assert!(waiting.next_ready().is_some());
        assert_eq!(clients(&waiting, false), []);
    }

    #[test]
    fn who_no_longer_waits_hides_nobody_from_a_removal() {
        let mut waiting = Waiting::default();
        waiting.add(0, b"k", 1, client(1), true);
        waiting.add(0, b"k", 2, client(2), true);
        waiting.remove(0, b"k", 1);
        assert_eq!(waiting.next_client(0, b"k", 0, true), Some((2, client(2))));
    }

    #[test]
    fn many_clients_and_many_keys() {
        let mut waiting = Waiting::default();
        for id in 0..100_000u64 {
            waiting.add(0, b"k", id, client(id), false);
            waiting.add(0, &id.to_le_bytes(), id, client(id), false);
        }
        // Each twice, and told once.
        for id in (0..100_000u64).chain(0..100_000) {
            waiting.changed(0, &id.to_le_bytes());
        }
        assert_eq!(std::iter::from_fn(|| waiting.next_ready()).count(), 100_000);
        for id in 0..100_000u64 {
            waiting.remove(0, b"k", id);
            waiting.remove(0, &id.to_le_bytes(), id);
        }
        assert!(waiting.is_empty());
    }
}
