//! Who may have a copy of which key.

use crate::clients::client::ClientRef;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound::{Excluded, Included, Unbounded};

/// Keys that clients have read, and prefixes that they are told of.
#[derive(Default)]
pub struct TrackingTable {
    keys: HashMap<Box<[u8]>, BTreeSet<ClientRef>>,
    /// How many clients all keys have together.
    items: usize,
    prefixes: BTreeMap<Box<[u8]>, Prefix>,
    /// Those of which there is something to be told.
    changed: BTreeSet<Box<[u8]>>,
    /// The clients that track, in either way.
    clients: BTreeSet<ClientRef>,
}

#[derive(Default)]
struct Prefix {
    clients: BTreeSet<ClientRef>,
    /// Keys that have changed, each with who changed it last.
    changed: BTreeMap<Box<[u8]>, Option<ClientRef>>,
}

/// What the clients of one prefix are to be told.
pub struct Broadcast {
    pub clients: Vec<ClientRef>,
    pub changed: Vec<(Box<[u8]>, Option<ClientRef>)>,
}

impl TrackingTable {
    /// A client tracks from now on.
    pub fn start(&mut self, client: ClientRef, prefixes: &BTreeSet<Box<[u8]>>) {
        self.clients.insert(client);
        for prefix in prefixes {
            self.prefixes.entry(prefix.clone()).or_default().clients.insert(client);
        }
    }

    /// A client no longer tracks. The keys that it has read are forgotten when they change, also if nobody tracks then.
    pub fn stop(&mut self, client: ClientRef, prefixes: &BTreeSet<Box<[u8]>>) {
        self.clients.remove(&client);
        for prefix in prefixes {
            if let Some(found) = self.prefixes.get_mut(prefix) {
                found.clients.remove(&client);
                if found.clients.is_empty() {
                    self.prefixes.remove(prefix);
                }
            }
        }
    }

    /// Whether no client tracks and no key is left of one that did.
    pub fn is_empty(&self) -> bool {
        self.clients.is_empty() && self.keys.is_empty()
    }

    /// The clients that track.
    pub fn clients(&self) -> impl ExactSizeIterator<Item = ClientRef> {
        self.clients.iter().copied()
    }

    /// A client has read a key.
    pub fn remember(&mut self, key: &[u8], client: ClientRef) {
        let clients = match self.keys.get_mut(key) {
            Some(clients) => clients,
            None => self.keys.entry(key.into()).or_default(),
        };
        self.items += usize::from(clients.insert(client));
    }

    /// The clients that have read a key, which is forgotten.
    pub fn forget(&mut self, key: &[u8]) -> BTreeSet<ClientRef> {
        let clients = self.keys.remove(key).unwrap_or_default();
        self.items -= clients.len();
        clients
    }

    /// All keys are forgotten.
    pub fn forget_all(&mut self) {
        self.keys.clear();
        self.items = 0;
    }

    /// Some key, if there are more than `max` and a client tracks.
    pub fn excess(&self, max: usize) -> Option<Box<[u8]>> {
        if max == 0 || self.keys.len() <= max || self.clients.is_empty() {
            None
        } else {
            self.keys.keys().next().cloned()
        }
    }

    /// A key has changed, by a request of `by`: its prefixes' clients are to be told.
    pub fn note_prefixes(&mut self, key: &[u8], by: Option<ClientRef>) {
        // From the longest on: what stands behind none of the key's beginnings is not looked at. A client may have
        // asked for a million prefixes.
        let mut end = Included(key);
        while let Some((prefix, found)) = self.prefixes.range_mut::<[u8], _>((Unbounded, end)).next_back() {
            if key.starts_with(prefix) {
                if found.changed.is_empty() {
                    self.changed.insert(prefix.clone());
                }
                found.changed.insert(key.into(), by);
                end = Excluded(&key[..prefix.len()]);
            } else {
                let common = prefix.iter().zip(key).take_while(|(one, other)| one == other).count();
                end = Included(&key[..common]);
            }
        }
    }

    /// What there is to be told of prefixes.
    pub fn take_broadcasts(&mut self) -> Vec<Broadcast> {
        let mut broadcasts = Vec::new();
        for prefix in std::mem::take(&mut self.changed) {
            // It may have gone meanwhile.
            if let Some(prefix) = self.prefixes.get_mut(&prefix) {
                broadcasts.push(Broadcast {
                    clients: prefix.clients.iter().copied().collect(),
                    changed: std::mem::take(&mut prefix.changed).into_iter().collect(),
                });
            }
        }
        broadcasts
    }

    /// How many keys are remembered, how many clients they have together, and how many prefixes there are.
    pub fn counts(&self) -> (usize, usize, usize) {
        (self.keys.len(), self.items, self.prefixes.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table_of(prefixes: impl IntoIterator<Item = Vec<u8>>) -> TrackingTable {
        let mut table = TrackingTable::default();
        table.start(ClientRef { fd: 1, id: 1 }, &prefixes.into_iter().map(Vec::into_boxed_slice).collect());
        table
    }

    #[test]
    fn all_prefixes_of_a_key_are_found() {
        let words: [&[u8]; 8] = [b"", b"a", b"aa", b"ab", b"aba", b"b", b"ba", b"\xff"];
        for some in 0..1 << words.len() {
            let chosen: Vec<&[u8]> = (0..words.len()).filter(|at| some >> at & 1 == 1).map(|at| words[at]).collect();
            let mut table = table_of(chosen.iter().map(|word| word.to_vec()));
            for key in words.into_iter().chain([&b"abab"[..], b"c", b"\xff\xff"]) {
                table.note_prefixes(key, None);
                let expected = chosen.iter().filter(|prefix| key.starts_with(prefix)).count();
                assert_eq!(table.take_broadcasts().len(), expected, "{key:?} {chosen:?}");
                assert!(table.take_broadcasts().is_empty());
            }
        }
    }

    #[test]
    fn a_prefix_may_go_before_what_has_changed_is_told() {
        let mut table = table_of([b"a".to_vec()]);
        table.note_prefixes(b"ab", None);
        table.stop(ClientRef { fd: 1, id: 1 }, &[b"a".as_slice().into()].into());
        assert!(table.take_broadcasts().is_empty());
    }

    /// Looking at each would take hours.
    #[test]
    fn a_million_prefixes_hold_up_nobody() {
        let mut table = table_of((0..1_000_000).map(|at| format!("{at:07}").into_bytes()));
        for at in 0..100_000 {
            table.note_prefixes(format!("{at:08}").as_bytes(), None);
            assert_eq!(table.take_broadcasts().len(), 1);
        }
    }

    #[test]
    fn keys_are_forgotten_when_they_have_changed() {
        let (one, other) = (ClientRef { fd: 1, id: 1 }, ClientRef { fd: 2, id: 2 });
        let mut table = TrackingTable::default();
        table.start(one, &BTreeSet::new());
        table.remember(b"a", one);
        table.remember(b"a", other);
        table.remember(b"a", one);
        table.remember(b"b", one);
        assert_eq!(table.counts(), (2, 3, 0));
        assert_eq!(table.forget(b"a").len(), 2);
        assert!(table.forget(b"a").is_empty());
        assert_eq!(table.counts(), (1, 1, 0));
        assert_eq!((table.excess(1), table.excess(0)), (None, None));
        table.remember(b"c", one);
        assert!(table.excess(1).is_some());
    }

    #[test]
    fn keys_are_forgotten_for_clients_that_track() {
        let mut table = table_of([]);
        let client = ClientRef { fd: 1, id: 1 };
        [&b"a"[..], b"b"].iter().for_each(|key| table.remember(key, client));
        assert!(table.excess(1).is_some() && table.excess(2).is_none() && table.excess(0).is_none());
        table.stop(client, &BTreeSet::new());
        assert!(table.excess(1).is_none());
    }
}
