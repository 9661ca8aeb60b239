//! Memory for the entries of a keyspace: slots of bytes under 32-bit ids, in pages of slots of one size.
//!
//! Growing copies nothing, and no entry has an allocation of its own: an entry of so many bytes takes a slot that is at
//! most a few bytes longer. A page that becomes empty is given back, unless it is the only one of its size with free
//! slots. The first byte of a slot in use is not 0.

use std::iter;

/// An id is the number of a page and of a slot in it.
const SLOT_BITS: u32 = 8;
const MAX_SLOTS: usize = 1 << SLOT_BITS;
const MAX_PAGE: usize = 16 * 1024;
/// The longest slot.
pub const MAX_SIZE: usize = 512;

/// Slots are longer by so many bytes each, up to so long ones.
const STEPS: [(usize, usize); 3] = [(4, 128), (8, 256), (16, MAX_SIZE)];
const CLASSES: usize = 128 / 4 + 128 / 8 + 256 / 16;

const NO_PAGE: u32 = u32::MAX;
/// Ends a page's list of free slots.
const NO_SLOT: u16 = u16::MAX;
/// Pages are in groups, so that their list does not move when it grows.
const GROUP: usize = 1024;

/// The class of slots that are the shortest for `size` bytes.
fn class_of(size: usize) -> usize {
    match size {
        0..=128 => size.div_ceil(4).saturating_sub(1),
        129..=256 => 32 + (size - 128).div_ceil(8) - 1,
        _ => 48 + (size - 256).div_ceil(16) - 1,
    }
}

/// How long a slot for `size` bytes is.
pub fn slot_size(size: usize) -> usize {
    let (step, _) = STEPS.into_iter().find(|(_, max)| size <= *max).unwrap_or(STEPS[2]);
    size.max(1).next_multiple_of(step)
}

/// Whether a slot is good for `size` bytes: one for that size, or hardly longer. With those, pages that have lost most of
/// their entries take others, and an entry can stay where it is.
pub fn fits(slot: usize, size: usize) -> bool {
    const HARDLY: usize = 8;
    size <= slot && (slot - size < HARDLY || slot == slot_size(size))
}

/// How long the slots of a class are.
fn slot_of(class: usize) -> usize {
    match class {
        0..32 => (class + 1) * 4,
        32..48 => 128 + (class - 31) * 8,
        _ => 256 + (class - 47) * 16,
    }
}

/// How long a page of such slots is: a size that the allocator has, so that nothing is lost behind it.
fn page_size(slot: usize) -> usize {
    let most = (slot * MAX_SLOTS).min(MAX_PAGE);
    let step = (most.next_power_of_two() / 8).max(1);
    most / step * step
}

struct Page {
    /// Empty when the page has no memory.
    bytes: Box<[u8]>,
    /// The length of a slot.
    slot: u16,
    used: u16,
    /// The first slot of those that were freed; each has the next one in its second and third byte.
    free: u16,
    /// Slots from here on have never been used.
    fresh: u16,
    /// The neighbours among the pages of this size with free slots, or among those without memory.
    previous: u32,
    next: u32,
}

impl Page {
    fn slots(&self) -> usize {
        self.bytes.len() / usize::from(self.slot).max(1)
    }

    fn is_full(&self) -> bool {
        usize::from(self.used) == self.slots()
    }

    fn get(&self, slot: usize) -> Option<&[u8]> {
        let size = usize::from(self.slot);
        self.bytes.get(slot * size..(slot + 1) * size).filter(|bytes| bytes.first().is_some_and(|first| *first != 0))
    }
}

pub struct Entries {
    groups: Vec<Vec<Page>>,
    pages: u32,
    /// By class, the first page with free slots.
    open: [u32; CLASSES],
    /// The first page without memory.
    unused: u32,
    /// How many bytes the pages have.
    bytes: usize,
    /// How many of them are in slots in use.
    used: usize,
}

fn split(id: u32) -> (u32, usize) {
    (id >> SLOT_BITS, id as usize % MAX_SLOTS)
}

impl Entries {
    pub fn new() -> Entries {
        Entries { groups: Vec::new(), pages: 0, open: [NO_PAGE; CLASSES], unused: NO_PAGE, bytes: 0, used: 0 }
    }

    fn page(&self, page: u32) -> Option<&Page> {
        self.groups.get(page as usize / GROUP)?.get(page as usize % GROUP)
    }

    fn page_mut(&mut self, page: u32) -> &mut Page {
        &mut self.groups[page as usize / GROUP][page as usize % GROUP]
    }

    /// The slot of an entry, if there is one with this id.
    pub fn get(&self, id: u32) -> Option<&[u8]> {
        let (page, slot) = split(id);
        self.page(page)?.get(slot)
    }

    /// As [`Entries::get`], to be changed. The first byte must not become 0.
    pub fn get_mut(&mut self, id: u32) -> Option<&mut [u8]> {
        let (page, slot) = split(id);
        let page = self.groups.get_mut(page as usize / GROUP)?.get_mut(page as usize % GROUP)?;
        let size = usize::from(page.slot);
        page.bytes
            .get_mut(slot * size..(slot + 1) * size)
            .filter(|bytes| bytes.first().is_some_and(|first| *first != 0))
    }

    /// A slot for an entry of `size` bytes, at most [`MAX_SIZE`]. `write` fills it; the first byte must not be 0.
    pub fn insert(&mut self, size: usize, write: impl FnOnce(&mut [u8])) -> u32 {
        let own = class_of(size);
        let mut good = (own..CLASSES).take_while(|class| fits(slot_of(*class), size));
        let class = good.find(|class| self.open[*class] != NO_PAGE).unwrap_or(own);
        if self.open[class] == NO_PAGE {
            self.add_page(class);
        }
        let at = self.open[class];
        let page = self.page_mut(at);
        let length = usize::from(page.slot);
        let slot = match page.free {
            NO_SLOT => {
                page.fresh += 1;
                page.fresh - 1
            }
            free => {
                let freed = &page.bytes[usize::from(free) * length..];
                page.free = u16::from_le_bytes([freed[1], freed[2]]);
                free
            }
        };
        page.used += 1;
        let start = usize::from(slot) * length;
        let bytes = &mut page.bytes[start..start + length];
        write(bytes);
        debug_assert!(bytes[0] != 0);
        let is_full = page.is_full();
        self.used += length;
        if is_full {
            self.leave(at, class);
        }
        at << SLOT_BITS | u32::from(slot)
    }

    /// Frees the slot of an entry.
    pub fn remove(&mut self, id: u32) {
        if self.get(id).is_none() {
            return;
        }
        let (at, slot) = split(id);
        let page = self.page_mut(at);
        let was_full = page.is_full();
        let length = usize::from(page.slot);
        let free = page.free.to_le_bytes();
        page.bytes[slot * length..slot * length + 3].copy_from_slice(&[0, free[0], free[1]]);
        page.free = slot as u16;
        page.used -= 1;
        let is_empty = page.used == 0;
        self.used -= length;
        let class = class_of(length);
        if was_full {
            self.enter(at, class);
        }
        if is_empty && (self.open[class] != at || self.page_mut(at).next != NO_PAGE) {
            self.leave(at, class);
            let unused = self.unused;
            let page = self.page_mut(at);
            let freed = std::mem::take(&mut page.bytes).len();
            page.next = unused;
            self.unused = at;
            self.bytes -= freed;
        }
    }

    /// Above every id in use.
    pub fn end(&self) -> u32 {
        self.pages << SLOT_BITS
    }

    /// The first id behind `id` that a slot can have.
    pub fn next_place(&self, id: u32) -> u32 {
        let (at, slot) = split(id);
        match self.page(at) {
            Some(page) if slot + 1 < page.slots() => id + 1,
            _ => (at + 1) << SLOT_BITS,
        }
    }

    /// The ids in use, in order.
    pub fn ids(&self) -> impl Iterator<Item = u32> {
        let places = iter::successors((self.pages > 0).then_some(0), |id| Some(self.next_place(*id)));
        places.take_while(|id| *id < self.end()).filter(|id| self.get(*id).is_some())
    }

    /// The id of the `n`th entry in the order of ids, from 0. Counts the pages.
    pub fn nth(&self, n: usize) -> Option<u32> {
        let mut left = n;
        for (at, page) in self.groups.iter().flatten().enumerate() {
            let used = usize::from(page.used);
            if left < used {
                let slot = (0..page.slots()).filter(|slot| page.get(*slot).is_some()).nth(left)?;
                return Some((at << SLOT_BITS | slot) as u32);
            }
            left -= used;
        }
        None
    }

    /// How many bytes free slots have.
    pub fn free_bytes(&self) -> usize {
        self.bytes - self.used
    }

    /// How many bytes of memory the pages have.
    pub fn allocated(&self) -> usize {
        self.bytes + self.groups.len() * GROUP * size_of::<Page>()
    }

    fn add_page(&mut self, class: usize) {
        let slot = slot_of(class);
        let size = page_size(slot);
        self.bytes += size;
        let page = Page {
            bytes: vec![0; size].into_boxed_slice(),
            slot: slot as u16,
            used: 0,
            free: NO_SLOT,
            fresh: 0,
            previous: NO_PAGE,
            next: NO_PAGE,
        };
        let at = self.unused;
        if at != NO_PAGE {
            self.unused = self.page_mut(at).next;
            *self.page_mut(at) = page;
        } else {
            // As many pages as this are hundreds of gigabytes: a machine that gets here has other limits first.
            assert!(self.pages < (1 << (32 - SLOT_BITS)) - 1, "a database is limited to 2^24 pages of entries");
            if self.pages as usize == self.groups.len() * GROUP {
                self.groups.push(Vec::with_capacity(GROUP));
            }
            if let Some(group) = self.groups.last_mut() {
                group.push(page);
            }
            self.pages += 1;
        }
        let at = if at == NO_PAGE { self.pages - 1 } else { at };
        self.enter(at, class);
    }

    /// A page has free slots from now on.
    fn enter(&mut self, at: u32, class: usize) {
        let next = std::mem::replace(&mut self.open[class], at);
        if next != NO_PAGE {
            self.page_mut(next).previous = at;
        }
        let page = self.page_mut(at);
        (page.previous, page.next) = (NO_PAGE, next);
    }

    /// A page has no free slots any more, or no memory.
    fn leave(&mut self, at: u32, class: usize) {
        let page = self.page_mut(at);
        let (previous, next) = (page.previous, page.next);
        if next != NO_PAGE {
            self.page_mut(next).previous = previous;
        }
        match previous {
            NO_PAGE => self.open[class] = next,
            previous => self.page_mut(previous).next = next,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    fn insert(entries: &mut Entries, size: usize, fill: u8) -> u32 {
        entries.insert(size, |bytes| bytes.fill(fill))
    }

    #[test]
    fn the_pages_themselves_take_memory() {
        let mut entries = Entries::new();
        assert_eq!(entries.allocated(), 0);
        insert(&mut entries, 8, 1);
        assert_eq!(entries.allocated(), entries.bytes + GROUP * size_of::<Page>());
    }

    #[test]
    fn sizes_and_classes() {
        // The padding has four bits in an entry.
        const MAX_PADDING: usize = 15;
        let mut longest = vec![0; CLASSES];
        for size in 1..=MAX_SIZE {
            let slot = slot_size(size);
            assert!(slot >= size && slot - size <= MAX_PADDING, "{size}: {slot}");
            assert_eq!((class_of(slot), slot_of(class_of(size))), (class_of(size), slot));
            longest[class_of(size)] = slot;
            let page = page_size(slot);
            assert!(page <= MAX_PAGE && page / slot <= MAX_SLOTS && page % slot < slot);
            // No more than a tenth is lost behind the last slot.
            assert!(page % slot * 10 <= page, "{slot}: {page}");
        }
        assert!(longest.is_sorted() && longest.iter().all(|slot| *slot > 0));
    }

    #[test]
    fn memory_is_given_back_except_for_one_page() {
        let mut entries = Entries::new();
        let ids: Vec<u32> = (0..10_000).map(|_| insert(&mut entries, 40, 1)).collect();
        let full = entries.bytes;
        assert!((400_000..420_000).contains(&full), "{full}");
        ids.iter().for_each(|id| entries.remove(*id));
        assert_eq!((entries.bytes, entries.ids().count()), (page_size(40), 0));
        assert_eq!(entries.free_bytes(), entries.bytes);
        // Pages of another size take the numbers of those that have gone.
        let end = entries.end();
        (0..6_000).for_each(|_| _ = insert(&mut entries, 60, 1));
        assert_eq!(entries.end(), end);
    }

    #[test]
    fn sparse_pages_take_hardly_shorter_entries() {
        let mut entries = Entries::new();
        let ids: Vec<u32> = (0..10_000).map(|_| insert(&mut entries, 44, 1)).collect();
        ids.iter().step_by(2).for_each(|id| entries.remove(*id));
        let full = entries.bytes;
        (0..5_000).for_each(|_| _ = insert(&mut entries, 38, 1));
        assert_eq!(entries.bytes, full);
        insert(&mut entries, 36, 1);
        assert_eq!(entries.bytes, full + page_size(36));
    }

    proptest! {
        #[test]
        fn behaves_like_a_map(steps in prop::collection::vec((0u8..3, any::<prop::sample::Index>(), 1..=MAX_SIZE), 0..2000)) {
            let mut entries = Entries::new();
            let mut model: HashMap<u32, (u8, usize)> = HashMap::new();
            for (step, (insertion, which, size)) in steps.into_iter().enumerate() {
                if insertion > 0 || model.is_empty() {
                    let fill = (step % 255) as u8 + 1;
                    // Few sizes, so that pages become full.
                    let size = if insertion == 1 { size } else { 400 + size / 256 };
                    let id = insert(&mut entries, size, fill);
                    prop_assert!(entries.get(id).is_some_and(|slot| fits(slot.len(), size)));
                    prop_assert!(model.insert(id, (fill, entries.get(id).map_or(0, <[u8]>::len))).is_none(), "an id in use was given again");
                } else {
                    let id = *which.get(&model.keys().copied().collect::<Vec<_>>());
                    model.remove(&id);
                    entries.remove(id);
                    prop_assert!(entries.get(id).is_none());
                    entries.remove(id);
                }
            }
            for (id, (fill, size)) in &model {
                prop_assert_eq!(entries.get(*id), Some(&vec![*fill; *size][..]));
            }
            let mut ids: Vec<u32> = model.keys().copied().collect();
            ids.sort_unstable();
            prop_assert_eq!(entries.ids().collect::<Vec<_>>(), ids.clone());
            for (n, id) in ids.iter().enumerate() {
                prop_assert_eq!(entries.nth(n), Some(*id));
            }
            prop_assert_eq!(entries.nth(ids.len()), None);
            let bytes: usize = entries.groups.iter().flatten().map(|page| page.bytes.len()).sum();
            prop_assert_eq!(entries.bytes, bytes);
        }
    }
}
