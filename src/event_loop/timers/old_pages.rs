//! The pages of a timer index that have no place of their own: a hash table with open addressing.
//!
//! Unlike the standard library's it points to the start of its memory, so that tools which look for lost memory find
//! it.

use crate::sys::Errno;
use core::ffi::c_longlong;
use core::mem::replace;

/// How many places there are at first.
const FIRST: usize = 16;

/// The page of consecutive ids with this number.
#[derive(Clone, Copy)]
pub(super) struct Page {
    pub(super) number: c_longlong,
    /// Where its slots are.
    pub(super) index: u32,
    /// How many of its ids are there.
    pub(super) live: u32,
}

/// A place without a page: no id is on one with this number.
pub(super) const NO_PAGE: Page = Page { number: c_longlong::MIN, index: 0, live: 0 };

/// The table.
#[derive(Default)]
pub(super) struct OldPages {
    /// A power of two of them, half of them free at least, or none.
    places: Vec<Page>,
    count: usize,
}

impl OldPages {
    /// Makes room for one more page.
    pub(super) fn try_reserve(&mut self) -> Result<(), Errno> {
        if 2 * (self.count + 1) <= self.places.len() {
            return Ok(());
        }
        let size = (2 * self.places.len()).max(FIRST);
        let mut places = Vec::new();
        places.try_reserve_exact(size).map_err(|_| Errno::ENOMEM)?;
        places.resize(size, NO_PAGE);
        self.count = 0;
        for page in replace(&mut self.places, places) {
            if page.number != NO_PAGE.number {
                self.insert(page);
            }
        }
        Ok(())
    }

    /// Adds a page that is not there; there is room.
    pub(super) fn insert(&mut self, page: Page) {
        let place = self.find(page.number);
        self.places[place] = page;
        self.count += 1;
    }

    pub(super) fn get(&self, number: c_longlong) -> Option<&Page> {
        let place = if self.count == 0 { None } else { Some(self.find(number)) };
        place.map(|place| &self.places[place]).filter(|page| page.number == number)
    }

    pub(super) fn get_mut(&mut self, number: c_longlong) -> Option<&mut Page> {
        let place = if self.count == 0 { None } else { Some(self.find(number)) };
        place.map(|place| &mut self.places[place]).filter(|page| page.number == number)
    }

    pub(super) fn remove(&mut self, number: c_longlong) -> Option<Page> {
        let removed = *self.get(number)?;
        let mut free = self.find(number);
        let mut place = free;
        // Those behind it move up, as far as a search for them would come by the free place.
        loop {
            place = (place + 1) & self.mask();
            let page = self.places[place];
            if page.number == NO_PAGE.number {
                break;
            }
            let way = |from: usize| place.wrapping_sub(from) & self.mask();
            if way(self.home(page.number)) >= way(free) {
                self.places[free] = page;
                free = place;
            }
        }
        self.places[free] = NO_PAGE;
        self.count -= 1;
        Some(removed)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// The place of a page, or the free one where it would be. There are places.
    fn find(&self, number: c_longlong) -> usize {
        let mut place = self.home(number);
        while self.places[place].number != number && self.places[place].number != NO_PAGE.number {
            place = (place + 1) & self.mask();
        }
        place
    }

    fn mask(&self) -> usize {
        self.places.len() - 1
    }

    fn home(&self, number: c_longlong) -> usize {
        // The golden ratio's bits spread numbers that differ in few of theirs.
        let spread = (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (spread >> 32) as usize & self.mask()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn finds_what_a_map_finds(steps in proptest::collection::vec((any::<bool>(), -40_i64..40), 0..400)) {
            let (mut pages, mut model) = (OldPages::default(), BTreeMap::new());
            for ((adds, number), index) in steps.into_iter().zip(0..) {
                if adds && !model.contains_key(&number) {
                    pages.try_reserve().unwrap();
                    pages.insert(Page { number, index, live: 1 });
                    model.insert(number, index);
                } else if !adds {
                    prop_assert_eq!(pages.remove(number).map(|page| page.index), model.remove(&number));
                }
                for number in -40..40 {
                    prop_assert_eq!(pages.get(number).map(|page| page.index), model.get(&number).copied());
                    prop_assert_eq!(pages.get_mut(number).is_some(), model.contains_key(&number));
                }
            }
        }
    }
}
