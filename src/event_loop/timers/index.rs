//! From the id of a time event to its slot. Ids are given out one after the other, so that the table has pages of
//! consecutive ids: adding one is a store, and a page goes when all its events have.

use super::old_pages::{NO_PAGE, OldPages, Page};
use super::pool::Slot;
use crate::sys::Errno;
use core::ffi::c_longlong;
use core::mem::replace;

/// Ids on a page. One event that stays keeps a page of 256 bytes.
const PAGE: usize = 64;

/// The slot of an id that is not there.
const NONE: Slot = Slot::MAX;

/// How many pages there is a place for at first.
const PLACES: usize = 16;

/// The index. An id is added once, and never one lower than another.
pub(super) struct TimerIndex {
    slots: Vec<[Slot; PAGE]>,
    /// Those of `slots` that are no page's.
    vacant: Vec<u32>,
    /// The pages, each in the place that the low bits of its number say; a power of two of them, or none.
    recent: Vec<Page>,
    /// The few whose place a newer page has taken.
    old: OldPages,
    newest: c_longlong,
}

fn number_of(id: c_longlong) -> c_longlong {
    id.div_euclid(PAGE as c_longlong)
}

fn offset_of(id: c_longlong) -> usize {
    id.rem_euclid(PAGE as c_longlong) as usize
}

impl TimerIndex {
    pub(super) fn new() -> Self {
        Self {
            slots: Vec::new(),
            vacant: Vec::new(),
            recent: Vec::new(),
            old: OldPages::default(),
            newest: NO_PAGE.number,
        }
    }

    /// Whether there is room for an id. If not, [`TimerIndex::make_room`] has to be called.
    pub(super) fn has_room(&self, id: c_longlong) -> bool {
        self.newest == number_of(id)
    }

    /// Adds an id, for which there is room.
    pub(super) fn insert(&mut self, id: c_longlong, slot: Slot) {
        let place = self.place(self.newest);
        let page = &mut self.recent[place];
        self.slots[page.index as usize][offset_of(id)] = slot;
        page.live += 1;
    }

    /// Finds an id; None when it is not there.
    pub(super) fn get(&self, id: c_longlong) -> Option<Slot> {
        let number = number_of(id);
        let page = match self.recent.get(self.place(number)) {
            Some(page) if page.number == number => page,
            _ => self.old.get(number)?,
        };
        Some(self.slots[page.index as usize][offset_of(id)]).filter(|slot| *slot != NONE)
    }

    /// Removes an id; None when it is not there.
    pub(super) fn remove(&mut self, id: c_longlong) -> Option<Slot> {
        let number = number_of(id);
        let place = self.place(number);
        let page = match self.recent.get_mut(place) {
            Some(page) if page.number == number => page,
            _ => self.old.get_mut(number)?,
        };
        let slot = replace(&mut self.slots[page.index as usize][offset_of(id)], NONE);
        if slot == NONE {
            return None;
        }
        page.live -= 1;
        if page.live == 0 && number != self.newest {
            self.vacate(number);
        }
        Some(slot)
    }

    fn place(&self, number: c_longlong) -> usize {
        number as usize & self.recent.len().wrapping_sub(1)
    }

    #[cold]
    fn vacate(&mut self, number: c_longlong) {
        let place = self.place(number);
        let page = match self.recent.get_mut(place) {
            Some(page) if page.number == number => replace(page, NO_PAGE),
            _ => self.old.remove(number).unwrap_or(NO_PAGE),
        };
        if page.number == number {
            self.vacant.push(page.index);
        }
    }

    /// Makes room for an id: a new page, which is the newest then. When that fails nothing has changed.
    #[cold]
    pub(super) fn make_room(&mut self, id: c_longlong) -> Result<(), Errno> {
        let number = number_of(id);
        self.slots.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
        self.old.try_reserve()?;
        // One for each page, so that giving a page up cannot fail.
        self.vacant.try_reserve(self.slots.len() + 1 - self.vacant.len()).map_err(|_| Errno::ENOMEM)?;
        if 2 * (self.slots.len() - self.vacant.len()) >= self.recent.len() {
            self.add_places()?;
        }
        let newest = self.place(self.newest);
        if self.newest != NO_PAGE.number && self.recent[newest].live == 0 {
            self.vacate(self.newest);
        }
        let index = self.vacant.pop().unwrap_or_else(|| {
            self.slots.push([NONE; PAGE]);
            self.slots.len() as u32 - 1
        });
        let place = self.place(number);
        let older = replace(&mut self.recent[place], Page { number, index, live: 0 });
        if older.number != NO_PAGE.number {
            self.old.insert(older);
        }
        self.newest = number;
        Ok(())
    }

    /// Doubles the places: pages that had one of their own have one again.
    fn add_places(&mut self) -> Result<(), Errno> {
        let count = (2 * self.recent.len()).max(PLACES);
        let mut places = Vec::new();
        places.try_reserve_exact(count).map_err(|_| Errno::ENOMEM)?;
        places.resize(count, NO_PAGE);
        for page in replace(&mut self.recent, places) {
            let place = self.place(page.number);
            if page.number != NO_PAGE.number {
                self.recent[place] = page;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn insert(index: &mut TimerIndex, id: c_longlong, slot: Slot) {
        if !index.has_room(id) {
            index.make_room(id).unwrap();
        }
        index.insert(id, slot);
    }

    proptest! {
        /// Whatever is added and removed, the index agrees with a map. With the wide gaps many pages meet in a place.
        #[test]
        fn agrees_with_a_map(
            steps in proptest::collection::vec(
                (any::<bool>(), any::<u16>(), prop_oneof![1i64..40, 1i64..4000]),
                0..if cfg!(miri) { 60 } else { 600 },
            ),
        ) {
            let mut index = TimerIndex::new();
            let mut map = BTreeMap::new();
            let mut next = 0;
            for (add, which, gap) in steps {
                if add {
                    next += gap;
                    insert(&mut index, next, which.into());
                    map.insert(next, Slot::from(which));
                } else {
                    let known = map.keys().nth(usize::from(which) % (map.len() + 1)).copied();
                    let id = known.unwrap_or(i64::from(which) % (next + 2) - 1);
                    prop_assert_eq!(index.get(id), map.get(&id).copied());
                    prop_assert_eq!(index.remove(id), map.remove(&id));
                }
            }
            for (id, slot) in map {
                prop_assert_eq!(index.get(id), Some(slot));
                prop_assert_eq!(index.remove(id), Some(slot));
                prop_assert_eq!(index.remove(id), None);
            }
            prop_assert_eq!(index.old.len(), 0);
            prop_assert!(index.slots.len() - index.vacant.len() <= 1);
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "it takes minutes")]
    fn pages_are_used_again() {
        let mut index = TimerIndex::new();
        insert(&mut index, 0, 0);
        for id in 1..100_000 {
            insert(&mut index, id, 1);
            assert_eq!(index.remove(id), Some(1));
        }
        assert!(index.slots.len() <= 3);
        assert!(index.recent.len() <= PLACES);
        assert_eq!(index.old.len(), 1);
        assert_eq!(index.remove(0), Some(0));
    }
}
