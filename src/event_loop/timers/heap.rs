//! The deadlines of time events: the earliest at hand. Adding one is a store, and removing one is a count.
//!
//! What was added waits behind the heap and enters it when the earliest is asked for; many enter together, in linear
//! time. The key of an event that is deleted stays until it would be the first, or until most keys are such: whether an
//! id is live, the caller tells.

use crate::sys::Errno;

/// Children of a node. Four keep the heap flat and a node's children in one or two cache lines.
const ARITY: usize = 4;

/// So few dead keys are not looked for.
const FEW: usize = 64;

/// Memory for so many keys is not given back: 2 MB. The pool keeps as many events.
const KEPT: usize = 131_072;

/// A deadline, and the id of its event: among equal deadlines the lower id comes first, and those below zero come last,
/// also the lower one first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key(u128);

impl Key {
    fn new(deadline: u64, id: i64) -> Self {
        Self(u128::from(deadline) << 64 | u128::from(id as u64))
    }

    fn deadline(self) -> u64 {
        (self.0 >> 64) as u64
    }

    fn id(self) -> i64 {
        self.0 as i64
    }
}

/// The heap, and what waits to enter it.
#[derive(Default)]
pub(super) struct Heap {
    keys: Vec<Key>,
    /// How many of the keys, from the first on, are the heap.
    heaped: usize,
    /// How many of the keys are not live.
    dead: usize,
}

impl Heap {
    /// Whether the heap can hold `count` live keys without allocating. If not, [`Heap::make_room`] has to be called.
    pub(super) fn has_room(&self, count: usize) -> bool {
        self.keys.capacity() - self.dead >= count
    }

    #[cold]
    pub(super) fn make_room(&mut self, count: usize, is_live: impl Fn(i64) -> bool) -> Result<(), Errno> {
        if self.bury(is_live) {
            self.make_heap();
        }
        let more = (count + self.dead).saturating_sub(self.keys.len());
        self.keys.try_reserve(more).map_err(|_| Errno::ENOMEM)
    }

    /// Adds a key that is not there; there is room. It is not found before the next [`Heap::first`].
    pub(super) fn push(&mut self, deadline: u64, id: i64) {
        self.keys.push(Key::new(deadline, id));
    }

    /// Says that a key in the heap is no longer live.
    pub(super) fn forget(&mut self) {
        self.dead += 1;
    }

    /// Takes that back.
    pub(super) fn remember(&mut self) {
        self.dead -= 1;
    }

    /// Whether more keys are dead than live.
    pub(super) fn is_mostly_dead(&self) -> bool {
        self.dead > self.keys.len() - self.dead + FEW
    }

    /// How many keys there is memory for.
    #[cfg(test)]
    pub(super) fn size(&self) -> usize {
        self.keys.capacity()
    }

    /// The earliest deadline.
    pub(super) fn first(&mut self, is_live: impl Fn(i64) -> bool) -> Option<u64> {
        self.tidy(is_live);
        self.keys.first().map(|first| first.deadline())
    }

    /// The earliest deadline, but without adding to what [`Heap::pop_due`] finds. It looks at all that wait to enter the
    /// heap.
    #[cold]
    pub(super) fn peek(&mut self, is_live: impl Fn(i64) -> bool) -> Option<u64> {
        self.uncover(&is_live);
        let (heap, waiting) = self.keys.split_at(self.heaped);
        let live = waiting.iter().filter(|key| is_live(key.id()));
        heap.first().into_iter().chain(live).min().map(|first| first.deadline())
    }

    /// Removes the earliest of those that a call of [`Heap::first`] has seen, if its deadline is not after `now`;
    /// returns what `live` gives for it.
    pub(super) fn pop_due<T>(&mut self, now: u64, live: impl Fn(i64) -> Option<T>) -> Option<T> {
        while self.heaped > 0 && self.keys[0].deadline() <= now {
            let found = live(self.pop().id());
            if found.is_some() {
                return found;
            }
            self.dead -= 1;
        }
        None
    }

    /// Makes all the keys the heap, with a live one first.
    fn tidy(&mut self, is_live: impl Fn(i64) -> bool) {
        let buried = self.bury(&is_live);
        let heaped = core::mem::replace(&mut self.heaped, self.keys.len());
        if buried || self.heaped - heaped > heaped {
            self.make_heap();
        } else {
            (heaped..self.heaped).for_each(|position| self.sift_up(position));
        }
        self.uncover(is_live);
    }

    /// Removes dead keys until the first of the heap is live.
    fn uncover(&mut self, is_live: impl Fn(i64) -> bool) {
        while self.dead > 0 && self.heaped > 0 && !is_live(self.keys[0].id()) {
            self.pop();
            self.dead -= 1;
        }
    }

    /// Removes the dead keys when they are most keys, and says so: then the heap has to be made again.
    fn bury(&mut self, is_live: impl Fn(i64) -> bool) -> bool {
        if !self.is_mostly_dead() {
            return false;
        }
        let live = self.keys.len() - self.dead;
        let mut kept = 0;
        let mut heaped = 0;
        // With none live there is nothing to look for.
        for position in 0..if live > 0 { self.keys.len() } else { 0 } {
            let key = self.keys[position];
            if is_live(key.id()) {
                self.keys[kept] = key;
                kept += 1;
                heaped += usize::from(position < self.heaped);
            }
        }
        self.keys.truncate(kept);
        (self.heaped, self.dead) = (heaped, 0);
        self.shrink();
        true
    }

    fn make_heap(&mut self) {
        (0..self.heaped.div_ceil(ARITY)).rev().for_each(|position| self.sift_down(position, self.keys[position]));
    }

    fn shrink(&mut self) {
        if self.keys.capacity() > KEPT && self.keys.len() < self.keys.capacity() / 8 {
            self.keys.shrink_to(KEPT.max(2 * self.keys.len()));
        }
    }

    /// Takes the first key out of the heap, which is not empty.
    fn pop(&mut self) -> Key {
        let first = self.keys[0];
        self.heaped -= 1;
        let last = self.keys[self.heaped];
        self.keys.swap_remove(self.heaped);
        if self.heaped > 0 {
            self.sift_down(0, last);
        }
        self.shrink();
        first
    }

    /// Moves a key towards the root.
    fn sift_up(&mut self, mut hole: usize) {
        let key = self.keys[hole];
        while hole > 0 {
            let parent = (hole - 1) / ARITY;
            if self.keys[parent] <= key {
                break;
            }
            self.keys[hole] = self.keys[parent];
            hole = parent;
        }
        self.keys[hole] = key;
    }

    /// Finds the place of `key` from a hole on away from it.
    fn sift_down(&mut self, mut hole: usize, key: Key) {
        let heap = &mut self.keys[..self.heaped];
        loop {
            let first = hole * ARITY + 1;
            let least = match heap.get(first..first + ARITY) {
                Some(&[a, b, c, d]) => {
                    let (low, high) = ((b < a) as usize, 2 + (d < c) as usize);
                    first + if d.min(c) < b.min(a) { high } else { low }
                }
                _ => match (first..heap.len()).min_by_key(|child| heap[*child]) {
                    Some(least) => least,
                    None => break,
                },
            };
            if key <= heap[least] {
                break;
            }
            heap[hole] = heap[least];
            hole = least;
        }
        heap[hole] = key;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[derive(Clone, Debug)]
    enum Step {
        Push(u64),
        Forget(usize),
        First,
        Peek,
        PopDue(u64),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            6 => (0u64..50).prop_map(Step::Push),
            4 => any::<usize>().prop_map(Step::Forget),
            2 => Just(Step::First),
            2 => Just(Step::Peek),
            3 => (0u64..50).prop_map(Step::PopDue),
        ];
        proptest::collection::vec(step, 0..if cfg!(miri) { 60 } else { 600 })
    }

    proptest! {
        /// Whatever is pushed, deleted and taken, the heap agrees with sorted sets: what has been seen, and what waits.
        #[test]
        fn agrees_with_sets(steps in steps()) {
            let mut heap = Heap::default();
            let (mut seen, mut waiting) = (BTreeSet::new(), BTreeSet::new());
            for (id, step) in (0i64..).zip(steps) {
                let ids: BTreeSet<i64> = seen.iter().chain(&waiting).map(|key: &(u64, i64)| key.1).collect();
                let is_live = |id| ids.contains(&id);
                match step {
                    Step::Push(deadline) => {
                        if !heap.has_room(ids.len() + 1) {
                            heap.make_room(ids.len() + 1, is_live).unwrap();
                        }
                        heap.push(deadline, id);
                        waiting.insert((deadline, id));
                    }
                    Step::Forget(which) => {
                        if let Some(key) = seen.iter().chain(&waiting).nth(which % ids.len().max(1)).copied() {
                            seen.remove(&key);
                            waiting.remove(&key);
                            heap.forget();
                        }
                    }
                    Step::First => {
                        seen.append(&mut waiting);
                        prop_assert_eq!(heap.first(is_live), seen.first().map(|key| key.0));
                        prop_assert!(heap.dead <= ids.len() + FEW);
                    }
                    Step::Peek => {
                        let first = seen.first().into_iter().chain(waiting.first()).min();
                        prop_assert_eq!(heap.peek(is_live), first.map(|key| key.0));
                    }
                    Step::PopDue(now) => {
                        let expected = seen.first().copied().filter(|key| key.0 <= now);
                        prop_assert_eq!(heap.pop_due(now, |id| is_live(id).then_some(id)), expected.map(|key| key.1));
                        expected.map(|key| seen.remove(&key));
                    }
                }
                prop_assert_eq!(heap.keys.len() - heap.dead, seen.len() + waiting.len());
            }
        }
    }

    /// Room may be made while events run: those that are due by now are still found, the earliest first.
    #[test]
    fn what_is_due_is_found_after_room_was_made() {
        let mut heap = Heap::default();
        let (live, all) = (100, 100 + 4 * FEW as i64);
        let is_live = |id| id < live;
        heap.make_room(all as usize, |_| true).unwrap();
        // The dead ones are the first, and the live ones come in all positions.
        (0..all).for_each(|id| heap.push(if is_live(id) { 1000 + (id * 37 % live) as u64 } else { id as u64 }, id));
        heap.first(|_| true);
        (live..all).for_each(|_| heap.forget());
        heap.make_room(2 * all as usize, is_live).unwrap();
        assert_eq!((heap.keys.len(), heap.dead), (live as usize, 0));
        heap.push(0, all);
        let found: Vec<_> =
            core::iter::from_fn(|| heap.pop_due(5000, |id| is_live(id).then_some(id * 37 % live))).collect();
        assert_eq!(found, (0..live).collect::<Vec<_>>());
    }

    #[test]
    #[cfg_attr(miri, ignore = "it takes minutes")]
    fn gives_memory_back() {
        let mut heap = Heap::default();
        let count = 1_000_000;
        for id in 0..count {
            heap.make_room(id as usize + 1, |_| true).unwrap();
            heap.push((count - id) as u64, id);
        }
        assert_eq!(heap.first(|_| true), Some(1));
        (1..count).for_each(|_| heap.forget());
        assert_eq!(heap.first(|id| id == 0), Some(count as u64));
        assert!(heap.keys.capacity() <= KEPT);

        let mut heap = Heap::default();
        for id in 0..count {
            heap.make_room(id as usize + 1, |_| true).unwrap();
            heap.push(id as u64, id);
        }
        assert_eq!(heap.first(|_| true), Some(0));
        (0..count).for_each(|_| _ = heap.pop());
        assert!(heap.keys.capacity() <= KEPT);
    }
}
