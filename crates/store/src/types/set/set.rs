//! A set: an [`IntSet`] while all members are integers and few, a packed sequence while others are short and few, a table
//! from then on. Redis 7.0 knows no packed sets: to its clients and in its files, these are tables.

use super::super::element::Element;
use super::super::packed::Packed;
use super::super::table::{Table, choose};
use super::intset::{IntSet, MAX_LEN};
use crate::bytes::{Bytes, Content};
use crate::number::{self, Digits};

/// How large a set of integers is one block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// The most members: `set-max-intset-entries`.
    pub max_intset_entries: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { max_intset_entries: 512 }
    }
}

/// The most members of a packed sequence: to search so many takes 0.2 to 0.3 µs.
const PACKED_LEN: usize = 64;
/// The longest member in one.
const PACKED_MEMBER: usize = 64;

/// A set. Its form changes only on insertion: from integers to the others, from packed to table.
#[derive(Clone)]
pub struct Set {
    form: Form,
}

#[derive(Clone)]
enum Form {
    Integers(IntSet),
    /// In a box, so that a set is two words.
    Other(Box<Other>),
}

const _: () = assert!(size_of::<Set>() == 16);

#[derive(Clone)]
enum Other {
    Packed(Packed),
    Table(Box<Table<()>>),
}

/// A form to be read.
enum View<'a> {
    Integers(&'a IntSet),
    Packed(&'a Packed),
    Table(&'a Table<()>),
}

impl Default for Set {
    fn default() -> Self {
        Self::new()
    }
}

impl Set {
    /// An empty one.
    pub fn new() -> Set {
        Set { form: Form::Integers(IntSet::new()) }
    }

    /// A set from a block, which it stays only if it may.
    pub fn from_integers(integers: IntSet, limits: &Limits) -> Set {
        let mut set = Set { form: Form::Integers(integers) };
        if set.len() > limits.max_intset_entries {
            set.make_other(0);
        }
        set
    }

    fn view(&self) -> View<'_> {
        match &self.form {
            Form::Integers(integers) => View::Integers(integers),
            Form::Other(other) => match &**other {
                Other::Packed(packed) => View::Packed(packed),
                Other::Table(table) => View::Table(table),
            },
        }
    }

    /// The block, if it is one of integers.
    pub fn as_integers(&self) -> Option<&IntSet> {
        match &self.form {
            Form::Integers(integers) => Some(integers),
            Form::Other(_) => None,
        }
    }

    /// The name that OBJECT ENCODING replies.
    pub fn encoding(&self) -> &'static str {
        match self.form {
            Form::Integers(_) => "intset",
            Form::Other(_) => "hashtable",
        }
    }

    /// How many members there are.
    pub fn len(&self) -> usize {
        match self.view() {
            View::Integers(integers) => integers.len(),
            View::Packed(packed) => packed.len(),
            View::Table(table) => table.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many bytes of memory it has besides itself.
    pub fn allocated(&self) -> usize {
        match self.view() {
            View::Integers(integers) => integers.allocated(),
            View::Packed(packed) => size_of::<Other>() + packed.allocated(),
            View::Table(table) => size_of::<Other>() + size_of::<Table<()>>() + table.allocated(),
        }
    }

    /// Whether it is a member.
    pub fn contains(&self, member: &[u8]) -> bool {
        match self.view() {
            View::Integers(integers) => number::parse(member).is_some_and(|value| integers.contains(value)),
            View::Packed(packed) => packed.find(packed.first(), member, 1).is_some(),
            View::Table(table) => table.find(member).is_some(),
        }
    }

    /// As [`Set::contains`], for what another set has.
    pub fn contains_element(&self, member: Element<'_>) -> bool {
        match (&self.form, member) {
            (Form::Integers(integers), Element::Integer(value)) => integers.contains(value),
            _ => self.contains(member.as_slice(&mut Digits::new())),
        }
    }

    /// Adds a member and says whether it is new.
    pub fn add(&mut self, member: &[u8], limits: &Limits) -> bool {
        if let Form::Integers(integers) = &mut self.form
            && let Some(value) = number::parse(member)
        {
            let max = limits.max_intset_entries.min(MAX_LEN);
            if integers.len() < max {
                return integers.insert(value);
            }
            if integers.contains(value) {
                return false;
            }
        }
        match self.other(member.len()) {
            Other::Packed(packed) if packed.find(packed.first(), member, 1).is_some() => false,
            Other::Packed(packed) => {
                packed.push(member);
                true
            }
            Other::Table(table) if table.find(member).is_some() => false,
            Other::Table(table) => {
                table.insert(member, ());
                true
            }
        }
    }

    /// Removes a member and says whether it was there.
    pub fn remove(&mut self, member: &[u8]) -> bool {
        match &mut self.form {
            Form::Integers(integers) => number::parse(member).is_some_and(|value| integers.remove(value)),
            Form::Other(other) => match &mut **other {
                Other::Packed(packed) => {
                    let found = packed.find(packed.first(), member, 1);
                    found.into_iter().for_each(|at| packed.remove(at, 1));
                    found.is_some()
                }
                Other::Table(table) => table.find(member).is_some_and(|place| table.remove(place).is_some()),
            },
        }
    }

    /// Removes any member, all with the same probability.
    pub fn pop(&mut self, mut random: impl FnMut() -> u64) -> Option<Bytes> {
        match &mut self.form {
            Form::Integers(integers) => {
                let value = integers.get(pick(random(), integers.len()))?;
                integers.remove(value);
                Some(Bytes::from(Content::Borrowed(Digits::new().of(value))))
            }
            Form::Other(other) => match &mut **other {
                Other::Packed(packed) => {
                    let at = packed.seek(pick(random(), packed.len()) as i64)?;
                    let member = Bytes::from(Content::Borrowed(packed.get(at).as_slice(&mut Digits::new())));
                    packed.remove(at, 1);
                    Some(member)
                }
                Other::Table(table) => table.remove(table.random(random)?).map(|(member, ())| member),
            },
        }
    }

    /// Every member; integers that are one block in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = Element<'_>> {
        let (integers, packed, table) = match self.view() {
            View::Integers(integers) => (Some(integers), None, None),
            View::Packed(packed) => (None, Some(packed), None),
            View::Table(table) => (None, None, Some(table)),
        };
        let integers = integers.into_iter().flat_map(|integers| integers.iter());
        let packed = packed.into_iter().flat_map(|packed| packed.iter());
        let members = table.into_iter().flat_map(|table| table.iter());
        integers.map(Element::Integer).chain(packed).chain(members.map(|(member, ())| Element::of(member)))
    }

    /// As [`Set::iter`] from a place on, with the places, as long as nothing changes. One block has none.
    pub fn iter_from(&self, first: u32) -> impl Iterator<Item = (u32, Element<'_>)> {
        let table = match &self.form {
            Form::Integers(_) => None,
            Form::Table(table) => Some(table),
        };
        let members = table.into_iter().flat_map(move |table| table.iter_from(first));
        members.map(|(place, member, ())| (place, Element::of(member)))
    }

    /// One step of a scan that began with cursor 0: calls `found` for some members and returns the next cursor, 0 at
    /// the end. A member that is there during the whole scan is found at least once. A block comes whole.
    pub fn scan(&self, cursor: u64, mut found: impl FnMut(Element<'_>)) -> u64 {
        match self.view() {
            View::Table(table) => table.scan(cursor, |member, ()| found(Element::of(member))),
            _ => {
                self.iter().for_each(found);
                0
            }
        }
    }

    /// Any member, all with the same probability.
    pub fn random(&self, mut random: impl FnMut() -> u64) -> Option<Element<'_>> {
        match self.view() {
            View::Integers(integers) => integers.get(pick(random(), integers.len())).map(Element::Integer),
            View::Packed(packed) => packed.seek(pick(random(), packed.len()) as i64).map(|at| packed.get(at)),
            View::Table(table) => table.get(table.random(random)?).map(|(member, ())| Element::of(member)),
        }
    }

    /// Calls `found` `count` times with any member, each time all with the same probability; never if there is none.
    pub fn random_repeated(&self, count: usize, mut random: impl FnMut() -> u64, mut found: impl FnMut(Element<'_>)) {
        for _ in 0..count {
            let Some(member) = self.random(&mut random) else { return };
            found(member);
        }
    }

    /// Calls `found` with `count` different members, or with all if there are no more; any choice is as likely as any
    /// other. They come in no random order.
    pub fn random_distinct(&self, count: usize, random: impl FnMut() -> u64, mut found: impl FnMut(Element<'_>)) {
        match self.view() {
            View::Table(table) => table.random_distinct(count, random, |member, ()| found(Element::of(member))),
            _ => choose(self.iter(), self.len(), count, random, found),
        }
    }

    /// Drops up to `budget` members and says whether something is left, for a set that is no longer used. A block is a
    /// single allocation and goes at once.
    pub fn free_some(&mut self, budget: usize) -> bool {
        if let Form::Other(other) = &mut self.form
            && let Other::Table(table) = &mut **other
        {
            return table.free_some(budget);
        }
        *self = Set::new();
        false
    }

    /// The form that a set has, or gets, that takes one more member of `length` bytes and is not [`Form::Integers`].
    fn other(&mut self, length: usize) -> &mut Other {
        let fits = length <= PACKED_MEMBER && self.len() < PACKED_LEN;
        match self.view() {
            View::Integers(_) => self.make_other(length),
            View::Packed(_) if !fits => self.make_other(length),
            _ => {}
        }
        match &mut self.form {
            Form::Other(other) => other,
            Form::Integers(_) => unreachable!("was just made another"),
        }
    }

    /// Changes to the next form that takes one more member of `length` bytes.
    fn make_other(&mut self, length: usize) {
        let mut digits = Digits::new();
        let other = if length <= PACKED_MEMBER && self.len() < PACKED_LEN {
            let mut packed = Packed::new();
            self.iter().for_each(|member| packed.push(member.as_slice(&mut digits)));
            Other::Packed(packed)
        } else {
            let mut table = Box::new(Table::new());
            self.iter().for_each(|member| table.insert(member.as_slice(&mut digits), ()));
            Other::Table(table)
        };
        self.form = Form::Other(Box::new(other));
    }
}

/// A number below `len`, or 0.
fn pick(random: u64, len: usize) -> usize {
    (random % len.max(1) as u64) as usize
}

#[cfg(test)]
#[path = "set_tests.rs"]
mod tests;
