//! The nodes of a list in order.
//!
//! A list of one packed node has it in place. Others have chunks of nodes that know how many elements they hold, so that a
//! search passes over whole chunks. Another node, at an end or in the middle, moves no more than one chunk's nodes and
//! the list of chunks: 48 bytes for each 64 to 128 nodes.

use super::end::End;
use super::node::{Node, NodeRef};
use crate::types::packed::Packed;
use std::collections::VecDeque;

const CHUNK: usize = if cfg!(test) { 4 } else { 128 };

/// A node of several.
#[derive(Clone)]
struct Held {
    node: Node,
    /// What the node would tell too, after a cache miss.
    len: u32,
}

impl Held {
    fn new(node: Node) -> Held {
        let len = node.view().len() as u32;
        Held { node, len }
    }

    fn len(&self) -> usize {
        self.len as usize
    }

    fn allocated(&self) -> usize {
        self.node.view().allocated()
    }
}

#[derive(Clone, Default)]
struct Chunk {
    nodes: VecDeque<Held>,
    /// How many elements they hold.
    len: usize,
    /// How many bytes they have allocated.
    bytes: usize,
}

/// Where a node is: valid until nodes come or go in front of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Slot {
    chunk: usize,
    node: usize,
}

impl Slot {
    const FIRST: Slot = Slot { chunk: 0, node: 0 };

    /// Where a node has to be inserted to follow this one.
    pub(super) fn behind(self) -> Slot {
        Slot { node: self.node + 1, ..self }
    }
}

#[derive(Clone)]
pub(super) enum Nodes {
    /// The only node, or none.
    One(Packed),
    Many(Box<Chunks>),
}

#[derive(Clone, Default)]
pub(super) struct Chunks {
    chunks: VecDeque<Chunk>,
    /// How many elements there are.
    len: usize,
}

impl Nodes {
    pub(super) fn new() -> Nodes {
        Nodes::One(Packed::none())
    }

    fn of(node: Node) -> Nodes {
        match node {
            Node::Packed(packed) => Nodes::One(packed),
            plain => {
                let mut many = Box::<Chunks>::default();
                many.insert(Slot::FIRST, plain);
                Nodes::Many(many)
            }
        }
    }

    /// How many elements there are in all nodes.
    pub(super) fn len(&self) -> usize {
        match self {
            Nodes::One(packed) if packed.is_none() => 0,
            Nodes::One(packed) => packed.len(),
            Nodes::Many(many) => many.len,
        }
    }

    /// How many bytes of memory they have, besides this.
    pub(super) fn allocated(&self) -> usize {
        match self {
            Nodes::One(packed) => packed.allocated(),
            Nodes::Many(many) => {
                let of_chunk = |chunk: &Chunk| chunk.bytes + chunk.nodes.capacity() * size_of::<Held>();
                let chunks = many.chunks.iter().map(of_chunk).sum::<usize>();
                size_of::<Chunks>() + chunks + many.chunks.capacity() * size_of::<Chunk>()
            }
        }
    }

    pub(super) fn get(&self, slot: Slot) -> Option<NodeRef<'_>> {
        match self {
            Nodes::One(packed) => (slot == Slot::FIRST && !packed.is_none()).then_some(NodeRef::Packed(packed)),
            Nodes::Many(many) => many.chunks.get(slot.chunk)?.nodes.get(slot.node).map(|held| held.node.view()),
        }
    }

    /// How many nodes there are.
    pub(super) fn count(&self) -> usize {
        match self {
            Nodes::One(_) => 1,
            Nodes::Many(many) => many.chunks.iter().map(|chunk| chunk.nodes.len()).sum(),
        }
    }

    pub(super) fn end(&self, end: End) -> Option<Slot> {
        match (self, end) {
            (Nodes::Many(many), End::Tail) => {
                let chunk = many.chunks.len().checked_sub(1)?;
                Some(Slot { chunk, node: many.chunks[chunk].nodes.len() - 1 })
            }
            _ => self.get(Slot::FIRST).map(|_| Slot::FIRST),
        }
    }

    /// The neighbour of a node, away from `from`.
    pub(super) fn after(&self, slot: Slot, from: End) -> Option<Slot> {
        let Nodes::Many(many) = self else { return None };
        match from {
            End::Head if slot.node + 1 < many.chunks.get(slot.chunk)?.nodes.len() => Some(slot.behind()),
            End::Head => {
                self.get(Slot { chunk: slot.chunk + 1, node: 0 }).map(|_| Slot { chunk: slot.chunk + 1, node: 0 })
            }
            End::Tail if slot.node > 0 => Some(Slot { node: slot.node - 1, ..slot }),
            End::Tail => {
                let chunk = slot.chunk.checked_sub(1)?;
                Some(Slot { chunk, node: many.chunks[chunk].nodes.len() - 1 })
            }
        }
    }

    /// The node with the element of this number, and that element's number in it.
    pub(super) fn seek(&self, index: usize) -> Option<(Slot, usize)> {
        if index >= self.len() {
            return None;
        }
        let Nodes::Many(many) = self else { return Some((Slot::FIRST, index)) };
        let lengths = many.chunks.iter().map(|chunk| chunk.len);
        let (chunk, offset) = pass(lengths, index, many.len)?;
        let here = &many.chunks[chunk];
        let (node, offset) = pass(here.nodes.iter().map(Held::len), offset, here.len)?;
        Some((Slot { chunk, node }, offset))
    }

    /// The slot of the node with this number among the nodes.
    pub(super) fn seek_node(&self, mut number: usize) -> Option<Slot> {
        let Nodes::Many(many) = self else { return (number == 0).then_some(Slot::FIRST) };
        for (chunk, here) in many.chunks.iter().enumerate() {
            if number < here.nodes.len() {
                return Some(Slot { chunk, node: number });
            }
            number -= here.nodes.len();
        }
        None
    }

    /// Changes a node, which may become empty only to be removed next.
    pub(super) fn edit<R>(&mut self, slot: Slot, change: impl FnOnce(&mut Node) -> R) -> R {
        match self {
            Nodes::One(packed) => {
                let mut node = Node::Packed(packed.take());
                let result = change(&mut node);
                *self = Nodes::of(node);
                result
            }
            Nodes::Many(many) => {
                let chunk = &mut many.chunks[slot.chunk];
                let held = &mut chunk.nodes[slot.node];
                let (len, bytes) = (held.len(), held.allocated());
                let result = change(&mut held.node);
                held.len = held.node.view().len() as u32;
                chunk.len = chunk.len - len + held.len();
                many.len = many.len - len + held.len();
                chunk.bytes = chunk.bytes - bytes + held.allocated();
                result
            }
        }
    }

    /// Adds a node at an end.
    pub(super) fn push(&mut self, end: End, node: Node) {
        let slot = match (end, self.end(End::Tail)) {
            (End::Tail, Some(slot)) => slot.behind(),
            _ => Slot::FIRST,
        };
        self.insert(slot, node);
    }

    /// Adds a node in front of the one at `slot`, or behind a chunk's last, and says where it is.
    pub(super) fn insert(&mut self, slot: Slot, node: Node) -> Slot {
        match self {
            Nodes::One(packed) if packed.is_none() => {
                *self = Nodes::of(node);
                Slot::FIRST
            }
            Nodes::One(packed) => {
                let mut many = Box::<Chunks>::default();
                many.insert(Slot::FIRST, Node::Packed(packed.take()));
                let slot = many.insert(slot, node);
                *self = Nodes::Many(many);
                slot
            }
            Nodes::Many(many) => many.insert(slot, node),
        }
    }

    /// Takes a node out. What followed it is then at the slot that comes back.
    pub(super) fn remove(&mut self, slot: Slot) -> (Node, Option<Slot>) {
        match self {
            Nodes::One(packed) => (Node::Packed(packed.take()), None),
            Nodes::Many(many) => {
                let node = many.remove(slot);
                if many.chunks.is_empty() {
                    *self = Nodes::new();
                    return (node, None);
                }
                let next = match many.chunks.get(slot.chunk) {
                    // The chunk went with its last node, or has one more.
                    Some(chunk) if slot.node < chunk.nodes.len() => Some(slot),
                    _ => Some(Slot { chunk: slot.chunk + 1, node: 0 }).filter(|next| next.chunk < many.chunks.len()),
                };
                (node, next)
            }
        }
    }
}

impl Chunks {
    /// Moves whole chunks with up to `count` elements from an end of a list to the end of this one, and says how many
    /// elements that were.
    pub(super) fn take(&mut self, from: &mut Nodes, end: End, count: usize) -> usize {
        let Nodes::Many(many) = from else { return 0 };
        let mut taken = 0;
        let next =
            |many: &Chunks| if end == End::Head { many.chunks.front() } else { many.chunks.back() }.map(|c| c.len);
        while next(many).is_some_and(|len| len <= count - taken) {
            let chunk = if end == End::Head { many.chunks.pop_front() } else { many.chunks.pop_back() };
            let Some(chunk) = chunk else { break };
            taken += chunk.len;
            self.chunks.push_back(chunk);
        }
        many.len -= taken;
        self.len += taken;
        taken
    }

    fn insert(&mut self, mut slot: Slot, node: Node) -> Slot {
        let chunks = &mut self.chunks;
        let full = chunks.get(slot.chunk).is_none_or(|chunk| chunk.nodes.len() == CHUNK);
        if full && (chunks.is_empty() || slot == Slot::FIRST) {
            chunks.push_front(Chunk::default());
            slot = Slot::FIRST;
        } else if full && slot.chunk + 1 == chunks.len() && slot.node == CHUNK {
            chunks.push_back(Chunk::default());
            slot = Slot { chunk: slot.chunk + 1, node: 0 };
        } else if full {
            let nodes = chunks[slot.chunk].nodes.split_off(CHUNK / 2);
            let (len, bytes) = (nodes.iter().map(Held::len).sum(), nodes.iter().map(Held::allocated).sum());
            chunks[slot.chunk].len -= len;
            chunks[slot.chunk].bytes -= bytes;
            chunks.insert(slot.chunk + 1, Chunk { nodes, len, bytes });
            if slot.node > CHUNK / 2 {
                slot = Slot { chunk: slot.chunk + 1, node: slot.node - CHUNK / 2 };
            }
        }
        let held = Held::new(node);
        self.len += held.len();
        let chunk = &mut chunks[slot.chunk];
        chunk.len += held.len();
        chunk.bytes += held.allocated();
        chunk.nodes.insert(slot.node, held);
        slot
    }

    fn remove(&mut self, slot: Slot) -> Node {
        let chunk = &mut self.chunks[slot.chunk];
        let held = chunk.nodes.remove(slot.node).expect("a slot is valid");
        chunk.len -= held.len();
        self.len -= held.len();
        chunk.bytes -= held.allocated();
        if chunk.nodes.is_empty() {
            self.chunks.remove(slot.chunk);
        }
        held.node
    }
}

/// Which of some lengths, `total` together, holds what has number `index` in all of them, and its number there; looked
/// for from the nearer end.
fn pass(
    lengths: impl DoubleEndedIterator<Item = usize> + ExactSizeIterator,
    index: usize,
    total: usize,
) -> Option<(usize, usize)> {
    if index < total / 2 {
        let mut left = index;
        for (at, length) in lengths.enumerate() {
            if left < length {
                return Some((at, left));
            }
            left -= length;
        }
    } else {
        let mut start = total;
        for (at, length) in lengths.enumerate().rev() {
            start -= length;
            if index >= start {
                return Some((at, index - start));
            }
        }
    }
    None
}
