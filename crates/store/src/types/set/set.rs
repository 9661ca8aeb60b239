//! A set: an [`IntSet`] while all members are integers and few, a table from then on.

use super::super::element::Element;
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

/// A set. Its form changes only on insertion, from integers to table.
#[derive(Clone)]
pub struct Set {
    form: Form,
}

#[derive(Clone)]
enum Form {
    Integers(IntSet),
    Table(Table<()>),
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
            set.table();
        }
        set
    }

    /// The block, if it is one.
    pub fn as_integers(&self) -> Option<&IntSet> {
        match &self.form {
            Form::Integers(integers) => Some(integers),
            Form::Table(_) => None,
        }
    }

    /// The name that OBJECT ENCODING replies.
    pub fn encoding(&self) -> &'static str {
        match self.form {
            Form::Integers(_) => "intset",
            Form::Table(_) => "hashtable",
        }
    }

    /// How many members there are.
    pub fn len(&self) -> usize {
        match &self.form {
            Form::Integers(integers) => integers.len(),
            Form::Table(table) => table.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many bytes of memory it has besides itself.
    pub fn allocated(&self) -> usize {
        match &self.form {
            Form::Integers(integers) => integers.allocated(),
            Form::Table(table) => table.allocated(),
        }
    }

    /// Whether it is a member.
    pub fn contains(&self, member: &[u8]) -> bool {
        match &self.form {
            Form::Integers(integers) => number::parse(member).is_some_and(|value| integers.contains(value)),
            Form::Table(table) => table.find(member).is_some(),
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
        let table = self.table();
        let new = table.find(member).is_none();
        if new {
            table.insert(member, ());
        }
        new
    }

    /// Removes a member and says whether it was there.
    pub fn remove(&mut self, member: &[u8]) -> bool {
        match &mut self.form {
            Form::Integers(integers) => number::parse(member).is_some_and(|value| integers.remove(value)),
            Form::Table(table) => table.find(member).is_some_and(|place| table.remove(place).is_some()),
        }
    }

    /// Removes any member, all with the same probability.
    pub fn pop(&mut self, mut random: impl FnMut() -> u64) -> Option<Bytes> {
        match &mut self.form {
            Form::Integers(integers) => {
                let value = integers.get((random() % integers.len().max(1) as u64) as usize)?;
                integers.remove(value);
                Some(Bytes::from(Content::Borrowed(Digits::new().of(value))))
            }
            Form::Table(table) => table.remove(table.random(random)?).map(|(member, ())| member),
        }
    }

    /// Every member; integers that are one block in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = Element<'_>> {
        let (integers, table) = match &self.form {
            Form::Integers(integers) => (Some(integers), None),
            Form::Table(table) => (None, Some(table)),
        };
        let members = table.into_iter().flat_map(|table| table.iter());
        let integers = integers.into_iter().flat_map(|integers| integers.iter());
        integers.map(Element::Integer).chain(members.map(|(member, ())| Element::of(member)))
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
        match &self.form {
            Form::Integers(integers) => {
                integers.iter().for_each(|value| found(Element::Integer(value)));
                0
            }
            Form::Table(table) => table.scan(cursor, |member, ()| found(Element::of(member))),
        }
    }

    /// Any member, all with the same probability.
    pub fn random(&self, mut random: impl FnMut() -> u64) -> Option<Element<'_>> {
        match &self.form {
            Form::Integers(integers) => {
                integers.get((random() % integers.len().max(1) as u64) as usize).map(Element::Integer)
            }
            Form::Table(table) => table.get(table.random(random)?).map(|(member, ())| Element::of(member)),
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
        match &self.form {
            Form::Integers(integers) => {
                choose(integers.iter(), self.len(), count, random, |value| found(Element::Integer(value)));
            }
            Form::Table(table) => table.random_distinct(count, random, |member, ()| found(Element::of(member))),
        }
    }

    /// Drops up to `budget` members and says whether something is left, for a set that is no longer used. A block is a
    /// single allocation and goes at once.
    pub fn free_some(&mut self, budget: usize) -> bool {
        match &mut self.form {
            Form::Integers(integers) => {
                *integers = IntSet::new();
                false
            }
            Form::Table(table) => table.free_some(budget),
        }
    }

    /// The table that it is, or becomes.
    fn table(&mut self) -> &mut Table<()> {
        if let Form::Integers(integers) = &self.form {
            let mut table = Table::new();
            let mut digits = Digits::new();
            for value in integers.iter() {
                table.insert(digits.of(value), ());
            }
            self.form = Form::Table(table);
        }
        match &mut self.form {
            Form::Table(table) => table,
            Form::Integers(_) => unreachable!("was just made a table"),
        }
    }
}

#[cfg(test)]
#[path = "set_tests.rs"]
mod tests;
