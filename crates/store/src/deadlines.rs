//! When keys expire: the ids of entries in the order of their deadlines.
//!
//! Expiring is then exact and its work bounded: the next key to go is known, nothing is sampled, and no key without a
//! deadline costs anything. Deadlines themselves are in the entries; whoever owns these tells them (`at_of`). Here are
//! only ids, in leaves: each is a heap of ids without order, whose deadlines are all later than those of the leaf before.
//! The first leaf alone is sorted, and has the deadlines with it.

use crate::slab::Slab;
use std::collections::BTreeMap;

/// Ids in a leaf.
const MOST: usize = 256;
/// A leaf with fewer joins the one before it, if there is room.
const FEW: usize = MOST / 8;

/// A deadline in Unix milliseconds, and whose it is.
type Deadline = (i64, u32);

struct Leaf {
    /// No deadline in it is earlier.
    bound: Deadline,
    ids: Vec<u32>,
}

pub struct Deadlines {
    /// The earliest ones; the first of them last.
    front: Vec<Deadline>,
    /// The other leaves by their bounds.
    order: BTreeMap<Deadline, u32>,
    leaves: Slab<Leaf>,
    len: usize,
    sum: i128,
    /// For how many ids the leaves have memory.
    capacity: usize,
}

impl Deadlines {
    pub fn new() -> Deadlines {
        Deadlines { front: Vec::new(), order: BTreeMap::new(), leaves: Slab::new(), len: 0, sum: 0, capacity: 0 }
    }

    pub fn len(&self) -> usize {
        self.len
    }

    /// The mean of all.
    pub fn mean(&self) -> Option<i64> {
        (self.len > 0).then(|| (self.sum / self.len as i128) as i64)
    }

    /// How many bytes of memory they have.
    pub fn allocated(&self) -> usize {
        // A node of the tree is about two thirds full.
        let order = self.order.len() * size_of::<(Deadline, u32)>() * 3 / 2;
        let front = self.front.capacity() * size_of::<Deadline>();
        front + order + self.leaves.allocated() + self.capacity * size_of::<u32>()
    }

    /// The earliest deadline and whose it is.
    pub fn first(&self) -> Option<(i64, u32)> {
        self.front.last().copied()
    }

    /// A place picked by a random number, and whose deadline is there. Each is as likely as any other.
    pub fn at_random(&self, number: u64) -> Option<u32> {
        let leaves = self.order.len() as u64 + 1;
        let (leaf, place) = (number % leaves, (number / leaves) as usize % MOST);
        match leaf.checked_sub(1) {
            None => self.front.get(place).map(|(_, id)| *id),
            Some(leaf) => self.leaves.get(self.leaves.nth(leaf as usize)?)?.ids.get(place).copied(),
        }
    }

    /// Adds a deadline of an entry that has none here.
    pub fn insert(&mut self, at: i64, id: u32, at_of: impl Fn(u32) -> i64) {
        self.len += 1;
        self.sum += i128::from(at);
        let deadline = (at, id);
        match self.leaf_of(deadline) {
            Some(leaf) if self.ids(leaf) == MOST => self.split(leaf, deadline, at_of),
            Some(leaf) => self.change(leaf, |ids| push(ids, id)),
            None => {
                let place = self.front.partition_point(|other| *other > deadline);
                self.front.insert(place, deadline);
                if self.front.len() > MOST {
                    // If it is the latest of all, there will be more of them: those before stay together.
                    let cut = if place == 0 && self.order.is_empty() { 1 } else { MOST / 2 };
                    let later: Vec<Deadline> = self.front.drain(..cut).collect();
                    self.add_leaf(later);
                }
            }
        }
    }

    /// Takes an entry's deadline away.
    pub fn remove(&mut self, at: i64, id: u32, at_of: impl Fn(u32) -> i64) {
        let deadline = (at, id);
        let found = match self.leaf_of(deadline) {
            Some(leaf) => self.remove_from(leaf, id),
            None => match self.front.binary_search_by(|other| deadline.cmp(other)) {
                Ok(place) => {
                    self.front.remove(place);
                    true
                }
                Err(_) => false,
            },
        };
        debug_assert!(found, "no such deadline");
        if found {
            self.len -= 1;
            self.sum -= i128::from(at);
        }
        if self.front.is_empty()
            && let Some((_, leaf)) = self.order.pop_first()
            && let Some(leaf) = self.leaves.remove(leaf)
        {
            self.capacity -= leaf.ids.capacity();
            self.front.extend(leaf.ids.into_iter().map(|id| (at_of(id), id)));
            self.front.sort_unstable_by(|one, other| other.cmp(one));
        }
    }

    fn leaf_of(&self, deadline: Deadline) -> Option<u32> {
        self.order.range(..=deadline).next_back().map(|(_, leaf)| *leaf)
    }

    fn ids(&self, leaf: u32) -> usize {
        self.leaves.get(leaf).map_or(0, |leaf| leaf.ids.len())
    }

    fn change<T: Default>(&mut self, leaf: u32, change: impl FnOnce(&mut Vec<u32>) -> T) -> T {
        let Some(leaf) = self.leaves.get_mut(leaf) else { return T::default() };
        let before = leaf.ids.capacity();
        let result = change(&mut leaf.ids);
        self.capacity = self.capacity + leaf.ids.capacity() - before;
        result
    }

    fn add_leaf(&mut self, deadlines: Vec<Deadline>) {
        let Some(bound) = deadlines.iter().min().copied() else { return };
        let ids: Vec<u32> = deadlines.iter().map(|(_, id)| *id).collect();
        self.capacity += ids.capacity();
        let leaf = self.leaves.insert(Leaf { bound, ids });
        self.order.insert(bound, leaf);
    }

    /// Adds a deadline to a leaf that is full. The later half of it moves to a new one.
    fn split(&mut self, leaf: u32, deadline: Deadline, at_of: impl Fn(u32) -> i64) {
        let Some(ids) = self.leaves.get(leaf).map(|leaf| &leaf.ids) else { return };
        let mut deadlines: Vec<Deadline> = ids.iter().map(|id| (at_of(*id), *id)).collect();
        let is_last = self.order.last_key_value().is_some_and(|(_, last)| *last == leaf);
        // If the new one is the latest of all, there will be more of them: those before stay together.
        if is_last && deadlines.iter().all(|other| *other < deadline) {
            return self.add_leaf(vec![deadline]);
        }
        deadlines.push(deadline);
        deadlines.select_nth_unstable(MOST / 2);
        let later = deadlines.split_off(MOST / 2);
        self.change(leaf, |ids| *ids = deadlines.iter().map(|(_, id)| *id).collect());
        self.add_leaf(later);
    }

    fn remove_from(&mut self, leaf: u32, id: u32) -> bool {
        let found = self.change(leaf, |ids| {
            let place = ids.iter().position(|other| *other == id);
            place.into_iter().for_each(|place| _ = ids.swap_remove(place));
            if ids.len() < ids.capacity() / 2 {
                ids.shrink_to(ids.len() + ids.len() / 4);
            }
            place.is_some()
        });
        let left = self.ids(leaf);
        if left < FEW
            && let Some(bound) = self.leaves.get(leaf).map(|leaf| leaf.bound)
        {
            let before = self.order.range(..bound).next_back().map(|(_, leaf)| *leaf);
            let joined = before.filter(|before| self.ids(*before) + left <= MOST / 2);
            if (left == 0 || joined.is_some())
                && let Some(gone) = self.leaves.remove(leaf)
            {
                self.order.remove(&bound);
                self.capacity -= gone.ids.capacity();
                if let Some(before) = joined {
                    self.change(before, |ids| ids.extend(gone.ids));
                }
            }
        }
        found
    }
}

/// Adds an id. Memory grows to the next size that allocators have, four in a doubling, since there are many leaves.
fn push(ids: &mut Vec<u32>, id: u32) {
    if ids.len() == ids.capacity() {
        let step = ((ids.len() + 1).next_power_of_two() / 8).max(4);
        ids.reserve_exact(step - ids.len() % step);
    }
    ids.push(id);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    #[derive(Clone, Debug)]
    enum Step {
        /// So many ids from one on, each so much later than the one before.
        Set(u32, u32, i64, i64),
        Remove(u32, u32),
        Pop(u32),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let id = 0u32..3000;
        let step = prop_oneof![
            2 => (id.clone(), any::<i64>()).prop_map(|(id, at)| Step::Set(id, 1, at, 0)),
            2 => (id.clone(), 1u32..600, 0i64..5000, -3i64..4).prop_map(|(id, many, at, by)| Step::Set(id, many, at, by)),
            2 => (id, 1u32..600).prop_map(|(id, many)| Step::Remove(id, many)),
            1 => (1u32..300).prop_map(Step::Pop),
        ];
        prop::collection::vec(step, 0..40)
    }

    fn check(deadlines: &Deadlines, model: &HashMap<u32, i64>) {
        assert_eq!(deadlines.len(), model.len());
        assert_eq!(deadlines.first(), model.iter().map(|(id, at)| (*at, *id)).min());
        let sum: i128 = model.values().map(|at| i128::from(*at)).sum();
        assert_eq!(deadlines.mean(), sum.checked_div(model.len() as i128).map(|mean| mean as i64));
        let leaves = || deadlines.leaves.iter_from(0).map(|(_, leaf)| leaf);
        assert_eq!(leaves().map(|leaf| leaf.ids.capacity()).sum::<usize>(), deadlines.capacity);
        assert_eq!(leaves().count(), deadlines.order.len());
        assert!(leaves().all(|leaf| (1..=MOST).contains(&leaf.ids.len())) && deadlines.front.len() <= MOST);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn the_earliest_is_first(steps in steps()) {
            let mut deadlines = Deadlines::new();
            let mut model: HashMap<u32, i64> = HashMap::new();
            for step in steps {
                match step {
                    Step::Set(id, many, at, by) => {
                        for n in 0..many {
                            let (id, at) = (id + n, at.saturating_add(by * i64::from(n)));
                            if let Some(old) = model.remove(&id) {
                                deadlines.remove(old, id, |id| model[&id]);
                            }
                            model.insert(id, at);
                            deadlines.insert(at, id, |id| model[&id]);
                        }
                    }
                    Step::Remove(id, many) => {
                        for id in id..id + many {
                            if let Some(at) = model.remove(&id) {
                                deadlines.remove(at, id, |id| model[&id]);
                            }
                        }
                    }
                    Step::Pop(many) => {
                        for _ in 0..many {
                            let Some((at, id)) = deadlines.first() else { break };
                            prop_assert_eq!(Some((at, id)), model.iter().map(|(id, at)| (*at, *id)).min());
                            model.remove(&id);
                            deadlines.remove(at, id, |id| model[&id]);
                        }
                    }
                }
                check(&deadlines, &model);
            }
        }
    }

    #[test]
    fn memory_is_in_proportion() {
        // In order, at random, and each with the same deadline.
        let orders: [fn(u32) -> i64; 3] = [i64::from, |i| i64::from(i.wrapping_mul(2_654_435_769)), |_| 7];
        for at in orders {
            let mut deadlines = Deadlines::new();
            (0..100_000).for_each(|id| deadlines.insert(at(id), id, at));
            assert!(deadlines.allocated() <= 100_000 * 6 + 8 * 1024, "{}", deadlines.allocated());
            let asked = std::cell::Cell::new(0);
            (0..99_990).filter(|id| id % 1000 != 0).for_each(|id| {
                asked.set(0);
                deadlines.remove(at(id), id, |id| {
                    asked.set(asked.get() + 1);
                    at(id)
                });
                assert!(asked.get() <= MOST);
            });
            assert!(deadlines.allocated() <= 32 * 1024, "{}", deadlines.allocated());
        }
    }

    #[test]
    fn random_ones_are_all_met() {
        let mut deadlines = Deadlines::new();
        assert_eq!(deadlines.at_random(7), None);
        (0..1000).for_each(|id| deadlines.insert(id.into(), id, i64::from));
        let mut number = 1u64;
        let mut found = vec![0; 1000];
        for _ in 0..100_000 {
            number = number.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            if let Some(id) = deadlines.at_random(number >> 16) {
                found[id as usize] += 1;
            }
        }
        assert!(found.iter().all(|times| *times > 0));
    }
}
