//! Memory for time events, in chunks. One event is a cache line; those made one after the other lie side by side.

use crate::abi::ae::aeTimeEvent;
use crate::host::memory::ZeroedArray;
use crate::sys::Errno;
use crate::sys::errno::quietly;
use core::mem::take;
use core::ptr;

/// The number of an event in the pool.
pub(in crate::event_loop) type Slot = u32;

/// The pool of a loop. What it keeps is 8 MB, room for 131 072 events.
#[cfg(any(test, not(debug_assertions)))] // Unit tests have what ships.
pub(super) type TimerPool = Pool<6, 2048>;
/// The same with debug assertions: each event is an allocation of its own, so that tools see what is used after it has
/// been freed.
#[cfg(all(debug_assertions, not(test)))]
pub(super) type TimerPool = Pool<0, 0>;

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

/// A pool with chunks of `1 << BITS` events, of which it keeps up to `SPARE` although no event is in them.
#[derive(Default)]
pub(super) struct Pool<const BITS: u32, const SPARE: usize> {
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

impl<const BITS: u32, const SPARE: usize> Pool<BITS, SPARE> {
    /// Events in a chunk.
    const CHUNK: usize = 1 << BITS;
    /// The free events of a chunk without any in use.
    const ALL: u64 = u64::MAX >> (64 - Self::CHUNK);

    fn chunk_of(slot: Slot) -> usize {
        (slot >> BITS) as usize
    }

    fn offset_of(slot: Slot) -> usize {
        slot as usize & (Self::CHUNK - 1)
    }

    /// Whether there is an event to be had. If not, [`Pool::make_room`] has to be called.
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
            self.heads[index as usize].first = chunk.provide(Self::CHUNK)?;
        } else if chunk.free == Self::ALL {
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
        self.current * Self::CHUNK as Slot + offset
    }

    /// How many events there has been memory for.
    #[cfg(test)]
    pub(super) fn size(&self) -> usize {
        Self::CHUNK * self.chunks.len()
    }

    /// Where an event is, for as long as it is in use.
    pub(super) fn get(&self, slot: Slot) -> *mut aeTimeEvent {
        let first = self.heads[Self::chunk_of(slot)].first;
        // SAFETY: a chunk has that many events.
        unsafe { first.add(Self::offset_of(slot)) }
    }

    /// Marks an event that is in use, to be found by [`Pool::take_condemned`]; nothing of it is read or written.
    pub(super) fn condemn(&mut self, slot: Slot) {
        let head = &mut self.heads[Self::chunk_of(slot)];
        if head.condemned == 0 {
            self.marked.push(Self::chunk_of(slot) as u32);
        }
        head.condemned |= 1 << Self::offset_of(slot);
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
                if is_free(index * Self::CHUNK as Slot + offset, unsafe { head.first.add(offset as usize) }) {
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
        self.release(Self::chunk_of(slot) as u32, 1 << Self::offset_of(slot));
    }

    fn release(&mut self, index: u32, freed: u64) {
        let chunk = &mut self.chunks[index as usize];
        if chunk.free == 0 {
            self.open.push(index);
        }
        chunk.free |= freed;
        if chunk.free == Self::ALL {
            self.spare += 1;
            if self.spare > SPARE {
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
        self.chunks.push(Chunk { memory: None, free: Self::ALL });
        self.heads.push(Head { first: ptr::null_mut(), condemned: 0 });
        self.open.push(index);
        Ok(index)
    }
}

impl Chunk {
    #[cold]
    fn provide(&mut self, count: usize) -> Result<*mut aeTimeEvent, Errno> {
        let memory = ZeroedArray::<aeTimeEvent>::new(count + 1)?;
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

    fn take_one<const BITS: u32, const SPARE: usize>(pool: &mut Pool<BITS, SPARE>) -> Slot {
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
        proptest::collection::vec(step, 0..if cfg!(miri) { 60 } else { 1000 })
    }

    /// Those in use are apart, inside their chunk's memory, and keep their content; there is no chunk more than the most
    /// have needed. The condemned with an odd number stay in use when they are handed over.
    fn stay_apart<const BITS: u32, const SPARE: usize>(steps: &[Step]) -> Result<(), TestCaseError> {
        let mut pool = Pool::<BITS, SPARE>::default();
        let mut used: BTreeMap<Slot, i64> = BTreeMap::new();
        let (mut condemned, mut most) = (BTreeSet::new(), 0);
        for (step, count) in steps.iter().zip(0..) {
            let pick = |which: usize| used.keys().nth(which % used.len().max(1)).copied();
            match *step {
                Step::Allocate => {
                    let slot = take_one(&mut pool);
                    let event = pool.get(slot);
                    let memory = pool.chunks[Pool::<BITS, SPARE>::chunk_of(slot)].memory.as_mut().unwrap();
                    prop_assert!(memory.as_mut_slice().as_mut_ptr_range().contains(&event));
                    prop_assert!(event.wrapping_add(1) <= memory.as_mut_slice().as_mut_ptr_range().end);
                    prop_assert_eq!(event.addr() % size_of::<aeTimeEvent>(), 0);
                    // SAFETY: an event in use, written before it is read.
                    unsafe { (*event).id = count };
                    prop_assert_eq!(used.insert(slot, count), None);
                    most = most.max(used.len());
                }
                Step::Free(which) => {
                    if let Some(slot) = pick(which).filter(|slot| !condemned.contains(slot)) {
                        // SAFETY: an event in use, written above.
                        prop_assert_eq!(Some(unsafe { (*pool.get(slot)).id }), used.remove(&slot));
                        pool.free(slot);
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
        }
        prop_assert_eq!(pool.chunks.len(), most.div_ceil(Pool::<BITS, SPARE>::CHUNK));
        for (slot, id) in used {
            // SAFETY: an event in use, written above.
            prop_assert_eq!(unsafe { (*pool.get(slot)).id }, id);
        }
        Ok(())
    }

    proptest! {
        /// Whatever is allocated, freed and condemned: in the pool that ships, in one whose chunks come to be empty more
        /// often, and in that of debug builds.
        #[test]
        fn events_in_use_are_apart(steps in steps()) {
            stay_apart::<6, 2048>(&steps)?;
            stay_apart::<2, 1>(&steps)?;
            stay_apart::<0, 0>(&steps)?;
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "it takes minutes")]
    fn memory_is_given_back_and_slots_are_used_again() {
        const SPARE: usize = 2048;
        let mut pool = Pool::<6, SPARE>::default();
        let count = (64 * (SPARE + 10)) as Slot;
        for _ in 0..2 {
            let slots: Vec<_> = (0..count).map(|_| take_one(&mut pool)).collect();
            assert!(slots.iter().all(|slot| *slot < count));
            for slot in slots {
                pool.free(slot);
            }
            assert_eq!(pool.chunks.iter().filter(|chunk| chunk.memory.is_some()).count(), SPARE);
        }
    }
}
