//! Storage for entries under stable 32-bit ids, in chunks.
//!
//! Chunks rather than one vector, so that growing never copies what is there: a doubling of millions of entries would
//! stop the server for tens of milliseconds. Chunks that become empty are given back.

const CHUNK_BITS: u32 = 8;
const CHUNK: usize = 1 << CHUNK_BITS;
/// Ends a chunk's list of free slots.
const NO_SLOT: u16 = u16::MAX;

#[derive(Clone)]
enum Slot<T> {
    Used(T),
    /// The next free slot of the chunk.
    Free(u16),
}

/// Aligned so that slots of 64 bytes are cache lines: looking at an entry then misses the cache once, not twice.
#[derive(Clone)]
#[repr(align(64))]
struct Slots<T>([Slot<T>; CHUNK]);

#[derive(Clone)]
struct Chunk<T> {
    /// None while no slot is used, except for the spare chunk.
    slots: Option<Box<Slots<T>>>,
    first_free: u16,
    used: u16,
}

impl<T> Chunk<T> {
    /// The values with their ids; `at` is the chunk's place.
    fn iter(&self, at: usize) -> impl Iterator<Item = (u32, &T)> {
        let slots = self.slots.iter().flat_map(|slots| slots.0.iter()).enumerate();
        slots.filter_map(move |(slot, content)| match content {
            Slot::Used(value) => Some(((at << CHUNK_BITS | slot) as u32, value)),
            Slot::Free(_) => None,
        })
    }
}

#[derive(Clone)]
pub struct Slab<T> {
    chunks: Vec<Chunk<T>>,
    /// The chunks with free slots; the last one is filled next.
    open: Vec<u32>,
    /// An empty chunk whose memory is kept, so that one entry coming and going does not allocate each time.
    spare: Option<u32>,
}

impl<T> Slab<T> {
    pub fn new() -> Slab<T> {
        Slab { chunks: Vec::new(), open: Vec::new(), spare: None }
    }

    pub fn get(&self, id: u32) -> Option<&T> {
        let chunk = self.chunks.get((id >> CHUNK_BITS) as usize)?;
        match &chunk.slots.as_ref()?.0[id as usize % CHUNK] {
            Slot::Used(value) => Some(value),
            Slot::Free(_) => None,
        }
    }

    pub fn get_mut(&mut self, id: u32) -> Option<&mut T> {
        let chunk = self.chunks.get_mut((id >> CHUNK_BITS) as usize)?;
        match &mut chunk.slots.as_mut()?.0[id as usize % CHUNK] {
            Slot::Used(value) => Some(value),
            Slot::Free(_) => None,
        }
    }

    /// The id is below `u32::MAX`, and stays the same until the value is removed.
    pub fn insert(&mut self, value: T) -> u32 {
        let at = match self.open.last() {
            Some(&at) => at,
            None => self.add_chunk(),
        };
        let chunk = &mut self.chunks[at as usize];
        let slots = chunk.slots.get_or_insert_with(|| {
            chunk.first_free = 0;
            empty_slots()
        });
        let slot = chunk.first_free;
        chunk.first_free = match std::mem::replace(&mut slots.0[usize::from(slot)], Slot::Used(value)) {
            Slot::Free(next) => next,
            Slot::Used(_) => unreachable!("a used slot was in the free list"),
        };
        chunk.used += 1;
        if chunk.first_free == NO_SLOT {
            self.open.pop();
        }
        at << CHUNK_BITS | u32::from(slot)
    }

    pub fn remove(&mut self, id: u32) -> Option<T> {
        let at = id >> CHUNK_BITS;
        let chunk = self.chunks.get_mut(at as usize)?;
        let slot = &mut chunk.slots.as_mut()?.0[id as usize % CHUNK];
        if matches!(slot, Slot::Free(_)) {
            return None;
        }
        let Slot::Used(value) = std::mem::replace(slot, Slot::Free(chunk.first_free)) else {
            return None;
        };
        if chunk.first_free == NO_SLOT {
            self.open.push(at);
        }
        chunk.first_free = (id as usize % CHUNK) as u16;
        chunk.used -= 1;
        if chunk.used == 0 {
            self.release(at);
        }
        Some(value)
    }

    /// Every value with its id, from an id on.
    pub fn iter_from(&self, first: u32) -> impl Iterator<Item = (u32, &T)> {
        let chunks = self.chunks.iter().enumerate().skip((first >> CHUNK_BITS) as usize);
        chunks.flat_map(|(at, chunk)| chunk.iter(at)).skip_while(move |(id, _)| *id < first)
    }

    /// The id of the `n`th value of all, from 0. Counts the chunks: one step for 256 values.
    pub fn nth(&self, n: usize) -> Option<u32> {
        let mut left = n;
        for (at, chunk) in self.chunks.iter().enumerate() {
            let used = usize::from(chunk.used);
            if left < used {
                return chunk.iter(at).nth(left).map(|(id, _)| id);
            }
            left -= used;
        }
        None
    }

    /// Above every id in use.
    pub fn end(&self) -> u32 {
        (self.chunks.len() << CHUNK_BITS) as u32
    }

    /// How many bytes of memory the slots have. Counts the chunks: one step for 256 values.
    pub fn allocated(&self) -> usize {
        self.allocated_chunks() * size_of::<Slots<T>>() + self.chunks.capacity() * size_of::<Chunk<T>>()
    }

    /// How many chunks have memory.
    pub fn allocated_chunks(&self) -> usize {
        self.chunks.iter().filter(|chunk| chunk.slots.is_some()).count()
    }

    /// Drops up to `budget` values, whichever are cheapest, and returns how many. For a slab that is no longer used:
    /// the slots of a chunk that loses only some of its values are not filled again.
    pub fn drop_some(&mut self, budget: usize) -> usize {
        self.open.clear();
        self.spare = None;
        let mut dropped = 0;
        while let Some(mut chunk) = self.chunks.pop() {
            let used = usize::from(chunk.used);
            if used <= budget - dropped {
                dropped += used;
                continue;
            }
            let slots = chunk.slots.iter_mut().flat_map(|slots| slots.0.iter_mut());
            for slot in slots.filter(|slot| matches!(slot, Slot::Used(_))).take(budget - dropped) {
                *slot = Slot::Free(NO_SLOT);
                chunk.used -= 1;
            }
            self.chunks.push(chunk);
            return budget;
        }
        dropped
    }

    fn add_chunk(&mut self) -> u32 {
        // 2^32 entries are 256 GiB: a machine that gets here has other limits first.
        assert!(self.chunks.len() < (1 << (32 - CHUNK_BITS)) - 1, "a database is limited to 2^32 entries");
        let at = self.chunks.len() as u32;
        self.chunks.push(Chunk { slots: None, first_free: 0, used: 0 });
        self.open.push(at);
        at
    }

    /// Frees the memory of an empty chunk, unless it becomes the spare one.
    fn release(&mut self, at: u32) {
        let spare_in_use = self.spare.is_none_or(|spare| self.chunks[spare as usize].used > 0);
        if spare_in_use {
            self.spare = Some(at);
        } else if self.spare != Some(at) {
            self.chunks[at as usize].slots = None;
        }
    }
}

fn empty_slots<T>() -> Box<Slots<T>> {
    Box::new(Slots(std::array::from_fn(|slot| Slot::Free(if slot + 1 < CHUNK { slot as u16 + 1 } else { NO_SLOT }))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    #[test]
    fn memory_is_given_back_but_for_one_chunk() {
        let mut slab = Slab::new();
        let ids: Vec<u32> = (0..10 * CHUNK).map(|i| slab.insert(i)).collect();
        assert_eq!(slab.allocated_chunks(), 10);
        for &id in &ids {
            slab.remove(id);
        }
        assert_eq!(slab.allocated_chunks(), 1);
        assert_eq!(slab.iter_from(0).count(), 0);
        for i in 0..10 * CHUNK {
            slab.insert(i);
        }
        assert_eq!((slab.allocated_chunks(), slab.chunks.len()), (10, 10));
    }

    #[test]
    fn drops_no_more_than_it_may() {
        let value = std::rc::Rc::new(());
        let mut slab = Slab::new();
        let ids: Vec<u32> = (0..3 * CHUNK + 10).map(|_| slab.insert(value.clone())).collect();
        for id in ids.iter().step_by(3) {
            slab.remove(*id);
        }
        let mut left = std::rc::Rc::strong_count(&value) - 1;
        for budget in [0, 1, 100, 300, 7].into_iter().cycle() {
            let dropped = slab.drop_some(budget);
            assert_eq!(dropped, budget.min(left));
            left -= dropped;
            assert_eq!((std::rc::Rc::strong_count(&value) - 1, slab.iter_from(0).count()), (left, left));
            if left == 0 {
                break;
            }
        }
        let id = slab.insert(value.clone());
        assert_eq!((slab.iter_from(0).count(), slab.get(id).is_some()), (1, true));
    }

    proptest! {
        #[test]
        fn behaves_like_a_map(steps in prop::collection::vec((any::<bool>(), any::<prop::sample::Index>()), 0..2000)) {
            let mut slab = Slab::new();
            let mut model: HashMap<u32, usize> = HashMap::new();
            for (step, (insert, which)) in steps.into_iter().enumerate() {
                if insert || model.is_empty() {
                    let id = slab.insert(step);
                    prop_assert!(model.insert(id, step).is_none(), "an id in use was given again");
                } else {
                    let id = *which.get(&model.keys().copied().collect::<Vec<_>>());
                    prop_assert_eq!(slab.remove(id), model.remove(&id));
                    prop_assert_eq!(slab.remove(id), None);
                }
            }
            for (n, (id, _)) in slab.iter_from(0).enumerate() {
                prop_assert_eq!(slab.nth(n), Some(id));
            }
            prop_assert_eq!(slab.nth(model.len()), None);
            prop_assert_eq!(slab.iter_from(0).map(|(id, value)| (id, *value)).collect::<HashMap<_, _>>(), model);
        }
    }
}
