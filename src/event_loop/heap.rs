//! A heap of deadlines: the earliest at hand, any other removed in logarithmic time.

use crate::sys::Errno;

/// The number of what waits; small, since there is a table of them all.
pub(super) type Slot = u32;

/// Children of a node. Four keep the heap flat and a node's children in one or two cache lines.
const ARITY: usize = 4;

/// Where a slot that is not in the heap is.
const NOWHERE: u32 = u32::MAX;

/// The capacity below which memory is not given back.
const KEPT: usize = 4096;

#[derive(Clone, Copy)]
struct Entry {
    deadline: u64,
    /// The low half of the id: it orders those that are due at the same microsecond.
    id: u32,
    slot: Slot,
}

impl Entry {
    fn is_before(&self, other: &Self) -> bool {
        if self.deadline != other.deadline {
            return self.deadline < other.deadline;
        }
        (self.id.wrapping_sub(other.id) as i32) < 0
    }
}

/// The heap. Among equal deadlines the lower id comes first.
#[derive(Default)]
pub(super) struct Heap {
    entries: Vec<Entry>,
    /// Where each slot's entry is. Apart from the entries, so that moving these touches little else.
    positions: Vec<u32>,
}

impl Heap {
    /// Makes sure that the heap can hold `count` entries, `slot` among them, without allocating.
    pub(super) fn reserve(&mut self, count: usize, slot: Slot) -> Result<(), Errno> {
        let more = count.saturating_sub(self.entries.len());
        self.entries.try_reserve(more).map_err(|_| Errno::ENOMEM)?;
        let slots = slot as usize + 1;
        if slots > self.positions.len() {
            self.positions.try_reserve(slots - self.positions.len()).map_err(|_| Errno::ENOMEM)?;
            self.positions.resize(slots, NOWHERE);
        }
        Ok(())
    }

    /// The earliest deadline.
    pub(super) fn first(&self) -> Option<u64> {
        self.entries.first().map(|entry| entry.deadline)
    }

    /// Adds a slot that is not there; [`Heap::reserve`] has made room.
    pub(super) fn push(&mut self, deadline: u64, id: i64, slot: Slot) {
        let entry = Entry { deadline, id: id as u32, slot };
        self.entries.push(entry);
        self.sift_up(self.entries.len() - 1, entry);
    }

    /// Removes a slot, if it is there.
    pub(super) fn remove(&mut self, slot: Slot) {
        if let Some(position) = self.position(slot) {
            self.remove_at(position);
        }
    }

    /// Removes the earliest, if its deadline is not after `now`.
    pub(super) fn pop_due(&mut self, now: u64) -> Option<Slot> {
        let first = *self.entries.first()?;
        (first.deadline <= now).then(|| {
            self.remove_at(0);
            first.slot
        })
    }

    fn position(&self, slot: Slot) -> Option<usize> {
        self.positions.get(slot as usize).filter(|position| **position != NOWHERE).map(|position| *position as usize)
    }

    fn remove_at(&mut self, position: usize) {
        let removed = self.entries[position];
        self.positions[removed.slot as usize] = NOWHERE;
        if let Some(last) = self.entries.pop()
            && position < self.entries.len()
        {
            if position > 0 && last.is_before(&self.entries[(position - 1) / ARITY]) {
                self.sift_up(position, last);
            } else {
                self.sift_down(position, last);
            }
        }
        if self.entries.capacity() > KEPT && self.entries.len() < self.entries.capacity() / 8 {
            self.entries.shrink_to(self.entries.capacity() / 4);
        }
    }

    fn put(&mut self, position: usize, entry: Entry) {
        self.entries[position] = entry;
        self.positions[entry.slot as usize] = position as u32;
    }

    /// Finds the place of `entry` from a hole on towards the root.
    fn sift_up(&mut self, mut hole: usize, entry: Entry) {
        while hole > 0 {
            let parent = (hole - 1) / ARITY;
            if !entry.is_before(&self.entries[parent]) {
                break;
            }
            self.put(hole, self.entries[parent]);
            hole = parent;
        }
        self.put(hole, entry);
    }

    /// The same away from it.
    fn sift_down(&mut self, mut hole: usize, entry: Entry) {
        loop {
            let first = hole * ARITY + 1;
            let last = (first + ARITY).min(self.entries.len());
            if first >= last {
                break;
            }
            let mut least = first;
            for child in first + 1..last {
                if self.entries[child].is_before(&self.entries[least]) {
                    least = child;
                }
            }
            if !self.entries[least].is_before(&entry) {
                break;
            }
            self.put(hole, self.entries[least]);
            hole = least;
        }
        self.put(hole, entry);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Clone, Debug)]
    enum Step {
        Push(u64),
        Remove(usize),
        PopDue(u64),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            4 => (0u64..50).prop_map(Step::Push),
            2 => any::<usize>().prop_map(Step::Remove),
            2 => (0u64..50).prop_map(Step::PopDue),
        ];
        proptest::collection::vec(step, 0..300)
    }

    proptest! {
        /// Whatever is pushed and removed, the heap agrees with a plain list. Slots are used again, ids are not.
        #[test]
        fn agrees_with_a_list(steps in steps(), first_id in prop_oneof![Just(0), Just(i64::from(u32::MAX) - 3)]) {
            let mut heap = Heap::default();
            let mut list: Vec<(u64, i64, Slot)> = Vec::new();
            for (count, step) in steps.iter().enumerate() {
                let id = first_id + count as i64;
                match *step {
                    Step::Push(deadline) => {
                        let slot = (0..).find(|slot| list.iter().all(|other| other.2 != *slot)).unwrap();
                        heap.reserve(list.len() + 1, slot).unwrap();
                        heap.push(deadline, id, slot);
                        list.push((deadline, id, slot));
                    }
                    Step::Remove(_) if list.is_empty() => heap.remove(7),
                    Step::Remove(which) => {
                        let (_, _, slot) = list.swap_remove(which % list.len());
                        heap.remove(slot);
                    }
                    Step::PopDue(now) => {
                        let expected = list.iter().copied().min().filter(|first| first.0 <= now);
                        prop_assert_eq!(heap.pop_due(now), expected.map(|first| first.2));
                        list.retain(|other| Some(*other) != expected);
                    }
                }
                prop_assert_eq!(heap.first(), list.iter().map(|other| other.0).min());
                prop_assert_eq!(heap.entries.len(), list.len());
            }
        }
    }

    #[test]
    fn gives_memory_back() {
        let mut heap = Heap::default();
        let count = 100_000;
        for slot in 0..count {
            heap.reserve(slot as usize + 1, slot).unwrap();
            heap.push(u64::from(count - slot), slot.into(), slot);
        }
        for slot in 0..count - 1 {
            heap.remove(slot);
        }
        assert!(heap.entries.capacity() <= KEPT);
        assert_eq!(heap.pop_due(1), Some(count - 1));
    }
}
