//! Where the entries of a keyspace are found: a hash table of 32-bit ids that grows by one bucket at a time.
//!
//! A bucket is one cache line: twelve ids, each with eight bits of its hash, so that hardly any entry is looked at that
//! is not the one. What does not fit is in further lines behind it. There are always as many buckets as the entries
//! need (linear hashing): with each that is added, the content of one other is split into two; with each that goes, two
//! become one. The table never exists twice, and no request pays for more than one bucket.

/// Entries in a line.
const WIDTH: usize = 12;
/// There is one more bucket as soon as there are more entries than so many a bucket, and one less when fewer than half.
const LOAD: usize = 8;
const SEGMENT: usize = 64;
const NO_LINE: u32 = 0;

/// A bucket, or what did not fit into one.
#[derive(Clone, Copy, Default)]
#[repr(align(64))]
struct Line {
    /// Each plus one; 0 for none.
    ids: [u32; WIDTH],
    tags: [u8; WIDTH],
    /// The line behind this one, plus one.
    next: u32,
}

const _: () = assert!(size_of::<Line>() == 64);

impl Line {
    /// False if it is full.
    fn add(&mut self, id: u32, tag: u8) -> bool {
        let place = self.ids.iter().position(|id| *id == 0);
        place.into_iter().for_each(|at| (self.ids[at], self.tags[at]) = (id, tag));
        place.is_some()
    }
}

/// Lines under numbers. Growing copies none.
struct Lines(Vec<Box<[Line; SEGMENT]>>);

impl Lines {
    fn get(&self, at: usize) -> &Line {
        &self.0[at / SEGMENT][at % SEGMENT]
    }

    fn get_mut(&mut self, at: usize) -> &mut Line {
        &mut self.0[at / SEGMENT][at % SEGMENT]
    }

    /// Sees to it that there are `len` lines, at most one more than before, and not many more in the long run.
    fn resize(&mut self, len: usize) {
        if self.0.len() * SEGMENT < len {
            self.0.push(Box::new([Line::default(); SEGMENT]));
        }
        // One segment stays, for a length that goes up and down around a border. If many are left over, they do not go
        // all at once.
        const AT_ONCE: usize = 2;
        self.0.truncate((len.div_ceil(SEGMENT) + 1).max(self.0.len().saturating_sub(AT_ONCE)));
    }

    fn allocated(&self) -> usize {
        self.0.len() * size_of::<[Line; SEGMENT]>() + self.0.capacity() * size_of::<usize>()
    }
}

pub struct Index {
    buckets: Lines,
    /// How many buckets there are: at least one, as soon as there is an entry.
    count: usize,
    /// Lines behind buckets.
    further: Lines,
    /// How many of them have been used, and how many are.
    further_len: usize,
    further_used: usize,
    /// The first of those that are free again, plus one; linked by `next`.
    free: u32,
    len: usize,
}

/// The bits of a hash beside its entry's id. The bucket's number comes from the lower ones.
fn tag(hash: u64) -> u8 {
    (hash >> 56) as u8
}

/// Which of `tags` may be equal to `tag`: the highest bits of their bytes. All that are equal are among them, and hardly
/// ever another one, which the entry shows.
fn equal(tags: &[u8; WIDTH], tag: u8) -> u128 {
    const ONES: u128 = u128::from_le_bytes([1; 16]);
    let mut all = [0; 16];
    all[..WIDTH].copy_from_slice(tags);
    let different = u128::from_le_bytes(all) ^ u128::from_le_bytes([tag; 16]);
    // A byte of zeros borrows from its highest bit.
    let equal = different.wrapping_sub(ONES) & !different & ONES << 7;
    equal & ((1 << (8 * WIDTH)) - 1)
}

impl Index {
    /// How many bytes of memory an entry has here.
    pub const ENTRY_MEMORY: usize = size_of::<Line>() / LOAD;

    pub fn new() -> Index {
        let none = || Lines(Vec::new());
        Index { buckets: none(), count: 0, further: none(), further_len: 0, further_used: 0, free: NO_LINE, len: 0 }
    }

    pub fn len(&self) -> usize {
        self.len
    }

    /// As many buckets as there were before the last doubling began. Those of the buckets from 0 on that have been split
    /// since have their other half so many places behind.
    fn base(&self) -> usize {
        1 << self.count.max(1).ilog2()
    }

    fn bucket(&self, hash: u64) -> usize {
        let base = self.base();
        let at = hash as usize & (2 * base - 1);
        if at < self.count { at } else { at & (base - 1) }
    }

    /// The lines of a bucket.
    fn lines(&self, bucket: usize) -> impl Iterator<Item = &Line> {
        let first = (bucket < self.count).then(|| self.buckets.get(bucket));
        std::iter::successors(first, |line| (line.next != NO_LINE).then(|| self.further.get(line.next as usize - 1)))
    }

    /// An empty one gets the buckets that so many entries need, all at once: no entry that comes before has to move.
    pub fn reserve(&mut self, len: usize) {
        let count = len.div_ceil(LOAD);
        if self.len == 0 && self.count < count {
            (self.count..=count).for_each(|count| self.buckets.resize(count));
            self.count = count;
        }
    }

    /// The entry with this hash of which `is_it` is true.
    pub fn find(&self, hash: u64, mut is_it: impl FnMut(u32) -> bool) -> Option<u32> {
        let tag = tag(hash);
        for line in self.lines(self.bucket(hash)) {
            let mut found = equal(&line.tags, tag);
            while found != 0 {
                let id = line.ids[found.trailing_zeros() as usize / 8];
                if id != 0 && is_it(id - 1) {
                    return Some(id - 1);
                }
                found &= found - 1;
            }
        }
        None
    }

    /// Adds an entry that is not there. `hash_of` tells the hashes of others.
    pub fn insert(&mut self, hash: u64, id: u32, hash_of: impl Fn(u32) -> u64) {
        self.len += 1;
        if self.len > self.count * LOAD {
            self.split(hash_of);
        }
        self.put(self.bucket(hash), id + 1, tag(hash));
    }

    /// The entry `id` has the id `new` from now on.
    pub fn replace(&mut self, hash: u64, id: u32, new: u32) {
        if let Some((line, at)) = self.locate(self.bucket(hash), id + 1) {
            line.ids[at] = new + 1;
        }
    }

    pub fn remove(&mut self, hash: u64, id: u32) {
        let bucket = self.bucket(hash);
        let Some((line, at)) = self.locate(bucket, id + 1) else { return };
        (line.ids[at], line.tags[at]) = (0, 0);
        self.len -= 1;
        if self.buckets.get(bucket).next != NO_LINE {
            self.tidy(bucket);
        }
        if self.count > 1 && self.len < self.count * LOAD / 2 {
            self.merge();
        }
    }

    /// Where a bucket has an id, in the form it is there.
    fn locate(&mut self, bucket: usize, id: u32) -> Option<(&mut Line, usize)> {
        if bucket >= self.count {
            return None;
        }
        let in_line = |line: &Line| line.ids.iter().position(|other| *other == id);
        let first = self.buckets.get(bucket);
        if let Some(at) = in_line(first) {
            return Some((self.buckets.get_mut(bucket), at));
        }
        let mut next = first.next;
        while next != NO_LINE {
            let line = self.further.get(next as usize - 1);
            if let Some(at) = in_line(line) {
                return Some((self.further.get_mut(next as usize - 1), at));
            }
            next = line.next;
        }
        None
    }

    fn put(&mut self, bucket: usize, id: u32, tag: u8) {
        let line = self.buckets.get_mut(bucket);
        if line.add(id, tag) {
            return;
        }
        let mut next = line.next;
        while next != NO_LINE {
            let line = self.further.get_mut(next as usize - 1);
            if line.add(id, tag) {
                return;
            }
            next = line.next;
        }
        // The new line is the first behind the bucket.
        let first = self.buckets.get(bucket).next;
        let at = self.add_line(Line { next: first, ..Line::default() });
        self.buckets.get_mut(bucket).next = at + 1;
        self.further.get_mut(at as usize).add(id, tag);
    }

    fn add_line(&mut self, line: Line) -> u32 {
        self.further_used += 1;
        let at = match self.free {
            NO_LINE => {
                self.further_len += 1;
                self.further.resize(self.further_len);
                self.further_len as u32 - 1
            }
            free => {
                self.free = self.further.get(free as usize - 1).next;
                free - 1
            }
        };
        *self.further.get_mut(at as usize) = line;
        at
    }

    fn free_line(&mut self, at: u32) {
        self.further_used -= 1;
        if self.further_used == 0 {
            (self.free, self.further_len) = (NO_LINE, 0);
            return;
        }
        *self.further.get_mut(at as usize) = Line { next: self.free, ..Line::default() };
        self.free = at + 1;
    }

    /// Takes everything out of a bucket.
    fn clear(&mut self, bucket: usize, mut taken: impl FnMut(u32, u8)) {
        let mut line = std::mem::take(self.buckets.get_mut(bucket));
        loop {
            line.ids.iter().zip(line.tags).filter(|(id, _)| **id != 0).for_each(|(id, tag)| taken(*id, tag));
            if line.next == NO_LINE {
                return;
            }
            let at = line.next - 1;
            line = *self.further.get(at as usize);
            self.free_line(at);
        }
    }

    /// One bucket more.
    fn split(&mut self, hash_of: impl Fn(u32) -> u64) {
        self.buckets.resize(self.count + 1);
        self.count += 1;
        if self.count == 1 {
            return;
        }
        let new = self.count - 1;
        // Below the new one's highest bit it has the number of the one to split.
        let old = new & !(1 << new.ilog2());
        let mut content = Vec::new();
        self.clear(old, |id, tag| content.push((id, tag)));
        for (id, tag) in content {
            let bucket = self.bucket(hash_of(id - 1));
            self.put(bucket, id, tag);
        }
    }

    /// One bucket less.
    fn merge(&mut self) {
        let last = self.count - 1;
        let mut content = Vec::new();
        self.clear(last, |id, tag| content.push((id, tag)));
        self.count -= 1;
        self.buckets.resize(self.count);
        self.further.resize(self.further_len);
        let into = last & !(1 << last.ilog2());
        content.into_iter().for_each(|(id, tag)| self.put(into, id, tag));
    }

    /// Frees a line behind a bucket, if what is in it fits before it.
    fn tidy(&mut self, bucket: usize) {
        let count = |line: &Line| line.ids.iter().filter(|id| **id != 0).count();
        let lines = self.lines(bucket).count();
        let held: usize = self.lines(bucket).map(count).sum();
        if held <= (lines - 1) * WIDTH {
            let mut content = Vec::with_capacity(held);
            self.clear(bucket, |id, tag| content.push((id, tag)));
            content.into_iter().for_each(|(id, tag)| self.put(bucket, id, tag));
        }
    }

    /// One step of a scan, from cursor 0 until 0 is returned. Every entry that is there from the first step to the last is
    /// found at least once, whatever happens to others in between.
    ///
    /// Cursors count in buckets of as many as there were before the last doubling, with their bits reversed: those of a
    /// smaller or larger table are the same places.
    pub fn scan(&self, cursor: u64, mut found: impl FnMut(u32)) -> u64 {
        if self.count == 0 {
            return 0;
        }
        let base = self.base();
        let at = cursor as usize & (base - 1);
        for bucket in [at, at + base] {
            let ids = self.lines(bucket).flat_map(|line| line.ids).filter(|id| *id != 0);
            ids.for_each(|id| found(id - 1));
        }
        let mask = base as u64 - 1;
        (cursor | !mask).reverse_bits().wrapping_add(1).reverse_bits()
    }

    /// A place picked by a random number, and the entry there. Each entry is as likely as any other, except for those
    /// behind so many others that there is hardly ever one.
    pub fn at_random(&self, number: u64) -> Option<u32> {
        const LINES: usize = 3;
        let places = (self.count * LINES * WIDTH) as u64;
        let place = number.checked_rem(places)? as usize;
        let (bucket, place) = (place / (LINES * WIDTH), place % (LINES * WIDTH));
        let line = self.lines(bucket).nth(place / WIDTH)?;
        line.ids[place % WIDTH].checked_sub(1)
    }

    /// How many bytes of memory it has.
    pub fn allocated(&self) -> usize {
        self.buckets.allocated() + self.further.allocated()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::{HashMap, HashSet};

    /// As good as random, and different for different ids.
    fn hash(id: u32) -> u64 {
        let mixed = u64::from(id).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    fn filled(ids: std::ops::Range<u32>) -> Index {
        let mut index = Index::new();
        ids.for_each(|id| index.insert(hash(id), id, hash));
        index
    }

    #[test]
    fn memory_is_in_proportion() {
        let mut index = Index::new();
        for id in 0..200_000u32 {
            index.insert(hash(id), id, hash);
            if id % 1000 == 0 {
                let most = id as usize * 10 + 4 * size_of::<[Line; SEGMENT]>();
                assert!(index.allocated() <= most, "{} bytes for {id}", index.allocated());
            }
        }
        (100..200_000).for_each(|id| index.remove(hash(id), id));
        assert!(index.allocated() <= 8 * size_of::<[Line; SEGMENT]>());
        (0..100).for_each(|id| assert_eq!(index.find(hash(id), |found| found == id), Some(id)));
    }

    #[test]
    fn a_change_moves_one_bucket_at_most() {
        let mut index = Index::new();
        let asked = std::cell::Cell::new(0);
        for id in 0..300_000u32 {
            asked.set(0);
            index.insert(hash(id), id, |id| {
                asked.set(asked.get() + 1);
                hash(id)
            });
            assert!(asked.get() <= 8 * LOAD, "{} entries moved at once", asked.get());
        }
    }

    #[test]
    fn with_room_for_all_nothing_moves() {
        let mut index = Index::new();
        index.reserve(10_000);
        let reserved = index.allocated();
        (0..10_000).for_each(|id| index.insert(hash(id), id, |_| unreachable!()));
        (0..10_000).for_each(|id| assert_eq!(index.find(hash(id), |found| found == id), Some(id)));
        index.reserve(100_000);
        assert!(index.allocated() < 2 * reserved, "it is for empty ones");
        // What was not needed goes, a bucket with each entry that does.
        let mut index = Index::new();
        index.reserve(20_000);
        (0..10_000).for_each(|id| index.insert(hash(id), id, hash));
        (0..10_000).for_each(|id| index.remove(hash(id), id));
        assert!(index.allocated() <= reserved, "{} bytes", index.allocated());
    }

    #[test]
    fn everything_in_one_bucket_is_found() {
        let mut index = Index::new();
        (0..1000).for_each(|id| index.insert(0, id, |_| 0));
        (0..1000).for_each(|id| assert_eq!(index.find(0, |found| found == id), Some(id)));
        (0..1000).for_each(|id| index.remove(0, id));
        assert_eq!((index.len(), index.further_used), (0, 0));
    }

    #[test]
    fn random_entries_are_all_met() {
        let index = filled(0..1000);
        let mut number = 1u64;
        let mut next = || {
            number = number.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            number >> 16
        };
        let found: Vec<u32> = (0..100_000).filter_map(|_| index.at_random(next())).collect();
        assert!(found.len() > 10_000, "{}", found.len());
        assert_eq!(found.into_iter().collect::<HashSet<_>>().len(), 1000);
        assert_eq!(Index::new().at_random(7), None);
    }

    proptest! {
        #[test]
        fn behaves_like_a_map(steps in prop::collection::vec((0u8..4, 0u32..400), 0..3000)) {
            let mut index = Index::new();
            // By id: which hash it has.
            let mut model: HashMap<u32, u64> = HashMap::new();
            for (step, id) in steps {
                match (step, model.get(&id).copied()) {
                    (0..2, None) => {
                        model.insert(id, hash(id % 300));
                        let others = &model;
                        index.insert(hash(id % 300), id, |id| others[&id]);
                    }
                    (2, Some(hash)) => {
                        model.remove(&id);
                        index.remove(hash, id);
                    }
                    (3, Some(hash)) => {
                        model.remove(&id);
                        let new = (1000..).find(|id| !model.contains_key(id)).unwrap();
                        model.insert(new, hash);
                        index.replace(hash, id, new);
                    }
                    _ => {}
                }
            }
            prop_assert_eq!(index.len(), model.len());
            for (id, hash) in &model {
                prop_assert_eq!(index.find(*hash, |found| found == *id), Some(*id));
            }
            let (mut found, mut cursor) = (Vec::new(), 0);
            loop {
                cursor = index.scan(cursor, |id| found.push(id));
                if cursor == 0 {
                    break;
                }
            }
            found.sort_unstable();
            let mut ids: Vec<u32> = model.keys().copied().collect();
            ids.sort_unstable();
            prop_assert_eq!(found, ids);
        }

        #[test]
        fn a_scan_finds_what_stays(sizes in prop::collection::vec(0u32..3000, 1..60), stay in 1u32..200) {
            let mut index = filled(0..stay);
            let mut others = stay..stay;
            let (mut found, mut cursor) = (HashSet::new(), 0);
            for size in sizes.iter().cycle() {
                while others.len() < *size as usize {
                    index.insert(hash(others.end), others.end, hash);
                    others.end += 1;
                }
                while others.len() > *size as usize {
                    index.remove(hash(others.start), others.start);
                    others.start += 1;
                }
                cursor = index.scan(cursor, |id| _ = found.insert(id));
                if cursor == 0 {
                    break;
                }
            }
            prop_assert!((0..stay).all(|id| found.contains(&id)));
        }
    }
}
