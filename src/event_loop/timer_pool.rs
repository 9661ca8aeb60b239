//! Memory for time events, in chunks. One event is a cache line; those made one after the other lie side by side.

use super::heap::Slot;
use super::memory::ZeroedArray;
use crate::abi::ae::aeTimeEvent;
use crate::sys::Errno;
use core::ptr;

/// Events in a chunk. With debug assertions each event is an allocation of its own, so that tools see what is used after it
/// has been freed.
const CHUNK: usize = 1 << CHUNK_BITS;
const CHUNK_BITS: u32 = if cfg!(debug_assertions) { 0 } else { 6 };

/// Chunks that are kept although no event is in them: 8 MB, room for 131 072 events.
const SPARE_CHUNKS: usize = if cfg!(debug_assertions) { 0 } else { 2048 };

/// The free events of a chunk without any in use.
const ALL: u64 = u64::MAX >> (64 - CHUNK);

struct Chunk {
    /// Room for one more than there are, for the alignment. None when it has been given back.
    memory: Option<ZeroedArray<aeTimeEvent>>,
    first: *mut aeTimeEvent,
    /// A bit for each event that is free.
    free: u64,
    /// Whether it is in `TimerPool::open`.
    listed: bool,
}

fn chunk_of(slot: Slot) -> usize {
    (slot >> CHUNK_BITS) as usize
}

fn offset_of(slot: Slot) -> usize {
    slot as usize & (CHUNK - 1)
}

/// The pool. A slot is the number of an event in it.
#[derive(Default)]
pub(super) struct TimerPool {
    chunks: Vec<Chunk>,
    /// The chunks with free events, the next to be used last.
    open: Vec<u32>,
    /// How many have memory and no event in use.
    spare: usize,
}

impl TimerPool {
    /// An event that is not used, of any content.
    pub(super) fn allocate(&mut self) -> Result<Slot, Errno> {
        let index = match self.open.last() {
            Some(index) => *index,
            None => self.add_chunk()?,
        };
        let chunk = &mut self.chunks[index as usize];
        if chunk.memory.is_none() {
            chunk.provide()?;
        } else if chunk.free == ALL {
            self.spare -= 1;
        }
        let offset = chunk.free.trailing_zeros();
        chunk.free &= chunk.free - 1;
        if chunk.free == 0 {
            chunk.listed = false;
            self.open.pop();
        }
        Ok(index * CHUNK as Slot + offset)
    }

    /// Where an event is, for as long as it is in use.
    pub(super) fn get(&self, slot: Slot) -> *mut aeTimeEvent {
        let first = self.chunks[chunk_of(slot)].first;
        // SAFETY: a chunk has that many events.
        unsafe { first.add(offset_of(slot)) }
    }

    /// Frees an event that is in use.
    pub(super) fn free(&mut self, slot: Slot) {
        let index = chunk_of(slot);
        let chunk = &mut self.chunks[index];
        chunk.free |= 1 << (offset_of(slot));
        if !chunk.listed {
            chunk.listed = true;
            self.open.push(index as u32);
        }
        if chunk.free == ALL {
            self.spare += 1;
            if self.spare > SPARE_CHUNKS {
                self.spare -= 1;
                chunk.memory = None;
            }
        }
    }

    #[cold]
    fn add_chunk(&mut self) -> Result<u32, Errno> {
        self.chunks.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
        // One for each chunk, so that freeing cannot fail.
        self.open.try_reserve(self.chunks.len() + 1 - self.open.len()).map_err(|_| Errno::ENOMEM)?;
        let index = u32::try_from(self.chunks.len()).map_err(|_| Errno::ENOMEM)?;
        self.chunks.push(Chunk { memory: None, first: ptr::null_mut(), free: ALL, listed: true });
        self.open.push(index);
        Ok(index)
    }
}

impl Chunk {
    #[cold]
    fn provide(&mut self) -> Result<(), Errno> {
        let memory = ZeroedArray::<aeTimeEvent>::new(CHUNK + 1)?;
        let start = memory.as_mut_ptr();
        let unaligned = start.addr() % size_of::<aeTimeEvent>();
        let skip = if unaligned == 0 { 0 } else { size_of::<aeTimeEvent>() - unaligned };
        self.first = start.wrapping_byte_add(skip);
        self.memory = Some(memory);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Whatever is allocated and freed, those in use are apart and keep their content.
        #[test]
        fn events_in_use_are_apart(steps in proptest::collection::vec((any::<bool>(), any::<usize>()), 0..600)) {
            let mut pool = TimerPool::default();
            let mut used: Vec<(Slot, i64)> = Vec::new();
            for (count, (allocate, which)) in steps.into_iter().enumerate() {
                if allocate || used.is_empty() {
                    let slot = pool.allocate().unwrap();
                    // SAFETY: an event in use, written before it is read.
                    unsafe { (*pool.get(slot)).id = count as i64 };
                    used.push((slot, count as i64));
                } else {
                    let (slot, _) = used.swap_remove(which % used.len());
                    pool.free(slot);
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
            let slots: Vec<_> = (0..count).map(|_| pool.allocate().unwrap()).collect();
            assert!(slots.iter().all(|slot| *slot < count));
            for slot in slots {
                pool.free(slot);
            }
            assert_eq!(pool.chunks.iter().filter(|chunk| chunk.memory.is_some()).count(), SPARE_CHUNKS);
        }
    }
}
