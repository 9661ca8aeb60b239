//! When keys expire: a heap of deadlines that knows where each entry's deadline is.
//!
//! Expiring is then exact and its work bounded: the next key to go is at the top, nothing is sampled, and no key
//! without a deadline costs anything. Entries hold their place in the heap (`Place`), so a deadline is changed or
//! removed without a search; whoever owns the entries is told about every move through the `moved` callback.

use crate::chunks::Chunks;

/// Children per node: four make the heap half as deep as two would, and lie side by side in memory.
const ARITY: usize = 4;

/// An entry's place in the heap plus one, or 0 for an entry without deadline.
pub type Place = u32;

#[derive(Clone, Copy, Default)]
struct Deadline {
    at: i64,
    id: u32,
}

pub struct Deadlines {
    heap: Chunks<Deadline>,
}

impl Deadlines {
    pub fn new() -> Deadlines {
        Deadlines { heap: Chunks::new() }
    }

    pub fn len(&self) -> usize {
        self.heap.len()
    }

    /// The earliest deadline and whose it is.
    pub fn first(&self) -> Option<(i64, u32)> {
        (self.heap.len() > 0).then(|| {
            let first = self.heap.get(0);
            (first.at, first.id)
        })
    }

    pub fn get(&self, place: Place) -> Option<i64> {
        let index = (place as usize).checked_sub(1)?;
        Some(self.heap.get(index).at)
    }

    /// Whose the deadline at an index is, which must be below the length.
    pub fn owner(&self, index: usize) -> u32 {
        self.heap.get(index).id
    }

    /// Every deadline.
    pub fn iter(&self) -> impl Iterator<Item = i64> {
        (0..self.heap.len()).map(|index| self.heap.get(index).at)
    }

    /// Gives the entry `id`, now at `place`, the deadline `at`.
    pub fn set(&mut self, id: u32, place: Place, at: i64, moved: impl FnMut(u32, Place)) {
        let deadline = Deadline { at, id };
        match (place as usize).checked_sub(1) {
            Some(index) => self.settle(index, deadline, moved),
            None => {
                self.heap.push(deadline);
                self.settle(self.heap.len() - 1, deadline, moved);
            }
        }
    }

    /// Takes away the deadline at `place`; its owner's place is 0 from now on, of which `moved` is not told.
    pub fn remove(&mut self, place: Place, moved: impl FnMut(u32, Place)) {
        let Some(index) = (place as usize).checked_sub(1) else {
            return;
        };
        if let Some(last) = self.heap.pop()
            && index < self.heap.len()
        {
            self.settle(index, last, moved);
        }
    }

    /// Puts `deadline` where it belongs, beginning at `index`, whose content is no longer needed.
    fn settle(&mut self, mut index: usize, deadline: Deadline, mut moved: impl FnMut(u32, Place)) {
        let mut place = |heap: &mut Chunks<Deadline>, index: usize, deadline: Deadline| {
            heap.set(index, deadline);
            moved(deadline.id, index as Place + 1);
        };
        while index > 0 {
            let parent = (index - 1) / ARITY;
            let above = self.heap.get(parent);
            if above.at <= deadline.at {
                break;
            }
            place(&mut self.heap, index, above);
            index = parent;
        }
        loop {
            let children = ARITY * index + 1..(ARITY * index + 1 + ARITY).min(self.heap.len());
            let Some(child) = children.min_by_key(|&child| self.heap.get(child).at) else { break };
            let below = self.heap.get(child);
            if deadline.at <= below.at {
                break;
            }
            place(&mut self.heap, index, below);
            index = child;
        }
        place(&mut self.heap, index, deadline);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    #[derive(Clone, Debug)]
    enum Step {
        Set(u32, i64),
        Remove(u32),
        Pop,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            4 => (0u32..60, any::<i64>()).prop_map(|(id, at)| Step::Set(id, at)),
            2 => (0u32..60, 0i64..5).prop_map(|(id, at)| Step::Set(id, at)),
            2 => (0u32..60).prop_map(Step::Remove),
            1 => Just(Step::Pop),
        ];
        prop::collection::vec(step, 0..400)
    }

    proptest! {
        #[test]
        fn the_earliest_is_first_and_places_are_right(steps in steps()) {
            let mut deadlines = Deadlines::new();
            let mut places: HashMap<u32, Place> = HashMap::new();
            let mut model: HashMap<u32, i64> = HashMap::new();
            for step in steps {
                match step {
                    Step::Set(id, at) => {
                        let place = places.get(&id).copied().unwrap_or(0);
                        deadlines.set(id, place, at, |id, place| {
                            places.insert(id, place);
                        });
                        model.insert(id, at);
                    }
                    Step::Remove(id) => {
                        let place = places.remove(&id).unwrap_or(0);
                        deadlines.remove(place, |id, place| {
                            places.insert(id, place);
                        });
                        model.remove(&id);
                    }
                    Step::Pop => {
                        let Some((at, id)) = deadlines.first() else { continue };
                        prop_assert_eq!(Some(at), model.values().copied().min());
                        prop_assert_eq!(model.remove(&id), Some(at));
                        deadlines.remove(places.remove(&id).unwrap(), |id, place| {
                            places.insert(id, place);
                        });
                    }
                }
                prop_assert_eq!(deadlines.len(), model.len());
                prop_assert_eq!(deadlines.first().map(|(at, _)| at), model.values().copied().min());
                for (id, at) in &model {
                    prop_assert_eq!(deadlines.get(places[id]), Some(*at));
                }
            }
        }
    }
}
