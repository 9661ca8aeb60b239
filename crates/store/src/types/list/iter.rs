//! Elements of a list in order, from either end.

use super::end::End;
use super::node::{NodeRef, Place};
use super::nodes::{Nodes, Slot};
use crate::types::element::Element;
use std::iter::FusedIterator;
use std::ops::Range;

/// Elements with consecutive numbers; those before and behind them are passed over node by node.
pub struct Iter<'a> {
    nodes: &'a Nodes,
    left: Range<usize>,
    /// The next element from each end, once it has been looked for.
    front: Option<Cursor<'a>>,
    back: Option<Cursor<'a>>,
}

#[derive(Clone, Copy)]
struct Cursor<'a> {
    node: NodeRef<'a>,
    slot: Slot,
    place: Place,
}

impl<'a> Iter<'a> {
    pub(super) fn new(nodes: &'a Nodes, range: Range<usize>) -> Iter<'a> {
        let end = range.end.min(nodes.len());
        Iter { nodes, left: range.start.min(end)..end, front: None, back: None }
    }

    fn seek(&self, index: usize) -> Option<Cursor<'a>> {
        let (slot, offset) = self.nodes.seek(index)?;
        let node = self.nodes.get(slot)?;
        Some(Cursor { node, slot, place: node.seek(offset)? })
    }

    /// The first element that is not in the same node, away from `from`.
    #[cold]
    fn beyond(&self, cursor: Cursor<'a>, from: End) -> Option<Cursor<'a>> {
        let slot = self.nodes.after(cursor.slot, from)?;
        let node = self.nodes.get(slot)?;
        Some(Cursor { node, slot, place: node.end(from)? })
    }
}

impl<'a> Iterator for Iter<'a> {
    type Item = Element<'a>;

    fn next(&mut self) -> Option<Element<'a>> {
        if self.left.is_empty() {
            return None;
        }
        let cursor = self.front.or_else(|| self.seek(self.left.start))?;
        self.left.start += 1;
        let (element, next) = cursor.node.step(cursor.place);
        self.front = next.map(|place| Cursor { place, ..cursor }).or_else(|| self.beyond(cursor, End::Head));
        Some(element)
    }

    /// Each node by itself, which is what long replies are made with.
    fn fold<T, F: FnMut(T, Element<'a>) -> T>(self, mut all: T, mut with: F) -> T {
        let mut left = self.left.len();
        let mut next = self.front;
        if left > 0 && next.is_none() {
            next = self.seek(self.left.start);
        }
        while let Some(cursor) = next.filter(|_| left > 0) {
            let mut place = Some(cursor.place);
            while let Some(here) = place.filter(|_| left > 0) {
                let (element, after) = cursor.node.step(here);
                all = with(all, element);
                place = after;
                left -= 1;
            }
            next = self.beyond(cursor, End::Head);
        }
        all
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.left.size_hint()
    }
}

impl DoubleEndedIterator for Iter<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        if self.left.is_empty() {
            return None;
        }
        let cursor = self.back.or_else(|| self.seek(self.left.end - 1))?;
        self.left.end -= 1;
        let next = cursor.node.before(cursor.place);
        self.back = next.map(|place| Cursor { place, ..cursor }).or_else(|| self.beyond(cursor, End::Tail));
        Some(cursor.node.get(cursor.place))
    }
}

impl ExactSizeIterator for Iter<'_> {}
impl FusedIterator for Iter<'_> {}
