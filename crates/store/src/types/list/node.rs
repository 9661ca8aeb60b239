//! A node of a list: some elements in a packed sequence, or one large element.

use super::end::End;
use super::limits::Limits;
use crate::number::Digits;
use crate::types::element::Element;
use crate::types::packed::{At, Packed};

/// Bytes of a packed sequence that are no element's.
const FRAME: usize = 7;
/// Elements in a node that was made of a larger one.
const PIECE: usize = 16_384;

/// A node.
#[derive(Clone, Debug)]
pub enum Node {
    /// Elements in a packed sequence.
    Packed(Packed),
    /// The bytes of the only element.
    Plain(Box<[u8]>),
}

/// A node to be read.
#[derive(Clone, Copy, Debug)]
pub enum NodeRef<'a> {
    /// Elements in a packed sequence.
    Packed(&'a Packed),
    /// The bytes of the only element.
    Plain(&'a [u8]),
}

/// Where an element is in its node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Place {
    Packed(At),
    Plain,
}

impl From<Packed> for Node {
    fn from(packed: Packed) -> Node {
        Node::Packed(packed)
    }
}

impl From<Box<[u8]>> for Node {
    fn from(element: Box<[u8]>) -> Node {
        Node::Plain(element)
    }
}

impl<'a> NodeRef<'a> {
    /// How many elements there are.
    pub fn len(self) -> usize {
        match self {
            NodeRef::Packed(packed) => packed.len(),
            NodeRef::Plain(_) => 1,
        }
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        matches!(self, NodeRef::Packed(packed) if packed.is_empty())
    }

    /// How many bytes a listpack of them has, or the only element.
    pub fn size(self) -> usize {
        match self {
            NodeRef::Packed(packed) => packed.size(),
            NodeRef::Plain(element) => element.len(),
        }
    }

    /// How many bytes are allocated, besides the node itself.
    pub(super) fn allocated(self) -> usize {
        match self {
            NodeRef::Packed(packed) => packed.allocated(),
            NodeRef::Plain(element) => element.len(),
        }
    }

    pub(super) fn first(self) -> Option<Place> {
        match self {
            NodeRef::Packed(packed) => packed.first().map(Place::Packed),
            NodeRef::Plain(_) => Some(Place::Plain),
        }
    }

    pub(super) fn last(self) -> Option<Place> {
        match self {
            NodeRef::Packed(packed) => packed.last().map(Place::Packed),
            NodeRef::Plain(_) => Some(Place::Plain),
        }
    }

    pub(super) fn end(self, end: End) -> Option<Place> {
        match end {
            End::Head => self.first(),
            End::Tail => self.last(),
        }
    }

    /// An element, and where the one after it is.
    #[inline]
    pub(super) fn step(self, place: Place) -> (Element<'a>, Option<Place>) {
        match (self, place) {
            (NodeRef::Packed(packed), Place::Packed(at)) => {
                let (element, next) = packed.step(at);
                (element, next.map(Place::Packed))
            }
            _ => (self.get(place), None),
        }
    }

    /// Where the one before it is.
    pub(super) fn before(self, place: Place) -> Option<Place> {
        match (self, place) {
            (NodeRef::Packed(packed), Place::Packed(at)) => packed.previous(at).map(Place::Packed),
            _ => None,
        }
    }

    pub(super) fn seek(self, offset: usize) -> Option<Place> {
        match self {
            NodeRef::Packed(packed) => packed.seek(offset as i64).map(Place::Packed),
            NodeRef::Plain(_) => (offset == 0).then_some(Place::Plain),
        }
    }

    pub(super) fn get(self, place: Place) -> Element<'a> {
        match (self, place) {
            (NodeRef::Packed(packed), Place::Packed(at)) => packed.get(at),
            (NodeRef::Plain(element), Place::Plain) => Element::of(element),
            _ => unreachable!("a place belongs to its node"),
        }
    }

    /// Whether an element of so many bytes may be added, which a large one may not.
    pub(super) fn allows(self, length: usize, limits: Limits) -> bool {
        match self {
            NodeRef::Packed(packed) => limits.allow_one_more(packed.size(), self.len(), length),
            NodeRef::Plain(_) => false,
        }
    }

    /// The bytes and elements that the node would have with those of another; none if one of the two is plain.
    pub(super) fn joined(self, other: NodeRef<'_>) -> Option<(usize, usize)> {
        match (self, other) {
            (NodeRef::Packed(packed), NodeRef::Packed(after)) => {
                Some((packed.size() + after.size() - FRAME, self.len() + other.len()))
            }
            _ => None,
        }
    }
}

impl Node {
    /// A node with one element.
    pub(super) fn of(text: &[u8], limits: Limits) -> Node {
        if limits.is_large(text.len()) {
            return Node::Plain(Box::from(text));
        }
        let mut packed = Packed::new();
        packed.push(text);
        Node::Packed(packed)
    }

    /// The node, to be read.
    pub fn view(&self) -> NodeRef<'_> {
        match self {
            Node::Packed(packed) => NodeRef::Packed(packed),
            Node::Plain(element) => NodeRef::Plain(element),
        }
    }

    /// Calls `each` with the node, or with several that have its elements, if there are so many that a packed sequence
    /// could not tell how many.
    pub(super) fn into_pieces(self, mut each: impl FnMut(Node)) {
        match self {
            Node::Packed(packed) if !packed.tells_its_length() => {
                packed.pieces(PIECE).for_each(|packed| each(Node::Packed(packed)));
            }
            node => each(node),
        }
    }

    /// Adds an element in front of the one at `offset`, to a packed node.
    pub(super) fn insert(&mut self, offset: usize, text: &[u8]) {
        let Node::Packed(packed) = self else { unreachable!("a plain node allows no other element") };
        match offset {
            0 => packed.push_front(text),
            offset if offset == packed.len() => packed.push(text),
            offset => packed.insert(packed.seek(offset as i64).expect("the offset is in the node"), text),
        }
    }

    /// Puts another element in place of one, if the node does not grow beyond the limits by that.
    pub(super) fn replace(&mut self, offset: usize, text: &[u8], limits: Limits) -> bool {
        let count = self.view().len();
        if count == 1 {
            *self = Node::of(text, limits);
            return true;
        }
        let Node::Packed(packed) = self else { return false };
        let Some(at) = packed.seek(offset as i64) else { return false };
        let (old, new) = (Packed::cost(packed.get(at).as_slice(&mut Digits::new())), Packed::cost(text));
        let fits = limits.allow(packed.size() - old + new, count);
        if fits || new <= old {
            packed.replace(at, text);
        }
        fits || new <= old
    }

    /// Removes up to `count` elements from `offset` on.
    pub(super) fn remove(&mut self, offset: usize, count: usize) {
        match self {
            Node::Packed(packed) => {
                packed.seek(offset as i64).into_iter().for_each(|at| packed.remove(at, count));
            }
            Node::Plain(_) => *self = Node::from(Packed::new()),
        }
    }

    /// Removes up to `most` elements that equal one, beginning at an end.
    pub(super) fn remove_equal(&mut self, wanted: Element<'_>, from: End, most: usize) -> usize {
        let Node::Packed(packed) = self else {
            let node = self.view();
            let equal = most > 0 && node.first().is_some_and(|place| node.get(place) == wanted);
            if equal {
                self.remove(0, 1);
            }
            return usize::from(equal);
        };
        let mut removed = 0;
        let mut next = if from == End::Head { packed.first() } else { packed.last() };
        while let Some(at) = next
            && removed < most
        {
            let before = packed.previous(at);
            let equal = packed.get(at) == wanted;
            if equal {
                packed.remove(at, 1);
                removed += 1;
            }
            next = match (from, before) {
                (End::Tail, before) => before,
                (End::Head, _) if !equal => packed.next(at),
                // What followed the removed element is at its place, if anything did.
                (End::Head, Some(before)) => packed.next(before),
                (End::Head, None) => packed.first(),
            };
        }
        removed
    }

    /// Splits in front of an element that is not the first.
    pub(super) fn split_off(&mut self, offset: usize) -> Node {
        let Node::Packed(packed) = self else { unreachable!("a plain node has one element") };
        let mut other = packed.split_off(packed.seek(offset as i64).expect("the offset is in the node"));
        packed.shrink();
        other.shrink();
        Node::Packed(other)
    }

    /// Adds all elements of another packed node behind the last.
    pub(super) fn append(&mut self, other: &Node) {
        if let (Node::Packed(packed), Node::Packed(after)) = (self, other) {
            packed.append(after);
        }
    }

    /// Gives back the memory that was meant for growth.
    pub(super) fn close(&mut self) {
        if let Node::Packed(packed) = self {
            packed.shrink();
        }
    }
}
