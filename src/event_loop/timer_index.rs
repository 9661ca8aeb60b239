//! From the id of a time event to its slot. Ids are given out one after the other, so that the table has pages of
//! consecutive ids: adding one is a store, and a page goes when all its events have.

use super::heap::Slot;
use crate::sys::Errno;
use core::ffi::c_longlong;
use rustc_hash::FxHashMap;

/// Ids on a page. One event that stays keeps a page of 260 bytes.
const PAGE: usize = 64;

/// The slot of an id that is not there.
const NONE: Slot = Slot::MAX;

struct Page {
    number: c_longlong,
    slots: [Slot; PAGE],
    live: u32,
}

/// The index. An id is added once, and never one lower than another.
#[derive(Default)]
pub(super) struct TimerIndex {
    pages: Vec<Page>,
    /// Those of `pages` that are not used.
    vacant: Vec<u32>,
    /// Where the page with a number is, but for the newest: it changes most.
    by_number: FxHashMap<c_longlong, u32>,
    newest: Option<u32>,
}

fn place(id: c_longlong) -> (c_longlong, usize) {
    (id.div_euclid(PAGE as c_longlong), id.rem_euclid(PAGE as c_longlong) as usize)
}

impl TimerIndex {
    /// Adds an id; when that fails nothing has changed.
    pub(super) fn insert(&mut self, id: c_longlong, slot: Slot) -> Result<(), Errno> {
        let (number, offset) = place(id);
        let page = match self.newest.filter(|newest| self.pages[*newest as usize].number == number) {
            Some(newest) => newest,
            None => self.turn_page(number)?,
        };
        let page = &mut self.pages[page as usize];
        page.slots[offset] = slot;
        page.live += 1;
        Ok(())
    }

    /// Removes an id; None when it is not there.
    pub(super) fn remove(&mut self, id: c_longlong) -> Option<Slot> {
        let (number, offset) = place(id);
        let index = match self.newest.filter(|newest| self.pages[*newest as usize].number == number) {
            Some(newest) => newest,
            None => *self.by_number.get(&number)?,
        };
        let page = &mut self.pages[index as usize];
        let slot = core::mem::replace(&mut page.slots[offset], NONE);
        if slot == NONE {
            return None;
        }
        page.live -= 1;
        if page.live == 0 && self.newest != Some(index) {
            self.by_number.remove(&number);
            self.vacant.push(index);
        }
        Some(slot)
    }

    /// Starts a new page, which is the newest then.
    #[cold]
    fn turn_page(&mut self, number: c_longlong) -> Result<u32, Errno> {
        self.by_number.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
        self.pages.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
        // One for each page, so that giving a page up cannot fail.
        self.vacant.try_reserve(self.pages.len() + 1 - self.vacant.len()).map_err(|_| Errno::ENOMEM)?;
        if let Some(newest) = self.newest {
            let page = &self.pages[newest as usize];
            if page.live == 0 {
                self.vacant.push(newest);
            } else {
                self.by_number.insert(page.number, newest);
            }
        }
        let page = Page { number, slots: [NONE; PAGE], live: 0 };
        let index = match self.vacant.pop() {
            Some(vacant) => {
                self.pages[vacant as usize] = page;
                vacant
            }
            None => {
                self.pages.push(page);
                self.pages.len() as u32 - 1
            }
        };
        self.newest = Some(index);
        Ok(index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    proptest! {
        /// Whatever is added and removed, the index agrees with a map.
        #[test]
        fn agrees_with_a_map(steps in proptest::collection::vec((any::<bool>(), any::<u16>(), 1i64..40), 0..600)) {
            let mut index = TimerIndex::default();
            let mut map = HashMap::new();
            let mut next = 0;
            for (add, which, gap) in steps {
                if add {
                    next += gap;
                    index.insert(next, which.into()).unwrap();
                    map.insert(next, Slot::from(which));
                } else {
                    let id = i64::from(which) % (next + 2) - 1;
                    prop_assert_eq!(index.remove(id), map.remove(&id));
                }
            }
            for (id, slot) in map {
                prop_assert_eq!(index.remove(id), Some(slot));
                prop_assert_eq!(index.remove(id), None);
            }
            prop_assert!(index.by_number.is_empty());
        }
    }

    #[test]
    fn pages_are_used_again() {
        let mut index = TimerIndex::default();
        index.insert(0, 0).unwrap();
        for id in 1..100_000 {
            index.insert(id, 1).unwrap();
            assert_eq!(index.remove(id), Some(1));
        }
        assert!(index.pages.len() <= 3);
        assert_eq!(index.remove(0), Some(0));
    }
}
