//! A sequence of elements in one contiguous block: Redis's listpack, byte for byte, so that a file or a DUMP payload
//! takes it as it is.
//!
//! Six bytes of header (the block's length and the number of elements, little-endian), the elements, and an end byte. An
//! element is its encoding, its data, and the length of both once more, written so that it is read backwards. Whatever
//! spells an integer is kept as one.

use super::block;
use super::element::{BACK_MAX, CODE_MAX, Element, back_len, back_of, decode, encode};
use std::mem;
use std::ops::Range;

const HEADER: usize = 6;
const END: u8 = 0xff;
/// In place of a count that does not fit.
const MANY: u16 = u16::MAX;
/// The largest block: lengths in it are of 32 bits.
pub const MAX_BYTES: usize = 1 << 30;

/// A block.
#[derive(Clone, Debug)]
pub struct Packed {
    /// As many as the header says, then room for more. None for [`Packed::none`].
    bytes: Box<[u8]>,
}

impl PartialEq for Packed {
    fn eq(&self, other: &Packed) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Packed {}

/// Where an element is: valid until the block changes in front of it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct At(usize);

impl At {
    /// The offset of the element in the block's bytes.
    pub(super) fn offset(self) -> usize {
        self.0
    }
}

/// Why bytes are not a block: the offset of what is wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Corrupt(pub usize);

impl Default for Packed {
    fn default() -> Self {
        Self::new()
    }
}

impl Packed {
    /// An empty one.
    pub fn new() -> Packed {
        Packed { bytes: Box::new([HEADER as u8 + 1, 0, 0, 0, 0, 0, END, 0]) }
    }

    /// Something in the place of a block. It has no memory, and nothing may be asked of it or done to it.
    pub(super) fn none() -> Packed {
        Packed { bytes: Box::default() }
    }

    /// Whether it is [`Packed::none`].
    pub(super) fn is_none(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Takes the block away.
    pub(super) fn take(&mut self) -> Packed {
        mem::replace(self, Packed::none())
    }

    /// A block that somebody else has made; refused unless every byte of it is as it should be.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Packed, Corrupt> {
        let length = bytes.get(..4).map(|length| u32::from_le_bytes([length[0], length[1], length[2], length[3]]));
        if bytes.len() <= HEADER || bytes.len() > MAX_BYTES || length != Some(bytes.len() as u32) {
            return Err(Corrupt(0));
        }
        let (mut at, mut count) = (HEADER, 0usize);
        while bytes[at] != END {
            let (element, size) = decode(&bytes, at).ok_or(Corrupt(at))?;
            // What spells an integer is kept as one, or else it would not be found.
            if element.is_text_of_integer() {
                return Err(Corrupt(at));
            }
            let mut back = [0; BACK_MAX];
            let back = back_of(size, &mut back);
            let after = at + size;
            // Another way to write the same length would be read backwards to another place.
            if bytes.get(after..after + back.len()) != Some(back) || after + back.len() >= bytes.len() {
                return Err(Corrupt(after));
            }
            at = after + back.len();
            count += 1;
        }
        let packed = Packed { bytes: bytes.into_boxed_slice() };
        let told = packed.told();
        if at + 1 != packed.bytes.len() || told != MANY && usize::from(told) != count {
            return Err(Corrupt(if at + 1 == packed.bytes.len() { 4 } else { at }));
        }
        Ok(packed)
    }

    /// The block as it is written to a file.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.size()]
    }

    /// How many bytes it has; [`Packed::new`] has 7.
    pub fn size(&self) -> usize {
        self.bytes.first_chunk().map_or(0, |length| u32::from_le_bytes(*length) as usize)
    }

    /// How many bytes are allocated.
    pub fn allocated(&self) -> usize {
        self.bytes.len()
    }

    /// Gives back what is allocated and not needed.
    pub fn shrink(&mut self) {
        let size = self.size();
        block::shrink(&mut self.bytes, size);
    }

    /// Where the end byte is.
    fn end(&self) -> usize {
        self.size() - 1
    }

    /// How many bytes an element takes in a block.
    pub fn cost(text: &[u8]) -> usize {
        cost(Element::of(text))
    }

    fn told(&self) -> u16 {
        u16::from_le_bytes([self.bytes[4], self.bytes[5]])
    }

    /// Whether [`Packed::len`] need not count.
    pub(super) fn tells_its_length(&self) -> bool {
        self.told() != MANY
    }

    /// Blocks of up to `most` elements each that together have its elements.
    pub(super) fn pieces(&self, most: usize) -> impl Iterator<Item = Packed> {
        let mut elements = self.iter();
        let mut next = move || {
            let some: Vec<_> = elements.by_ref().take(most).collect();
            let mut piece = Packed::new();
            piece.extend(&some);
            piece
        };
        std::iter::from_fn(move || Some(next()).filter(|piece| !piece.is_empty()))
    }

    /// How many elements there are.
    pub fn len(&self) -> usize {
        match self.told() {
            MANY => self.iter().count(),
            told => usize::from(told),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.size() == HEADER + 1
    }

    /// Writes the header, for a block of `size` bytes after so many elements have come and gone. A count that was too large
    /// to tell stays untold: to count anew with each change would be dear.
    fn note(&mut self, size: usize, more: usize, fewer: usize) {
        self.bytes[..4].copy_from_slice(&(size as u32).to_le_bytes());
        let told = self.told();
        if told != MANY {
            let told = u16::try_from(usize::from(told) + more - fewer).unwrap_or(MANY);
            self.bytes[4..HEADER].copy_from_slice(&told.to_le_bytes());
        }
    }

    /// The first element.
    pub fn first(&self) -> Option<At> {
        self.is_there(HEADER)
    }

    /// The last one.
    pub fn last(&self) -> Option<At> {
        self.before(self.end())
    }

    /// The one after it.
    pub fn next(&self, at: At) -> Option<At> {
        self.step(at).1
    }

    /// The one before it.
    pub fn previous(&self, at: At) -> Option<At> {
        self.before(at.0)
    }

    /// The element with this number, counted from 0, or from -1 backwards.
    pub fn seek(&self, index: i64) -> Option<At> {
        let count = self.len() as i64;
        let index = if index < 0 { index + count } else { index };
        if !(0..count).contains(&index) {
            return None;
        }
        if index < count / 2 {
            (0..index).try_fold(self.first()?, |at, _| self.next(at))
        } else {
            (index + 1..count).try_fold(self.last()?, |at, _| self.previous(at))
        }
    }

    /// The element there.
    pub fn get(&self, at: At) -> Element<'_> {
        self.read(at).0
    }

    /// The element there, and where the one after it is.
    #[inline]
    pub(super) fn step(&self, at: At) -> (Element<'_>, Option<At>) {
        let (element, end) = self.read(at);
        (element, self.is_there(end))
    }

    /// The element there, and where it ends.
    #[inline]
    fn read(&self, at: At) -> (Element<'_>, usize) {
        let (element, size) = decode(&self.bytes, at.0).expect("a block is well-formed");
        (element, at.0 + size + back_len(size))
    }

    /// Every element in order.
    pub fn iter(&self) -> Iter<'_> {
        Iter { packed: self, next: self.first() }
    }

    /// Looks for an element that equals `text`, from `from` on, at every `step`th.
    pub fn find(&self, from: Option<At>, text: &[u8], step: usize) -> Option<At> {
        let wanted = Element::of(text);
        let mut at = from;
        while let Some(here) = at {
            let (element, next) = self.step(here);
            if element == wanted {
                return at;
            }
            at = (1..step).try_fold(next?, |at, _| self.next(at));
        }
        None
    }

    /// Adds an element behind the last.
    pub fn push(&mut self, text: &[u8]) {
        self.put(self.end(), 0, &[Element::of(text)]);
    }

    /// Adds several elements behind the last.
    pub(super) fn extend(&mut self, elements: &[Element<'_>]) {
        self.put(self.end(), 0, elements);
    }

    /// Adds an element in front of the first.
    pub fn push_front(&mut self, text: &[u8]) {
        self.put(HEADER, 0, &[Element::of(text)]);
    }

    /// Adds an element in front of another, whose place is then the new one's.
    pub fn insert(&mut self, at: At, text: &[u8]) {
        self.put(at.0, 0, &[Element::of(text)]);
    }

    /// Adds several elements in front of the one at `at`, or behind the last.
    pub fn insert_all(&mut self, at: Option<At>, texts: &[&[u8]]) {
        let elements: Vec<_> = texts.iter().map(|text| Element::of(text)).collect();
        self.put(at.map_or(self.end(), |at| at.0), 0, &elements);
    }

    /// Replaces an element.
    pub fn replace(&mut self, at: At, text: &[u8]) {
        self.put(at.0, 1, &[Element::of(text)]);
    }

    /// Replaces an element by an integer.
    pub(super) fn replace_by_integer(&mut self, at: At, value: i64) {
        self.put(at.0, 1, &[Element::Integer(value)]);
    }

    /// Removes up to `count` elements from there on; what comes after them is then there.
    pub fn remove(&mut self, at: At, count: usize) {
        self.put(at.0, count, &[]);
    }

    /// Splits in front of an element: what comes from there on is the result.
    pub fn split_off(&mut self, at: At) -> Packed {
        let (moved, end) = (self.tail(at.0), self.end());
        let mut other = Packed::new();
        other.gap(HEADER..HEADER, end - at.0, moved, 0).copy_from_slice(&self.bytes[at.0..end]);
        self.gap(at.0..end, 0, 0, moved);
        other
    }

    /// Adds all elements of another block behind the last.
    pub fn append(&mut self, other: &Packed) {
        let (end, added) = (self.end(), &other.bytes[HEADER..other.end()]);
        self.gap(end..end, added.len(), other.len(), 0).copy_from_slice(added);
    }

    /// How many elements there are from an offset on.
    fn tail(&self, from: usize) -> usize {
        let mut at = self.is_there(from);
        let mut count = 0;
        while let Some(here) = at {
            count += 1;
            at = self.next(here);
        }
        count
    }

    /// Puts elements in place of the `old` ones at an offset.
    fn put(&mut self, at: usize, old: usize, new: &[Element<'_>]) {
        let (mut end, mut removed) = (at, 0);
        while removed < old && self.bytes[end] != END {
            end = self.read(At(end)).1;
            removed += 1;
        }
        let size = new.iter().map(|element| cost(*element)).sum();
        let mut room = self.gap(at..end, size, new.len(), removed);
        for element in new {
            room = write(*element, room);
        }
    }

    /// Makes room for `size` bytes, which `more` elements have, in place of those of `fewer` elements.
    fn gap(&mut self, old: Range<usize>, size: usize, more: usize, fewer: usize) -> &mut [u8] {
        let (at, before) = (old.start, self.size());
        let after = before - old.len() + size;
        block::make_gap(&mut self.bytes, before, old, size);
        self.note(after, more, fewer);
        &mut self.bytes[at..at + size]
    }

    fn is_there(&self, at: usize) -> Option<At> {
        (self.bytes[at] != END).then_some(At(at))
    }

    /// The element that ends where another begins.
    fn before(&self, end: usize) -> Option<At> {
        if end == HEADER {
            return None;
        }
        let (mut size, mut shift, mut at) = (0usize, 0, end);
        loop {
            at -= 1;
            size |= usize::from(self.bytes[at] & 0x7f) << shift;
            shift += 7;
            if self.bytes[at] & 0x80 == 0 {
                return Some(At(at - size));
            }
        }
    }
}

/// How many bytes an element takes.
fn cost(element: Element<'_>) -> usize {
    let mut code = [0; CODE_MAX];
    let (code, text) = encode(element, &mut code);
    let size = code.len() + text.map_or(0, <[u8]>::len);
    size + back_len(size)
}

/// Writes an element, and returns the room that is left behind it.
fn write<'a>(element: Element<'_>, room: &'a mut [u8]) -> &'a mut [u8] {
    let (mut code, mut back) = ([0; CODE_MAX], [0; BACK_MAX]);
    let (code, text) = encode(element, &mut code);
    let text = text.unwrap_or_default();
    let back = back_of(code.len() + text.len(), &mut back);
    let room = copy(code, room);
    let room = copy(text, room);
    copy(back, room)
}

fn copy<'a>(bytes: &[u8], room: &'a mut [u8]) -> &'a mut [u8] {
    let (here, left) = room.split_at_mut(bytes.len());
    here.copy_from_slice(bytes);
    left
}

impl<'a> IntoIterator for &'a Packed {
    type Item = Element<'a>;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

/// The elements of a block in order.
pub struct Iter<'a> {
    packed: &'a Packed,
    next: Option<At>,
}

impl<'a> Iterator for Iter<'a> {
    type Item = Element<'a>;

    fn next(&mut self) -> Option<Element<'a>> {
        let (element, next) = self.packed.step(self.next?);
        self.next = next;
        Some(element)
    }
}

#[cfg(test)]
#[path = "packed_tests.rs"]
mod tests;
