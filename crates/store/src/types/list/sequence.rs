//! The list itself.

use super::end::{End, Side};
use super::iter::Iter;
use super::limits::Limits;
use super::node::{Node, NodeRef};
use super::nodes::{Chunks, Nodes, Slot};
use crate::types::element::Element;
use std::ops::Range;

/// A list.
#[derive(Clone)]
pub struct List {
    nodes: Nodes,
}

const _: () = assert!(size_of::<List>() == 16);

impl Default for List {
    fn default() -> Self {
        Self::new()
    }
}

impl List {
    /// An empty one.
    pub fn new() -> List {
        List { nodes: Nodes::new() }
    }

    /// A list of nodes that were read from a file; empty ones are left out. They stay as they are, whatever the limits,
    /// except for those with more elements than a packed sequence can tell.
    pub fn from_nodes(nodes: impl IntoIterator<Item = Node>) -> List {
        let mut list = List::new();
        for node in nodes.into_iter().filter(|node| !node.view().is_empty()) {
            node.into_pieces(|node| list.nodes.push(End::Tail, node));
        }
        list
    }

    /// The nodes as a file has them, from the `first`th on.
    pub fn nodes(&self, first: usize) -> impl Iterator<Item = NodeRef<'_>> {
        let mut next = self.nodes.seek_node(first);
        std::iter::from_fn(move || {
            let here = next?;
            next = self.nodes.after(here, End::Head);
            self.nodes.get(here)
        })
    }

    /// The name that OBJECT ENCODING gives to lists.
    pub fn encoding(&self) -> &'static str {
        "quicklist"
    }

    /// How many nodes there are. Counts chunks of them.
    pub fn node_count(&self) -> usize {
        self.nodes.count()
    }

    /// How many elements there are.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many bytes of memory it has besides itself.
    pub fn allocated(&self) -> usize {
        self.nodes.allocated()
    }

    /// Adds an element at an end.
    pub fn push(&mut self, end: End, text: &[u8], limits: Limits) {
        if let Some(slot) = self.nodes.end(end) {
            let taken = self.nodes.edit(slot, |node| {
                let allows = node.view().allows(text.len(), limits);
                match end {
                    _ if !allows => node.close(),
                    End::Head => node.insert(0, text),
                    End::Tail => node.insert(node.view().len(), text),
                }
                allows
            });
            if taken {
                return;
            }
        }
        self.nodes.push(end, Node::of(text, limits));
    }

    /// Removes the element at an end, after `take` has seen it.
    pub fn pop<R>(&mut self, end: End, take: impl FnOnce(Element<'_>) -> R) -> Option<R> {
        let result = {
            let node = self.nodes.get(self.nodes.end(end)?)?;
            take(node.get(node.end(end)?))
        };
        self.discard(end, 1);
        Some(result)
    }

    /// Removes up to `count` elements at an end.
    pub fn discard(&mut self, end: End, mut count: usize) {
        while count > 0
            && let Some(slot) = self.nodes.end(end)
        {
            let len = self.nodes.get(slot).map_or(0, NodeRef::len);
            if count >= len {
                self.nodes.remove(slot);
            } else {
                let offset = if end == End::Head { 0 } else { len - count };
                self.nodes.edit(slot, |node| node.remove(offset, count));
            }
            count = count.saturating_sub(len);
        }
    }

    /// Moves the element at one end to the other. The element, for LMOVE's reply, is then the one there.
    pub fn rotate(&mut self, from: End, limits: Limits) {
        let Some(slot) = self.nodes.end(from) else { return };
        let is_plain = self.nodes.get(slot).is_some_and(|node| matches!(node, NodeRef::Plain(_)));
        if is_plain {
            let (node, _) = self.nodes.remove(slot);
            self.nodes.push(from.opposite(), node);
        } else if let Some(text) = self.pop(from, |element| element.to_vec()) {
            self.push(from.opposite(), &text, limits);
        }
    }

    /// The number of an element from the front, for one that may count from -1 backwards.
    fn number(&self, index: i64) -> Option<usize> {
        let index = if index < 0 { index + self.len() as i64 } else { index };
        usize::try_from(index).ok().filter(|index| *index < self.len())
    }

    /// The element with this number, counted from 0, or from -1 backwards.
    pub fn get(&self, index: i64) -> Option<Element<'_>> {
        let index = self.number(index)?;
        self.range(index..index + 1).next()
    }

    /// Puts another element in place of the one with this number; false if there is none.
    pub fn set(&mut self, index: i64, text: &[u8], limits: Limits) -> bool {
        let Some(index) = self.number(index) else { return false };
        let Some((slot, offset)) = self.nodes.seek(index) else { return false };
        if !self.nodes.edit(slot, |node| node.replace(offset, text, limits)) {
            self.nodes.edit(slot, |node| node.remove(offset, 1));
            self.insert_at(index, text, limits);
        }
        true
    }

    /// Adds an element beside the first one that equals `pivot`; false if there is none.
    pub fn insert(&mut self, pivot: &[u8], side: Side, text: &[u8], limits: Limits) -> bool {
        let Some(at) = self.positions(pivot, 1, 0).next() else { return false };
        self.insert_at(at + usize::from(side == Side::After), text, limits);
        true
    }

    /// Adds an element in front of the one with this number, or behind the last.
    fn insert_at(&mut self, index: usize, text: &[u8], limits: Limits) {
        let Some((slot, offset)) = self.nodes.seek(index).filter(|_| index > 0) else {
            return self.push(if index == 0 { End::Head } else { End::Tail }, text, limits);
        };
        let allows = |list: &List, slot: Option<Slot>| {
            let node = slot.and_then(|slot| list.nodes.get(slot));
            node.is_some_and(|node| node.allows(text.len(), limits))
        };
        if allows(self, Some(slot)) {
            return self.nodes.edit(slot, |node| node.insert(offset, text));
        }
        if offset == 0 {
            return match self.nodes.after(slot, End::Tail) {
                Some(before) if allows(self, Some(before)) => {
                    self.nodes.edit(before, |node| node.insert(node.view().len(), text));
                }
                _ => {
                    self.nodes.insert(slot, Node::of(text, limits));
                }
            };
        }
        let second = self.nodes.edit(slot, |node| node.split_off(offset));
        // A slot may have changed when a node has come in front of it: the number of the element finds it again.
        self.nodes.insert(slot.behind(), second);
        self.insert_at(index, text, limits);
        self.join_around(index, limits);
    }

    /// Joins the nodes around an element that has split one with their neighbours, as far as the limits allow.
    fn join_around(&mut self, index: usize, limits: Limits) {
        let fits = |(bytes, count)| limits.allow(bytes, count);
        for near in [index + 1, index, index - 1] {
            let Some((slot, _)) = self.nodes.seek(near) else { continue };
            self.join(slot, fits);
            if let Some(before) = self.nodes.after(slot, End::Tail) {
                self.join(before, fits);
            }
        }
    }

    /// Joins a node with the following one if what both have together fits; the slot is then that of both.
    fn join(&mut self, slot: Slot, fits: impl Fn((usize, usize)) -> bool) -> bool {
        let Some(next) = self.nodes.after(slot, End::Head) else { return false };
        let joined = self.nodes.get(slot).zip(self.nodes.get(next)).and_then(|(one, other)| one.joined(other));
        if !joined.is_some_and(fits) {
            return false;
        }
        let (other, _) = self.nodes.remove(next);
        self.nodes.edit(slot, |node| node.append(&other));
        true
    }

    /// Removes elements that equal `text`: all with `count` 0, else that many from the front, or from the back if it is
    /// negative. Returns how many there were.
    pub fn remove(&mut self, text: &[u8], count: i64, limits: Limits) -> usize {
        let from = if count < 0 { End::Tail } else { End::Head };
        let most = if count == 0 { usize::MAX } else { count.unsigned_abs() as usize };
        // Half of the limits, so that a node that was joined is not split by the next insertion.
        let sparse = |(bytes, count): (usize, usize)| limits.allow(2 * bytes, 2 * count);
        let wanted = Element::of(text);
        let mut removed = 0;
        let mut next = self.nodes.end(from);
        while let Some(here) = next
            && removed < most
        {
            let before = self.nodes.after(here, End::Tail);
            let gone = self.nodes.edit(here, |node| node.remove_equal(wanted, from, most - removed));
            removed += gone;
            if self.nodes.get(here).is_some_and(NodeRef::is_empty) {
                let (_, after) = self.nodes.remove(here);
                next = if from == End::Head { after } else { before };
                continue;
            }
            next = self.nodes.after(here, from);
            if gone > 0 && from == End::Tail {
                self.join(here, sparse);
            } else if gone > 0
                && let Some(before) = before
                && self.join(before, sparse)
            {
                next = self.nodes.after(before, End::Head);
            }
        }
        removed
    }

    /// The numbers from `start` to `stop` as LRANGE and LTRIM mean them: both included, and negative ones counted from
    /// the back.
    pub fn span(&self, start: i64, stop: i64) -> Range<usize> {
        let len = self.len() as i64;
        let place = |index: i64| if index < 0 { (index + len).max(0) } else { index.min(len) };
        let end = if stop < 0 { stop.saturating_add(len) + 1 } else { stop.saturating_add(1).min(len) };
        let start = place(start);
        start as usize..end.max(start) as usize
    }

    /// Removes all elements except those with these numbers. Most of the removed ones come back, in no particular
    /// order, for [`List::free_some`]: to free millions takes its time.
    pub fn trim(&mut self, kept: Range<usize>) -> List {
        let end = kept.end.min(self.len());
        let mut rest = Chunks::default();
        for (end, count) in [(End::Tail, self.len() - end), (End::Head, kept.start)] {
            let taken = rest.take(&mut self.nodes, end, count);
            self.discard(end, count - taken);
        }
        List { nodes: Nodes::Many(Box::new(rest)) }
    }

    /// All elements in order.
    pub fn iter(&self) -> Iter<'_> {
        self.range(0..self.len())
    }

    /// The elements with these numbers, as far as they are there.
    pub fn range(&self, range: Range<usize>) -> Iter<'_> {
        Iter::new(&self.nodes, range)
    }

    /// The numbers of the elements that equal `text`, as LPOS finds them: from the `rank`th on (-1 is the last, and the
    /// search goes backwards), among the first `most` elements that are looked at (0: all).
    pub fn positions(&self, text: &[u8], rank: i64, most: usize) -> impl Iterator<Item = usize> {
        let wanted = Element::of(text);
        let most = if most == 0 { self.len() } else { most.min(self.len()) };
        let mut looked = 0;
        let mut elements = self.iter();
        let matches = std::iter::from_fn(move || {
            while looked < most {
                let element = if rank < 0 { elements.next_back() } else { elements.next() }?;
                looked += 1;
                if element == wanted {
                    return Some(if rank < 0 { self.len() - looked } else { looked - 1 });
                }
            }
            None
        });
        matches.skip(rank.unsigned_abs().saturating_sub(1) as usize)
    }

    /// An element by chance.
    pub fn random(&self, mut random: impl FnMut() -> u64) -> Option<Element<'_>> {
        let number = (u128::from(random()) * self.len() as u128) >> 64;
        self.get(number as i64)
    }

    /// Drops at most `budget` nodes, fewer if they are large, and says whether something is left. A node is one
    /// allocation, however many elements it has.
    pub fn free_some(&mut self, budget: usize) -> bool {
        const LARGE: usize = 512 * 1024;
        let mut dropped = 0;
        for _ in 0..budget {
            let Some(slot) = self.nodes.end(End::Tail).filter(|_| dropped < LARGE) else { break };
            let (node, _) = self.nodes.remove(slot);
            dropped += node.view().allocated();
        }
        !self.is_empty()
    }
}

impl<'a> IntoIterator for &'a List {
    type Item = Element<'a>;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

#[cfg(test)]
#[path = "list_tests.rs"]
mod tests;
