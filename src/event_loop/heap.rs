//! An indexed heap of deadlines: the earliest at hand, any other removed or moved in logarithmic time.

use crate::sys::Errno;

/// Children of a node. Four keep the heap flat and a node's children in one or two cache lines.
const ARITY: usize = 4;

/// What the heap holds. An item is told where it is whenever that changes.
pub(super) trait Indexed: Copy {
    /// Stores the item's position.
    fn set_position(self, position: usize);
}

struct Entry<T> {
    key: (u64, i64),
    item: T,
}

/// An item that is due.
pub(super) struct Due {
    key: (u64, i64),
    position: usize,
}

impl Due {
    pub(super) fn id(&self) -> i64 {
        self.key.1
    }
}

/// The heap: keys are a deadline and, among equal deadlines, an id.
pub(super) struct Heap<T> {
    entries: Vec<Entry<T>>,
}

impl<T: Indexed> Heap<T> {
    pub(super) const fn new() -> Self {
        Self { entries: Vec::new() }
    }

    /// Makes sure that the heap can hold `count` items without allocating.
    pub(super) fn reserve_total(&mut self, count: usize) -> Result<(), Errno> {
        let more = count.saturating_sub(self.entries.len());
        self.entries.try_reserve(more).map_err(|_| Errno::ENOMEM)
    }

    /// The earliest deadline.
    pub(super) fn first(&self) -> Option<u64> {
        self.entries.first().map(|entry| entry.key.0)
    }

    pub(super) fn push(&mut self, deadline: u64, id: i64, item: T) {
        let position = self.entries.len();
        self.entries.push(Entry { key: (deadline, id), item });
        item.set_position(position);
        self.sift_up(position);
    }

    /// Removes the item at a position that it was told.
    pub(super) fn remove(&mut self, position: usize) {
        self.entries.swap_remove(position);
        if position < self.entries.len() {
            self.place(position);
            if self.sift_up(position) == position {
                self.sift_down(position);
            }
        }
    }

    /// Replaces `due` by all items due at `now`, sorted. Without memory for all of them: by some.
    pub(super) fn find_due(&self, now: u64, due: &mut Vec<Due>) {
        due.clear();
        let is_due = |position: &usize| self.entries.get(*position).is_some_and(|entry| entry.key.0 <= now);
        let found = |position: usize| Due { key: self.entries[position].key, position };
        if due.try_reserve(1).is_ok() {
            due.extend(Some(0).filter(is_due).map(found));
        }
        // No child is due before its parent, so the list of those found is also the queue of those to visit.
        let mut visited = 0;
        while visited < due.len() && due.try_reserve(ARITY).is_ok() {
            let first_child = due[visited].position * ARITY + 1;
            due.extend((first_child..first_child + ARITY).filter(is_due).map(found));
            visited += 1;
        }
        due.sort_unstable_by_key(|due| due.key);
    }

    fn place(&self, position: usize) {
        self.entries[position].item.set_position(position);
    }

    fn sift_up(&mut self, mut position: usize) -> usize {
        while position > 0 {
            let parent = (position - 1) / ARITY;
            if self.entries[parent].key <= self.entries[position].key {
                break;
            }
            self.swap(parent, position);
            position = parent;
        }
        position
    }

    fn sift_down(&mut self, mut position: usize) {
        loop {
            let children = position * ARITY + 1..(position * ARITY + 1 + ARITY).min(self.entries.len());
            let Some(least) = children.min_by_key(|child| self.entries[*child].key) else { break };
            if self.entries[position].key <= self.entries[least].key {
                break;
            }
            self.swap(position, least);
            position = least;
        }
    }

    fn swap(&mut self, a: usize, b: usize) {
        self.entries.swap(a, b);
        self.place(a);
        self.place(b);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::cell::Cell;

    impl Indexed for &Cell<usize> {
        fn set_position(self, position: usize) {
            self.set(position);
        }
    }

    #[derive(Clone, Debug)]
    enum Step {
        Push(u64),
        Remove(usize),
        Due(u64),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            3 => (0u64..50).prop_map(Step::Push),
            2 => any::<usize>().prop_map(Step::Remove),
            1 => (0u64..50).prop_map(Step::Due),
        ];
        proptest::collection::vec(step, 0..300)
    }

    proptest! {
        /// Whatever is pushed and removed, the heap agrees with a plain list.
        #[test]
        fn agrees_with_a_list(steps in steps()) {
            let positions: Vec<Cell<usize>> = (0..steps.len()).map(|_| Cell::new(usize::MAX)).collect();
            let mut heap = Heap::new();
            let mut list: Vec<(u64, i64)> = Vec::new();
            for (id, step) in steps.iter().enumerate() {
                match *step {
                    Step::Push(deadline) => {
                        heap.push(deadline, id as i64, &positions[id]);
                        list.push((deadline, id as i64));
                    }
                    Step::Remove(_) if list.is_empty() => {}
                    Step::Remove(which) => {
                        let (_, id) = list.swap_remove(which % list.len());
                        heap.remove(positions[id as usize].get());
                    }
                    Step::Due(now) => {
                        let mut found = Vec::new();
                        heap.find_due(now, &mut found);
                        let mut expected: Vec<_> = list.iter().copied().filter(|key| key.0 <= now).collect();
                        expected.sort_unstable();
                        prop_assert_eq!(found.iter().map(|due| due.key).collect::<Vec<_>>(), expected);
                    }
                }
                prop_assert_eq!(heap.first(), list.iter().map(|key| key.0).min());
                for (deadline, id) in &list {
                    let entry = &heap.entries[positions[*id as usize].get()];
                    prop_assert_eq!(entry.key, (*deadline, *id));
                }
            }
        }
    }
}
