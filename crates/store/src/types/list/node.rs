//! A node of a list: some elements in a packed sequence, or one large element.

use super::end::End;
use super::limits::Limits;
use crate::number::Digits;
use crate::types::element::Element;
use crate::types::packed::{At, Packed};

/// Bytes of a packed sequence that are no element's.
const FRAME: usize = 7;
/// A sequence may have this many times the memory that it needs before the rest is given back.
const SLACK: usize = 4;
/// Less than this is not worth to be given back.
const SLACK_MIN: usize = 64;

/// How the elements of a node are kept.
#[derive(Clone, Debug)]
pub enum Form {
    /// As a packed sequence.
    Packed(Packed),
    /// As the bytes of the only element.
    Plain(Box<[u8]>),
}

/// A node.
#[derive(Clone, Debug)]
pub struct Node {
    form: Form,
    /// What the sequence would tell too, after a cache miss.
    count: u32,
}

const _: () = assert!(size_of::<Node>() == 32);

/// Where an element is in its node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Place {
    Packed(At),
    Plain,
}

impl From<Packed> for Node {
    fn from(packed: Packed) -> Node {
        let count = packed.len() as u32;
        Node { form: Form::Packed(packed), count }
    }
}

impl From<Box<[u8]>> for Node {
    fn from(element: Box<[u8]>) -> Node {
        Node { form: Form::Plain(element), count: 1 }
    }
}

impl Node {
    /// A node with one element.
    pub(super) fn of(text: &[u8], limits: Limits) -> Node {
        if limits.is_large(text.len()) {
            return Node::from(Box::from(text));
        }
        let mut packed = Packed::new();
        packed.push(text);
        Node { form: Form::Packed(packed), count: 1 }
    }

    /// How the elements are kept.
    pub fn form(&self) -> &Form {
        &self.form
    }

    /// How many elements there are.
    pub fn len(&self) -> usize {
        self.count as usize
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// How many bytes a listpack of them has, or the only element.
    pub fn size(&self) -> usize {
        match &self.form {
            Form::Packed(packed) => packed.size(),
            Form::Plain(element) => element.len(),
        }
    }

    /// How many bytes are allocated, without the node's own 32.
    pub fn allocated(&self) -> usize {
        match &self.form {
            Form::Packed(packed) => packed.allocated(),
            Form::Plain(element) => element.len(),
        }
    }

    pub(super) fn first(&self) -> Option<Place> {
        match &self.form {
            Form::Packed(packed) => packed.first().map(Place::Packed),
            Form::Plain(_) => Some(Place::Plain),
        }
    }

    pub(super) fn last(&self) -> Option<Place> {
        match &self.form {
            Form::Packed(packed) => packed.last().map(Place::Packed),
            Form::Plain(_) => Some(Place::Plain),
        }
    }

    pub(super) fn end(&self, end: End) -> Option<Place> {
        match end {
            End::Head => self.first(),
            End::Tail => self.last(),
        }
    }

    /// The neighbour of an element, away from `from`.
    pub(super) fn after(&self, place: Place, from: End) -> Option<Place> {
        match (&self.form, place) {
            (Form::Packed(packed), Place::Packed(at)) => match from {
                End::Head => packed.next(at),
                End::Tail => packed.previous(at),
            }
            .map(Place::Packed),
            _ => None,
        }
    }

    pub(super) fn seek(&self, offset: usize) -> Option<Place> {
        match &self.form {
            Form::Packed(packed) => packed.seek(offset as i64).map(Place::Packed),
            Form::Plain(_) => (offset == 0).then_some(Place::Plain),
        }
    }

    pub(super) fn get(&self, place: Place) -> Element<'_> {
        match (&self.form, place) {
            (Form::Packed(packed), Place::Packed(at)) => packed.get(at),
            (Form::Plain(element), Place::Plain) => Element::of(element),
            _ => unreachable!("a place belongs to its node"),
        }
    }

    /// Whether an element of so many bytes may be added.
    pub(super) fn allows(&self, length: usize, limits: Limits) -> bool {
        match &self.form {
            Form::Packed(packed) => limits.allow_one_more(packed.size(), self.len(), length),
            Form::Plain(_) => false,
        }
    }

    /// Adds an element in front of the one at `offset`, to a packed node.
    pub(super) fn insert(&mut self, offset: usize, text: &[u8]) {
        let Form::Packed(packed) = &mut self.form else { unreachable!("a plain node allows no other element") };
        match offset {
            0 => packed.push_front(text),
            offset if offset == self.count as usize => packed.push(text),
            offset => packed.insert(packed.seek(offset as i64).expect("the offset is in the node"), text),
        }
        self.count += 1;
    }

    /// Puts another element in place of one, if the node does not grow beyond the limits by that.
    pub(super) fn replace(&mut self, offset: usize, text: &[u8], limits: Limits) -> bool {
        if self.count == 1 {
            *self = Node::of(text, limits);
            return true;
        }
        let Form::Packed(packed) = &mut self.form else { return false };
        let Some(at) = packed.seek(offset as i64) else { return false };
        let (old, new) = (Packed::cost(packed.get(at).as_slice(&mut Digits::new())), Packed::cost(text));
        let fits = !limits.is_large(text.len()) && limits.allow(packed.size() - old + new, self.count as usize);
        if fits || new <= old {
            packed.replace(at, text);
        }
        fits || new <= old
    }

    /// Removes `count` elements from `offset` on, of which at least one is there.
    pub(super) fn remove(&mut self, offset: usize, count: usize) {
        let count = count.min(self.len() - offset);
        if count == self.len() {
            *self = Node::from(Packed::new());
            return;
        }
        if let Form::Packed(packed) = &mut self.form {
            packed.remove(packed.seek(offset as i64).expect("the offset is in the node"), count);
            self.count -= count as u32;
            self.give_back();
        }
    }

    /// Removes up to `most` elements that equal one, beginning at an end.
    pub(super) fn remove_equal(&mut self, wanted: Element<'_>, from: End, most: usize) -> usize {
        let Form::Packed(packed) = &mut self.form else {
            let equal = most > 0 && self.first().is_some_and(|place| self.get(place) == wanted);
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
        self.count -= removed as u32;
        if removed > 0 {
            self.give_back();
        }
        removed
    }

    /// Splits in front of an element that is not the first.
    pub(super) fn split_off(&mut self, offset: usize) -> Node {
        let Form::Packed(packed) = &mut self.form else { unreachable!("a plain node has one element") };
        let mut other = packed.split_off(packed.seek(offset as i64).expect("the offset is in the node"));
        packed.shrink();
        other.shrink();
        let count = self.count - offset as u32;
        self.count = offset as u32;
        Node { form: Form::Packed(other), count }
    }

    /// The bytes and elements that the node would have with those of another; none if one of the two is plain.
    pub(super) fn joined(&self, other: &Node) -> Option<(usize, usize)> {
        match (&self.form, &other.form) {
            (Form::Packed(packed), Form::Packed(after)) => {
                Some((packed.size() + after.size() - FRAME, self.len() + other.len()))
            }
            _ => None,
        }
    }

    /// Adds all elements of another packed node behind the last.
    pub(super) fn append(&mut self, other: &Node) {
        if let (Form::Packed(packed), Form::Packed(after)) = (&mut self.form, &other.form) {
            packed.append(after);
            self.count += other.count;
        }
    }

    /// Gives back the memory that was meant for growth.
    pub(super) fn close(&mut self) {
        if let Form::Packed(packed) = &mut self.form {
            packed.shrink();
        }
    }

    fn give_back(&mut self) {
        if let Form::Packed(packed) = &mut self.form
            && packed.allocated() > SLACK * packed.size() + SLACK_MIN
        {
            packed.shrink();
        }
    }
}
