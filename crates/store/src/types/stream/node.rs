//! A run of entries in one packed block, written as Redis writes it.
//!
//! In front there is the master entry: how many entries there are, how many were deleted, the number of fields and the
//! fields of the first entry, and a 0. Each entry is its flags, its id relative to the node's, then its values if it has
//! the master's fields, or the number of its fields and fields with values if it has others, and at the end how many
//! elements that were, for reading backwards. A deleted entry stays where it is, with a flag.
//! Entries are in the order of their ids; deleted ones are not if XSETID has set the last id back.

use super::id::Id;
use crate::types::element::Element;
use crate::types::packed::{At, Corrupt, MAX_BYTES, Packed};

const DELETED: i64 = 1;
const SAME_FIELDS: i64 = 2;
/// The elements of an entry with the master's fields besides its values: flags, time, sequence number.
const OVERHEAD: usize = 3;
/// The most bytes that a block takes for an element besides its text.
const ELEMENT_OVERHEAD: usize = 10;

/// A block with its entries; the node's own id, that of its first entry, is kept beside it.
#[derive(Clone, Debug)]
pub(super) struct Node {
    packed: Packed,
}

/// Where an entry is, and what kind it is: valid until the block changes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    at: At,
    pub(super) id: Id,
    flags: i64,
    /// How many fields it has.
    pub(super) fields: usize,
    /// What follows the id and the number of fields.
    pub(super) body: At,
}

impl Slot {
    pub(super) fn is_deleted(&self) -> bool {
        self.flags & DELETED != 0
    }

    pub(super) fn has_same_fields(&self) -> bool {
        self.flags & SAME_FIELDS != 0
    }
}

/// A node to be read.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) packed: &'a Packed,
    pub(super) master: Id,
    fields: usize,
    /// The first of the master's fields, or the 0 behind them.
    pub(super) names: At,
}

/// An upper bound of what an entry takes in a block, the master's fields included if it is the first one.
pub(super) fn cost_bound(bytes: usize, elements: usize) -> usize {
    bytes.saturating_add(ELEMENT_OVERHEAD * (2 * elements + 10))
}

impl Node {
    /// A node with one entry. `pairs` are fields with values, by turns.
    pub(super) fn new<T: AsRef<[u8]>>(pairs: &[T]) -> Node {
        let count = (pairs.len() / 2) as i64;
        let fields = pairs.iter().step_by(2).map(|field| Element::of(field.as_ref()));
        let mut elements = vec![Element::Integer(1), Element::Integer(0), Element::Integer(count)];
        elements.extend(fields);
        elements.push(Element::Integer(0));
        let mut node = Node { packed: Packed::new() };
        node.packed.extend(&elements);
        node.push(Id::MIN, Id::MIN, pairs, true);
        node
    }

    /// A block that somebody else has made, for the node with this id; refused unless all of it is as it should be.
    pub(super) fn from_packed(master: Id, packed: Packed) -> Result<Node, Corrupt> {
        let end = packed.size() - 1;
        let mut reader = Reader { packed: &packed, at: packed.first(), end };
        let (live, deleted, fields) = (reader.count()?, reader.count()?, reader.count()?);
        reader.skip(fields)?;
        reader.integer_if(|zero| zero == 0)?;
        let (mut found, mut found_deleted, mut last) = (0, 0, None);
        while let Some(start) = reader.at {
            let flags = reader.integer_if(|flags| flags & !(DELETED | SAME_FIELDS) == 0)?;
            let id = apart(master, reader.integer_if(|_| true)?, reader.integer_if(|_| true)?);
            let is_deleted = flags & DELETED != 0;
            if !is_deleted && (id < master || last.is_some_and(|last| id <= last)) {
                return Err(Corrupt(start.offset()));
            }
            last = if is_deleted { last } else { Some(id) };
            let elements = if flags & SAME_FIELDS != 0 {
                reader.skip(fields)?;
                fields + OVERHEAD
            } else {
                let fields = reader.count()?;
                reader.skip(fields)?;
                reader.skip(fields)?;
                2 * fields + OVERHEAD + 1
            };
            reader.integer_if(|count| count == elements as i64)?;
            found += usize::from(!is_deleted);
            found_deleted += usize::from(is_deleted);
        }
        if (live, deleted) != (found, found_deleted) || found + found_deleted == 0 {
            return Err(Corrupt(packed.first().map_or(end, At::offset)));
        }
        Ok(Node { packed })
    }

    pub(super) fn packed(&self) -> &Packed {
        &self.packed
    }

    pub(super) fn view(&self, master: Id) -> View<'_> {
        let fields = self.counter(2);
        View { packed: &self.packed, master, fields: integer(&self.packed, fields) as usize, names: self.after(fields) }
    }

    /// How many entries there are, without deleted ones.
    pub(super) fn len(&self) -> usize {
        integer(&self.packed, self.counter(0)) as usize
    }

    /// How many entries were deleted.
    pub(super) fn deleted(&self) -> usize {
        integer(&self.packed, self.counter(1)) as usize
    }

    /// How many bytes the block has.
    pub(super) fn size(&self) -> usize {
        self.packed.size()
    }

    /// How many bytes are allocated.
    pub(super) fn allocated(&self) -> usize {
        self.packed.allocated()
    }

    /// Whether an entry still fits: with `bytes` in so many elements.
    pub(super) fn has_room(&self, bytes: usize, elements: usize) -> bool {
        self.size() + cost_bound(bytes, elements) <= MAX_BYTES
    }

    /// Adds an entry with an id above all others.
    pub(super) fn append<T: AsRef<[u8]>>(&mut self, master: Id, id: Id, pairs: &[T]) {
        let view = self.view(master);
        let mut names = Some(view.names);
        let is_same = pairs.len() / 2 == view.fields
            && pairs.iter().step_by(2).all(|field| {
                let name = names.expect("a block has the fields that it tells of");
                names = view.packed.next(name);
                view.packed.get(name) == Element::of(field.as_ref())
            });
        self.push(master, id, pairs, is_same);
        self.change_counter(0, 1);
    }

    fn push<T: AsRef<[u8]>>(&mut self, master: Id, id: Id, pairs: &[T], is_same: bool) {
        let (ms, seq) = (id.ms.wrapping_sub(master.ms), id.seq.wrapping_sub(master.seq));
        let (flags, step, overhead) = if is_same { (SAME_FIELDS, 2, OVERHEAD) } else { (0, 1, OVERHEAD + 1) };
        let mut elements = Vec::with_capacity(pairs.len() / step + overhead + 1);
        elements.extend([flags, ms as i64, seq as i64].map(Element::Integer));
        if !is_same {
            elements.push(Element::Integer((pairs.len() / 2) as i64));
        }
        elements.extend(pairs.iter().skip(step - 1).step_by(step).map(|text| Element::of(text.as_ref())));
        elements.push(Element::Integer(elements.len() as i64));
        self.packed.extend(&elements);
    }

    /// Marks entries as deleted that are not yet.
    pub(super) fn delete(&mut self, slots: &[Slot]) {
        for slot in slots {
            // As long as before: what comes after it stays where it is.
            self.packed.replace_by_integer(slot.at, slot.flags | DELETED);
        }
        self.change_counter(0, -(slots.len() as i64));
        self.change_counter(1, slots.len() as i64);
    }

    /// One of the numbers in front.
    fn counter(&self, number: usize) -> At {
        let first = self.packed.first().expect("a block begins with its counts");
        (0..number).fold(first, |at, _| self.after(at))
    }

    fn change_counter(&mut self, number: usize, by: i64) {
        let at = self.counter(number);
        let value = integer(&self.packed, at) + by;
        self.packed.replace_by_integer(at, value);
    }

    fn after(&self, at: At) -> At {
        self.packed.next(at).expect("an entry is whole")
    }
}

impl<'a> View<'a> {
    /// The first entry, deleted or not.
    pub(super) fn first(&self) -> Option<Slot> {
        self.packed.next(self.skip(self.names, self.fields)).map(|at| self.slot(at))
    }

    /// The last one.
    pub(super) fn last(&self) -> Option<Slot> {
        self.ending(self.packed.last())
    }

    /// The one after it.
    pub(super) fn next(&self, slot: &Slot) -> Option<Slot> {
        let elements = if slot.has_same_fields() { slot.fields } else { 2 * slot.fields };
        self.packed.next(self.skip(slot.body, elements)).map(|at| self.slot(at))
    }

    /// The one before it.
    pub(super) fn previous(&self, slot: &Slot) -> Option<Slot> {
        self.ending(self.packed.previous(slot.at))
    }

    /// The entry whose last element this is; none for the end of the master entry.
    fn ending(&self, at: Option<At>) -> Option<Slot> {
        let at = at?;
        let count = integer(self.packed, at);
        let back = |at, _| self.packed.previous(at).expect("an entry is whole");
        (count > 0).then(|| self.slot((0..count).fold(at, back)))
    }

    fn slot(&self, at: At) -> Slot {
        let (ms, seq) = (self.skip(at, 1), self.skip(at, 2));
        let id = apart(self.master, integer(self.packed, ms), integer(self.packed, seq));
        let (flags, body) = (integer(self.packed, at), self.skip(seq, 1));
        let slot = Slot { at, id, flags, fields: self.fields, body };
        if slot.has_same_fields() {
            return slot;
        }
        Slot { fields: integer(self.packed, body) as usize, body: self.skip(body, 1), ..slot }
    }

    fn skip(&self, at: At, count: usize) -> At {
        (0..count).fold(at, |at, _| self.packed.next(at).expect("an entry is whole"))
    }
}

fn integer(packed: &Packed, at: At) -> i64 {
    packed.get(at).as_integer().expect("counts and ids are integers")
}

/// The id that is so far away from another.
fn apart(master: Id, ms: i64, seq: i64) -> Id {
    Id { ms: master.ms.wrapping_add(ms as u64), seq: master.seq.wrapping_add(seq as u64) }
}

/// Reads a block that may be wrong.
struct Reader<'a> {
    packed: &'a Packed,
    at: Option<At>,
    /// The offset behind the last element.
    end: usize,
}

impl Reader<'_> {
    fn integer_if(&mut self, is_right: impl FnOnce(i64) -> bool) -> Result<i64, Corrupt> {
        let at = self.at.ok_or(Corrupt(self.end))?;
        let value = self.packed.get(at).as_integer().filter(|value| is_right(*value)).ok_or(Corrupt(at.offset()))?;
        self.at = self.packed.next(at);
        Ok(value)
    }

    /// A number of elements.
    fn count(&mut self) -> Result<usize, Corrupt> {
        self.integer_if(|count| count >= 0).map(|count| count as usize)
    }

    fn skip(&mut self, count: usize) -> Result<(), Corrupt> {
        for _ in 0..count {
            let at = self.at.ok_or(Corrupt(self.end))?;
            self.at = self.packed.next(at);
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "node_tests.rs"]
mod tests;
