//! A table of keys for the types' large forms: a short list while there are few keys, a [`Dict`] from then on.
//!
//! Redis calls both "hashtable". The list is for memory: a dict takes 9 to 14 KB from its first entry on, and a set of
//! two words or a hash with one long value is such a table already.

use crate::bytes::{Bytes, Content};
use crate::dict::Dict;
use std::collections::HashSet;

/// Up to so many entries are a list. To search 64 takes 0.1 to 0.2 µs, a dict 0.02; but 65 in a dict have six times the
/// memory of 64 in a list.
const FEW: usize = 64;

/// What a table can keep beside a key.
pub(super) trait Held {
    /// How many bytes of memory it has besides itself.
    fn allocated(&self) -> usize;
}

impl Held for () {
    fn allocated(&self) -> usize {
        0
    }
}

impl Held for Bytes {
    fn allocated(&self) -> usize {
        self.allocated()
    }
}

/// Keys with their values.
#[derive(Clone)]
pub(super) struct Table<V> {
    form: Form<V>,
    /// Bytes of memory that keys and values have outside their entries.
    content: usize,
}

#[derive(Clone)]
enum Form<V> {
    Few(Vec<(Bytes, V)>),
    Many(Box<Dict<V>>),
}

/// Where an entry is: valid until another one is added or removed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Place(u32);

impl<V: Held> Table<V> {
    pub(super) fn new() -> Table<V> {
        Table { form: Form::Few(Vec::new()), content: 0 }
    }

    pub(super) fn len(&self) -> usize {
        match &self.form {
            Form::Few(list) => list.len(),
            Form::Many(dict) => dict.len(),
        }
    }

    /// How many bytes of memory there are besides the table itself.
    pub(super) fn allocated(&self) -> usize {
        self.content
            + match &self.form {
                Form::Few(list) => list.capacity() * size_of::<(Bytes, V)>(),
                Form::Many(dict) => size_of::<Dict<V>>() + dict.allocated(),
            }
    }

    pub(super) fn find(&self, key: &[u8]) -> Option<Place> {
        match &self.form {
            Form::Few(list) => {
                // Keys of one kind begin alike, have the same length, and differ at the end: look there first.
                let last = key.last();
                let same = |other: &[u8]| other.len() == key.len() && other.last() == last && other == key;
                list.iter().position(|(other, _)| same(other.as_slice())).map(|at| Place(at as u32))
            }
            Form::Many(dict) => dict.find(dict.hash(key), key).map(Place),
        }
    }

    pub(super) fn get(&self, place: Place) -> Option<(&[u8], &V)> {
        match &self.form {
            Form::Few(list) => list.get(place.0 as usize).map(|(key, value)| (key.as_slice(), value)),
            Form::Many(dict) => dict.get(place.0).map(|node| (node.key.as_slice(), &node.value)),
        }
    }

    /// Adds an entry for a key that is not there.
    pub(super) fn insert(&mut self, key: &[u8], value: V) {
        let key = Bytes::from(Content::Borrowed(key));
        self.content += key.allocated() + value.allocated();
        if self.len() == FEW {
            self.list_to_dict();
        }
        match &mut self.form {
            Form::Few(list) => {
                debug_assert!(list.iter().all(|(other, _)| other != key.as_slice()));
                list.push((key, value));
            }
            Form::Many(dict) => {
                dict.insert_owned(dict.hash(key.as_slice()), key, value);
            }
        }
    }

    /// Lets `change` have an entry's value.
    pub(super) fn update(&mut self, place: Place, change: impl FnOnce(&mut V)) {
        let value = match &mut self.form {
            Form::Few(list) => list.get_mut(place.0 as usize).map(|(_, value)| value),
            Form::Many(dict) => dict.get_mut(place.0),
        };
        let Some(value) = value else { return };
        self.content -= value.allocated();
        change(value);
        self.content += value.allocated();
    }

    pub(super) fn remove(&mut self, place: Place) -> Option<(Bytes, V)> {
        let (key, value) = match &mut self.form {
            Form::Few(list) if (place.0 as usize) < list.len() => list.swap_remove(place.0 as usize),
            Form::Few(_) => return None,
            Form::Many(dict) => dict.take(place.0).map(|node| (node.key, node.value))?,
        };
        self.content -= key.allocated() + value.allocated();
        Some((key, value))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&[u8], &V)> {
        self.iter_from(0).map(|(_, key, value)| (key, value))
    }

    /// As [`Table::iter`] from a place on, with the places, which stay the same until something is added or removed.
    pub(super) fn iter_from(&self, first: u32) -> impl Iterator<Item = (u32, &[u8], &V)> {
        let (list, dict) = match &self.form {
            Form::Few(list) => (&list[..], None),
            Form::Many(dict) => (&[][..], Some(dict)),
        };
        let nodes = dict.into_iter().flat_map(move |dict| dict.iter_from(first));
        let few = (0..).zip(list).skip(first as usize).map(|(at, (key, value))| (at, key.as_slice(), value));
        few.chain(nodes.map(|(at, node)| (at, node.key.as_slice(), &node.value)))
    }

    /// One step of a scan: see [`Dict::scan`]. A list comes whole.
    pub(super) fn scan(&self, cursor: u64, mut found: impl FnMut(&[u8], &V)) -> u64 {
        match &self.form {
            Form::Few(list) => {
                list.iter().for_each(|(key, value)| found(key.as_slice(), value));
                0
            }
            Form::Many(dict) => dict.scan(cursor, |node| found(node.key.as_slice(), &node.value)),
        }
    }

    /// Any entry, all with the same probability.
    pub(super) fn random(&self, mut random: impl FnMut() -> u64) -> Option<Place> {
        match &self.form {
            Form::Few(list) if list.is_empty() => None,
            Form::Few(list) => Some(Place((random() % list.len() as u64) as u32)),
            Form::Many(dict) => dict.random(random).map(Place),
        }
    }

    /// Calls `found` with `count` different entries, or with all if there are no more; any choice is as likely as any
    /// other.
    pub(super) fn random_distinct(
        &self,
        count: usize,
        mut random: impl FnMut() -> u64,
        mut found: impl FnMut(&[u8], &V),
    ) {
        // A third of the table: then three picks in two hit something new, and passing over all entries is no dearer.
        const SHARE: usize = 3;
        if matches!(self.form, Form::Few(_)) || count >= self.len() / SHARE {
            return choose(self.iter(), self.len(), count, random, |(key, value)| found(key, value));
        }
        let mut seen = HashSet::with_capacity_and_hasher(count, ahash::RandomState::new());
        while seen.len() < count {
            let Some(place) = self.random(&mut random) else { return };
            if seen.insert(place.0)
                && let Some((key, value)) = self.get(place)
            {
                found(key, value);
            }
        }
    }

    /// Drops up to `budget` entries and says whether something is left. For a table that is no longer used.
    pub(super) fn free_some(&mut self, budget: usize) -> bool {
        let before = self.len();
        match &mut self.form {
            Form::Few(list) => list.truncate(before.saturating_sub(budget)),
            Form::Many(dict) => {
                dict.drop_some(budget);
            }
        }
        // Nobody knows what the dropped ones had: an even share.
        let left = self.len();
        self.content = (self.content as u128 * left as u128 / before.max(1) as u128) as usize;
        left > 0
    }

    fn list_to_dict(&mut self) {
        let Form::Few(list) = &mut self.form else { return };
        let mut dict = Box::new(Dict::new());
        for (key, value) in list.drain(..) {
            dict.insert_owned(dict.hash(key.as_slice()), key, value);
        }
        self.form = Form::Many(dict);
    }
}

/// Calls `found` with `count` of `len` items, in their order; any choice is as likely as any other.
pub(super) fn choose<T>(
    items: impl Iterator<Item = T>,
    len: usize,
    count: usize,
    mut random: impl FnMut() -> u64,
    mut found: impl FnMut(T),
) {
    let (mut left, mut wanted) = (len as u64, count as u64);
    for item in items {
        if wanted == 0 {
            return;
        }
        if random() % left < wanted {
            found(item);
            wanted -= 1;
        }
        left -= 1;
    }
}

#[cfg(test)]
#[path = "table_tests.rs"]
mod tests;
