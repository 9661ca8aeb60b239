//! The hash table: chained, with power-of-two bucket arrays that are resized a bucket at a time.
//!
//! Entries live in a [`Slab`] and keep their id for life; buckets and chains hold ids. While a resize is under way
//! there are two bucket arrays and every change moves a few buckets from the old one to the new one, so no single
//! request pays for all of it.

use crate::bytes::{Bytes, Content};
use crate::slab::Slab;
use ahash::RandomState;
use std::hash::{BuildHasher, Hasher};

const MIN_BUCKETS: usize = 16;
/// A table with fewer entries than buckets divided by this shrinks.
const SPARSE: usize = 8;
/// Empty buckets that one step of a resize may pass over.
const EMPTY_VISITS: usize = 10;

/// Reference to an entry: its id plus one, so that zeroed memory is an empty bucket array.
type Link = u32;
const NONE: Link = 0;

#[derive(Clone)]
pub struct Node<V> {
    pub key: Bytes,
    pub value: V,
    hash: u32,
    next: Link,
}

#[derive(Clone)]
pub struct Dict<V> {
    nodes: Slab<Node<V>>,
    /// During a resize, `tables[0]` is the old one.
    tables: [Vec<Link>; 2],
    /// Buckets of the old table below this have been moved. None: no resize.
    moved: Option<usize>,
    len: usize,
    /// Seeded at random: clients choose the keys and must not be able to choose collisions.
    hasher: RandomState,
}

impl<V> Dict<V> {
    pub fn new() -> Dict<V> {
        Dict { nodes: Slab::new(), tables: [Vec::new(), Vec::new()], moved: None, len: 0, hasher: RandomState::new() }
    }

    pub fn len(&self) -> usize {
        self.len
    }

    pub fn hash(&self, key: &[u8]) -> u32 {
        let mut hasher = self.hasher.build_hasher();
        hasher.write(key);
        hasher.finish() as u32
    }

    pub fn get(&self, id: u32) -> Option<&Node<V>> {
        self.nodes.get(id)
    }

    pub fn get_mut(&mut self, id: u32) -> Option<&mut V> {
        self.nodes.get_mut(id).map(|node| &mut node.value)
    }

    /// The id of `key`'s entry, `hash` being [`Dict::hash`] of it.
    pub fn find(&self, hash: u32, key: &[u8]) -> Option<u32> {
        for table in &self.tables {
            if table.is_empty() {
                continue;
            }
            let mut link = table[bucket(table, hash)];
            while link != NONE {
                let node = self.nodes.get(link - 1)?;
                if node.hash == hash && node.key == *key {
                    return Some(link - 1);
                }
                link = node.next;
            }
        }
        None
    }

    /// Adds an entry for a key that is not there.
    pub fn insert(&mut self, hash: u32, key: &[u8], value: V) -> u32 {
        self.insert_owned(hash, Bytes::from(Content::Borrowed(key)), value)
    }

    /// As [`Dict::insert`], without a copy of the key.
    pub fn insert_owned(&mut self, hash: u32, key: Bytes, value: V) -> u32 {
        debug_assert!(self.find(hash, key.as_slice()).is_none());
        self.step();
        if self.moved.is_none() && self.len >= self.tables[0].len() {
            self.resize((self.len + 1).next_power_of_two().max(MIN_BUCKETS));
        }
        let table = &mut self.tables[usize::from(self.moved.is_some())];
        let at = bucket(table, hash);
        let id = self.nodes.insert(Node { key, value, hash, next: table[at] });
        table[at] = id + 1;
        self.len += 1;
        id
    }

    pub fn remove(&mut self, id: u32) -> Option<V> {
        self.take(id).map(|node| node.value)
    }

    /// As [`Dict::remove`], with the key.
    pub fn take(&mut self, id: u32) -> Option<Node<V>> {
        let node = self.nodes.get(id)?;
        let (hash, next) = (node.hash, node.next);
        self.unlink(hash, id + 1, next);
        let node = self.nodes.remove(id)?;
        self.len -= 1;
        self.step();
        self.shrink_if_sparse();
        Some(node)
    }

    /// Drops up to `budget` entries and says whether something is left. For a dict that is no longer used: its entries
    /// are not found any more.
    pub fn drop_some(&mut self, budget: usize) -> bool {
        self.tables = [Vec::new(), Vec::new()];
        self.moved = None;
        self.len -= self.nodes.drop_some(budget);
        self.len > 0
    }

    /// How many bytes of memory it has, without what keys and values have outside their entries.
    pub fn allocated(&self) -> usize {
        let links: usize = self.tables.iter().map(Vec::capacity).sum();
        self.nodes.allocated() + links * size_of::<Link>()
    }

    /// Moves a few buckets if a resize is under way. False when there is nothing to do.
    pub fn step(&mut self) -> bool {
        let Some(mut at) = self.moved else {
            return false;
        };
        let end = (at + EMPTY_VISITS).min(self.tables[0].len());
        while at < end && self.tables[0][at] == NONE {
            at += 1;
        }
        if at < end {
            let mut link = std::mem::replace(&mut self.tables[0][at], NONE);
            while link != NONE {
                let Some(node) = self.nodes.get_mut(link - 1) else { break };
                let to = bucket(&self.tables[1], node.hash);
                let next = std::mem::replace(&mut node.next, self.tables[1][to]);
                self.tables[1][to] = link;
                link = next;
            }
            at += 1;
        }
        if at == self.tables[0].len() {
            self.tables[0] = std::mem::take(&mut self.tables[1]);
            self.moved = None;
            // Entries may have gone while their buckets were being moved.
            self.shrink_if_sparse();
        } else {
            self.moved = Some(at);
        }
        true
    }

    /// One step of a scan that began with cursor 0: calls `found` for the entries of a bucket or more and returns the
    /// next cursor, 0 at the end. An entry that is there during the whole scan is found at least once, whatever
    /// resizes happen between the steps.
    ///
    /// The cursor counts with its bits reversed: first the high bits of the bucket number change, and those are the
    /// ones that a resize adds or takes away. So the buckets already visited in one table are, in a table of any other
    /// size, the ones whose entries have been visited.
    pub fn scan(&self, cursor: u64, mut found: impl FnMut(&Node<V>)) -> u64 {
        let [old, new] = &self.tables;
        let (small, large) = if new.is_empty() || old.len() <= new.len() { (old, new) } else { (new, old) };
        if small.is_empty() {
            return 0;
        }
        self.visit(small[cursor as usize & (small.len() - 1)], &mut found);
        if large.is_empty() {
            return next_cursor(cursor, small.len());
        }
        // All buckets of the large table that share the small one's bits.
        let extra_bits = ((small.len() - 1) ^ (large.len() - 1)) as u64;
        let mut cursor = cursor;
        loop {
            self.visit(large[cursor as usize & (large.len() - 1)], &mut found);
            cursor = next_cursor(cursor, large.len());
            if cursor & extra_bits == 0 {
                return cursor;
            }
        }
    }

    /// An entry picked by `random`, each as likely as any other.
    ///
    /// A place is picked until there is an entry in it. Places are the slab's slots, or, when too few of those are in
    /// use because many entries are gone, the first few of each bucket's chain: buckets become fewer with the entries.
    pub fn random(&self, mut random: impl FnMut() -> u64) -> Option<u32> {
        if self.len == 0 {
            return None;
        }
        // One slot in so many has to be in use.
        const SLOTS: usize = 16;
        // About one entry a bucket is usual. One in a million is behind eight others, and is never picked this way.
        const DEPTH: u64 = 8;
        // Enough for any table except one that is being emptied faster than it shrinks.
        const TRIES: usize = 500;
        let end = self.nodes.end();
        let old = &self.tables[0][self.moved.unwrap_or(0)..];
        let buckets = (old.len() + self.tables[1].len()) as u64;
        // Without buckets it is being dropped.
        let dense = self.len >= end as usize / SLOTS || buckets == 0;
        for _ in 0..TRIES {
            if dense {
                let id = (random() % u64::from(end)) as u32;
                if self.nodes.get(id).is_some() {
                    return Some(id);
                }
                continue;
            }
            let place = random() % (buckets * DEPTH);
            let at = (place / DEPTH) as usize;
            let first = if at < old.len() { old[at] } else { self.tables[1][at - old.len()] };
            if let Some((id, _)) = self.chain(first).nth((place % DEPTH) as usize) {
                return Some(id);
            }
        }
        self.nodes.nth((random() % self.len as u64) as usize)
    }

    /// Every entry with its id, from an id on.
    pub fn iter_from(&self, first: u32) -> impl Iterator<Item = (u32, &Node<V>)> {
        self.nodes.iter_from(first)
    }

    fn visit(&self, first: Link, found: &mut impl FnMut(&Node<V>)) {
        self.chain(first).for_each(|(_, node)| found(node));
    }

    fn chain(&self, first: Link) -> impl Iterator<Item = (u32, &Node<V>)> {
        let mut link = first;
        std::iter::from_fn(move || {
            let id = link.checked_sub(1)?;
            let node = self.nodes.get(id)?;
            link = node.next;
            Some((id, node))
        })
    }

    /// Takes `link`, whose successor is `next`, out of its chain.
    fn unlink(&mut self, hash: u32, link: Link, next: Link) {
        for table in &mut self.tables {
            if table.is_empty() {
                continue;
            }
            let at = bucket(table, hash);
            let first = &mut table[at];
            if *first == link {
                *first = next;
                return;
            }
            let mut at = *first;
            while at != NONE {
                let Some(node) = self.nodes.get_mut(at - 1) else { break };
                if node.next == link {
                    node.next = next;
                    return;
                }
                at = node.next;
            }
        }
    }

    fn resize(&mut self, buckets: usize) {
        // Zeroed memory comes from the system page by page as it is used; this does not touch it.
        let table = vec![NONE; buckets];
        if self.tables[0].is_empty() {
            self.tables[0] = table;
        } else {
            self.tables[1] = table;
            self.moved = Some(0);
        }
    }

    fn shrink_if_sparse(&mut self) {
        let buckets = self.tables[0].len();
        if self.moved.is_none() && buckets > MIN_BUCKETS && self.len < buckets / SPARSE {
            // Twice what is needed, or the next few inserts would grow it again.
            self.resize((self.len * 2).next_power_of_two().max(MIN_BUCKETS));
        }
    }
}

fn bucket(table: &[Link], hash: u32) -> usize {
    hash as usize & (table.len() - 1)
}

fn next_cursor(cursor: u64, buckets: usize) -> u64 {
    let mask = buckets as u64 - 1;
    (cursor | !mask).reverse_bits().wrapping_add(1).reverse_bits()
}

#[cfg(test)]
#[path = "dict_tests.rs"]
mod tests;
