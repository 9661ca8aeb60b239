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

    fn after(&self, cursor: Cursor<'a>, from: End) -> Option<Cursor<'a>> {
        if let Some(place) = cursor.node.after(cursor.place, from) {
            return Some(Cursor { place, ..cursor });
        }
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
        self.front = self.after(cursor, End::Head);
        Some(cursor.node.get(cursor.place))
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
        self.back = self.after(cursor, End::Tail);
        Some(cursor.node.get(cursor.place))
    }
}

impl ExactSizeIterator for Iter<'_> {}
impl FusedIterator for Iter<'_> {}
