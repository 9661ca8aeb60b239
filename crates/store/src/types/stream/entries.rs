//! Entries, one by one.

use super::id::Id;
use super::node::{Node, Slot, View};
use crate::types::element::Element;
use crate::types::packed::At;
use std::collections::btree_map;

/// An entry.
#[derive(Clone, Copy)]
pub struct Entry<'a> {
    view: View<'a>,
    slot: Slot,
}

impl<'a> Entry<'a> {
    /// Its id.
    pub fn id(&self) -> Id {
        self.slot.id
    }

    /// The id of its node, and where it is there.
    pub(super) fn place(&self) -> (Id, Slot) {
        (self.view.master, self.slot)
    }

    /// How many fields it has.
    pub fn len(&self) -> usize {
        self.slot.fields
    }

    /// Whether it has no field. XADD adds no such entry; files may have them.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Its fields with their values, in their order.
    pub fn fields(&self) -> Fields<'a> {
        let names = self.slot.has_same_fields().then_some(self.view.names);
        Fields { view: self.view, names, at: self.slot.body, left: self.slot.fields }
    }
}

/// Fields with their values.
#[derive(Clone)]
pub struct Fields<'a> {
    view: View<'a>,
    /// The next of the master's fields, if the entry has those.
    names: Option<At>,
    /// The next value, or the next field.
    at: At,
    left: usize,
}

impl<'a> Iterator for Fields<'a> {
    type Item = (Element<'a>, Element<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let packed = self.view.packed;
        // Behind every field and every value there is another element.
        let take = |at: &mut At| {
            let element = packed.get(*at);
            *at = packed.next(*at)?;
            Some(element)
        };
        let field = match &mut self.names {
            Some(names) => take(names),
            None => take(&mut self.at),
        };
        Some((field?, take(&mut self.at)?))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Fields<'_> {}

/// The entries of a range of ids, upwards or downwards.
#[derive(Clone)]
pub struct Entries<'a> {
    nodes: btree_map::Range<'a, Id, Node>,
    here: Option<(View<'a>, Slot)>,
    first: Id,
    last: Id,
    is_reverse: bool,
}

impl<'a> Entries<'a> {
    /// Those from `first` to `last`; the nodes must be those that have them, and their neighbours do not matter.
    pub(super) fn new(nodes: btree_map::Range<'a, Id, Node>, first: Id, last: Id, is_reverse: bool) -> Entries<'a> {
        Entries { nodes, here: None, first, last, is_reverse }
    }

    /// The next one, deleted or not, in the range or not.
    fn step(&mut self) -> Option<(View<'a>, Slot)> {
        while self.here.is_none() {
            let node = if self.is_reverse { self.nodes.next_back() } else { self.nodes.next() };
            let (master, node) = node?;
            let view = node.view(*master);
            let slot = if self.is_reverse { view.last() } else { view.first() };
            self.here = slot.map(|slot| (view, slot));
        }
        let (view, slot) = self.here?;
        let next = if self.is_reverse { view.previous(&slot) } else { view.next(&slot) };
        self.here = next.map(|slot| (view, slot));
        Some((view, slot))
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = Entry<'a>;

    fn next(&mut self) -> Option<Entry<'a>> {
        loop {
            let (view, slot) = self.step()?;
            // Before the order is looked at: entries may have smaller ids than deleted ones in front of them.
            if slot.is_deleted() {
                continue;
            }
            let (below, above) = (slot.id < self.first, slot.id > self.last);
            if if self.is_reverse { below } else { above } {
                self.here = None;
                self.nodes = Default::default();
                return None;
            }
            if !below && !above {
                return Some(Entry { view, slot });
            }
        }
    }
}
