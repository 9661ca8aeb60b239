//! Memory for time events, in chunks. One event is a cache line; those made one after the other lie side by side.

use crate::abi::ae::aeTimeEvent;
use crate::host::memory::ZeroedArray;
use crate::sys::Errno;
use crate::sys::errno::quietly;
use core::mem::take;
use core::ptr;

/// The number of an event in the pool.
pub(in crate::event_loop) type Slot = u32;

/// Events in a chunk. With debug assertions each event is an allocation of its own, so that tools see what is used
/// after it has been freed.
const CHUNK: usize = 1 << CHUNK_BITS;
const CHUNK_BITS: u32 = if cfg!(debug_assertions) { 0 } else { 6 };

/// Chunks that are kept although no event is in them: 8 MB, room for 131 072 events.
const SPARE_CHUNKS: usize = if cfg!(debug_assertions) { 0 } else { 2048 };

/// The free events of a chunk without any in use.
const ALL: u64 = u64::MAX >> (64 - CHUNK);

struct Chunk {
    /// Room for one more than there are, for the alignment. None when it has been given back.
    memory: Option<ZeroedArray<aeTimeEvent>>,
    /// A bit for each event that is free.
    free: u64,
}

/// What is needed of a chunk to delete an event; apart, since with many chunks it is to stay in a cache.
struct Head {
    first: *mut aeTimeEvent,
    /// A bit for each event that is condemned.
    condemned: u64,
}

fn chunk_of(slot: Slot) -> usize {
    (slot >> CHUNK_BITS) as usize
}

fn offset_of(slot: Slot) -> usize {
    slot as usize & (CHUNK - 1)
}

/// The pool.
#[derive(Default)]
pub(super) struct TimerPool {
    /// The chunk that events are given out of, and a bit for each that is left; that chunk does not count these as
    /// free.
    current: u32,
    left: u64,
    chunks: Vec<Chunk>,
    /// One for each of `chunks`.
    heads: Vec<Head>,
    /// The chunks with free events.
    open: Vec<u32>,
    /// The chunks with condemned events.
    marked: Vec<u32>,
    /// How many have memory and no event in use.
    spare: usize,
}

impl TimerPool {
    /// Whether there is an event to be had. If not, [`TimerPool::make_room`] has to be called.
    pub(super) fn has_room(&self) -> bool {
        self.left != 0
    }

    #[cold]
    pub(super) fn make_room(&mut self) -> Result<(), Errno> {
        let index = match self.open.last() {
            Some(index) => *index,
            None => self.add_chunk()?,
        };
        let chunk = &mut self.chunks[index as usize];
        if chunk.memory.is_none() {
            self.heads[index as usize].first = chunk.provide()?;
        } else if chunk.free == ALL {
            self.spare -= 1;
        }
        self.open.pop();
        (self.current, self.left) = (index, take(&mut chunk.free));
        Ok(())
    }

    /// An event that is not in use, uninitialised; there is room.
    pub(super) fn allocate(&mut self) -> Slot {
        let offset = self.left.trailing_zeros();
        self.left &= self.left - 1;
        self.current * CHUNK as Slot + offset
    }

    /// How many events there has been memory for.
    #[cfg(test)]
    pub(super) fn size(&self) -> usize {
        CHUNK * self.chunks.len()
    }

    /// Where an event is, for as long as it is in use.
    pub(super) fn get(&self, slot: Slot) -> *mut aeTimeEvent {
        let first = self.heads[chunk_of(slot)].first;
        // SAFETY: a chunk has that many events.
        unsafe { first.add(offset_of(slot)) }
    }

    /// Marks an event that is in use, to be found by [`TimerPool::take_condemned`]; nothing of it is read or written.
    pub(super) fn condemn(&mut self, slot: Slot) {
        let head = &mut self.heads[chunk_of(slot)];
        if head.condemned == 0 {
            self.marked.push(chunk_of(slot) as u32);
        }
        head.condemned |= 1 << offset_of(slot);
    }

    /// Hands all condemned events over, those of a chunk one after the other, and frees those for which this says so.
    pub(super) fn take_condemned(&mut self, mut is_free: impl FnMut(Slot, *mut aeTimeEvent) -> bool) {
        while let Some(index) = self.marked.pop() {
            let head = &mut self.heads[index as usize];
            let mut rest = take(&mut head.condemned);
            let mut freed = 0;
            while rest != 0 {
                let offset = rest.trailing_zeros();
                // SAFETY: a chunk has that many events.
                if is_free(index * CHUNK as Slot + offset, unsafe { head.first.add(offset as usize) }) {
                    freed |= 1 << offset;
                }
                rest &= rest - 1;
            }
            if freed != 0 {
                self.release(index, freed);
            }
        }
    }

    /// Frees an event that is in use.
    pub(super) fn free(&mut self, slot: Slot) {
        self.release(chunk_of(slot) as u32, 1 << offset_of(slot));
    }

    fn release(&mut self, index: u32, freed: u64) {
        let chunk = &mut self.chunks[index as usize];
        if chunk.free == 0 {
            self.open.push(index);
        }
        chunk.free |= freed;
        if chunk.free == ALL {
            self.spare += 1;
            if self.spare > SPARE_CHUNKS {
                self.spare -= 1;
                quietly(|| chunk.memory = None);
            }
        }
    }

    #[cold]
    fn add_chunk(&mut self) -> Result<u32, Errno> {
        self.chunks.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
        self.heads.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
        // One for each chunk, so that freeing cannot fail.
        for list in [&mut self.open, &mut self.marked] {
            list.try_reserve(self.chunks.len() + 1 - list.len()).map_err(|_| Errno::ENOMEM)?;
        }
        let index = u32::try_from(self.chunks.len()).map_err(|_| Errno::ENOMEM)?;
        self.chunks.push(Chunk { memory: None, free: ALL });
        self.heads.push(Head { first: ptr::null_mut(), condemned: 0 });
        self.open.push(index);
        Ok(index)
    }
}

impl Chunk {
    #[cold]
    fn provide(&mut self) -> Result<*mut aeTimeEvent, Errno> {
        let memory = ZeroedArray::<aeTimeEvent>::new(CHUNK + 1)?;
        let start = memory.as_mut_ptr();
        let unaligned = start.addr() % size_of::<aeTimeEvent>();
        let skip = if unaligned == 0 { 0 } else { size_of::<aeTimeEvent>() - unaligned };
        self.memory = Some(memory);
        Ok(start.wrapping_byte_add(skip))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::{BTreeMap, BTreeSet};

    fn take_one(pool: &mut TimerPool) -> Slot {
        if !pool.has_room() {
            pool.make_room().unwrap();
        }
        pool.allocate()
    }

    #[derive(Clone, Debug)]
    enum Step {
        Allocate,
        Free(usize),
        Condemn(usize),
        TakeCondemned,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            8 => Just(Step::Allocate),
            2 => any::<usize>().prop_map(Step::Free),
            5 => any::<usize>().prop_map(Step::Condemn),
            1 => Just(Step::TakeCondemned),
        ];
        proptest::collection::vec(step, 0..1000)
    }

    proptest! {
        /// Whatever is allocated, freed and condemned, those in use are apart and keep their content. The condemned
        /// with an odd number stay in use when they are handed over.
        #[test]
        fn events_in_use_are_apart(steps in steps()) {
            let mut pool = TimerPool::default();
            let mut used: BTreeMap<Slot, i64> = BTreeMap::new();
            let mut condemned = BTreeSet::new();
            for (step, count) in steps.into_iter().zip(0..) {
                let pick = |which: usize| used.keys().nth(which % used.len().max(1)).copied();
                match step {
                    Step::Allocate => {
                        let slot = take_one(&mut pool);
                        // SAFETY: an event in use, written before it is read.
                        unsafe { (*pool.get(slot)).id = count };
                        prop_assert_eq!(used.insert(slot, count), None);
                    }
                    Step::Free(which) => {
                        if let Some(slot) = pick(which).filter(|slot| !condemned.contains(slot)) {
                            pool.free(slot);
                            used.remove(&slot);
                        }
                    }
                    Step::Condemn(which) => {
                        if let Some(slot) = pick(which) {
                            pool.condemn(slot);
                            condemned.insert(slot);
                        }
                    }
                    Step::TakeCondemned => {
                        let mut taken = BTreeSet::new();
                        pool.take_condemned(|slot, event| {
                            taken.insert(slot);
                            // SAFETY: an event in use.
                            let id = unsafe { (*event).id };
                            assert_eq!(used.get(&slot), Some(&id));
                            if id % 2 == 0 {
                                used.remove(&slot);
                            }
                            id % 2 == 0
                        });
                        prop_assert_eq!(&taken, &condemned);
                        condemned.clear();
                    }
                }
                for (slot, id) in &used {
                    // SAFETY: an event in use, written above.
                    prop_assert_eq!(unsafe { (*pool.get(*slot)).id }, *id);
                }
            }
        }
    }

    #[test]
    fn memory_is_given_back_and_slots_are_used_again() {
        let mut pool = TimerPool::default();
        let count = (CHUNK * (SPARE_CHUNKS + 10)) as Slot;
        for _ in 0..2 {
            let slots: Vec<_> = (0..count).map(|_| take_one(&mut pool)).collect();
            assert!(slots.iter().all(|slot| *slot < count));
            for slot in slots {
                pool.free(slot);
            }
            assert_eq!(pool.chunks.iter().filter(|chunk| chunk.memory.is_some()).count(), SPARE_CHUNKS);
        }
    }
}
