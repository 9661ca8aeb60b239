//! A hash: fields with their values. Packed as pairs, field before value, in the order in which they came; a table from
//! Redis's limits on.

use super::element::Element;
use super::packed::{At, Corrupt, MAX_BYTES, Packed};
use super::table::{Place, Table, choose};
use crate::bytes::{Bytes, Content};
use crate::number::Digits;
use std::collections::HashSet;

/// How large a hash is packed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// The most fields: `hash-max-listpack-entries`.
    pub max_packed_entries: usize,
    /// The longest field or value, in bytes: `hash-max-listpack-value`.
    pub max_packed_value: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { max_packed_entries: 512, max_packed_value: 64 }
    }
}

/// A hash. Its form changes only on insertion, from packed to table.
#[derive(Clone)]
pub struct Hash {
    form: Form,
}

#[derive(Clone)]
enum Form {
    Packed(Packed),
    Table(Box<Table<Bytes>>),
}

const _: () = assert!(size_of::<Hash>() == 16);

/// Where a field is.
enum Found {
    /// The place of its value.
    Packed(At),
    Table(Place),
}

impl Default for Hash {
    fn default() -> Self {
        Self::new()
    }
}

impl Hash {
    /// An empty one.
    pub fn new() -> Hash {
        Hash { form: Form::Packed(Packed::new()) }
    }

    /// A hash from a block that somebody else has made: refused with the offset 4, that of the count, if a field lacks
    /// its value or is there twice. It stays packed only if it may be.
    pub fn from_packed(packed: Packed, limits: &Limits) -> Result<Hash, Corrupt> {
        const COUNT: usize = 4;
        let mut seen = HashSet::with_hasher(ahash::RandomState::new());
        let (mut elements, mut longest) = (packed.iter(), 0);
        while let Some(field) = elements.next() {
            let value = elements.next().ok_or(Corrupt(COUNT))?;
            longest = longest.max(field.len()).max(value.len());
            let new = match field {
                Element::Integer(value) => (Some(value), &[][..]),
                Element::Text(text) => (None, text),
            };
            if !seen.insert(new) {
                return Err(Corrupt(COUNT));
            }
        }
        let fits = seen.len() <= limits.max_packed_entries && longest <= limits.max_packed_value;
        drop(seen);
        let mut hash = Hash { form: Form::Packed(packed) };
        if !fits {
            hash.unpack();
        }
        Ok(hash)
    }

    /// The block, if it is packed.
    pub fn as_packed(&self) -> Option<&Packed> {
        match &self.form {
            Form::Packed(packed) => Some(packed),
            Form::Table(_) => None,
        }
    }

    /// The name that OBJECT ENCODING replies.
    pub fn encoding(&self) -> &'static str {
        match self.form {
            Form::Packed(_) => "listpack",
            Form::Table(_) => "hashtable",
        }
    }

    /// How many fields there are.
    pub fn len(&self) -> usize {
        match &self.form {
            Form::Packed(packed) => packed.len() / 2,
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
            Form::Packed(packed) => packed.allocated(),
            Form::Table(table) => table.allocated(),
        }
    }

    fn find(&self, field: &[u8]) -> Option<Found> {
        match &self.form {
            Form::Packed(packed) => {
                packed.find(packed.first(), field, 2).and_then(|at| packed.next(at)).map(Found::Packed)
            }
            Form::Table(table) => table.find(field).map(Found::Table),
        }
    }

    fn value(&self, found: &Found) -> Option<Element<'_>> {
        match (&self.form, found) {
            (Form::Packed(packed), Found::Packed(at)) => Some(packed.get(*at)),
            (Form::Table(table), Found::Table(place)) => Some(Element::of(table.get(*place)?.1.as_slice())),
            _ => None,
        }
    }

    /// A field's value.
    pub fn get(&self, field: &[u8]) -> Option<Element<'_>> {
        self.value(&self.find(field)?)
    }

    /// Whether there is such a field.
    pub fn contains(&self, field: &[u8]) -> bool {
        self.find(field).is_some()
    }

    /// Gives a field a value and says whether the field is new.
    pub fn set(&mut self, field: &[u8], value: &[u8], limits: &Limits) -> bool {
        let found = self.find(field);
        self.put(found, field, value, limits)
    }

    /// Gives a field a value unless it has one, and says whether the field is new.
    pub fn set_if_absent(&mut self, field: &[u8], value: &[u8], limits: &Limits) -> bool {
        self.find(field).is_none() && self.put(None, field, value, limits)
    }

    /// Gives a field the value that `change` makes of the present one, or of none, and says whether the field is new.
    /// An error of `change` changes nothing.
    pub fn update<T: AsRef<[u8]>, E>(
        &mut self,
        field: &[u8],
        limits: &Limits,
        change: impl FnOnce(Option<Element<'_>>) -> Result<T, E>,
    ) -> Result<bool, E> {
        let found = self.find(field);
        let value = change(found.as_ref().and_then(|found| self.value(found)))?;
        Ok(self.put(found, field, value.as_ref(), limits))
    }

    /// Gives the field that is at `found`, or a new one, a value.
    fn put(&mut self, mut found: Option<Found>, field: &[u8], value: &[u8], limits: &Limits) -> bool {
        let new = found.is_none();
        if let Form::Packed(packed) = &self.form {
            let entries = self.len() + usize::from(new);
            let size = packed.size() + Packed::cost(field) + Packed::cost(value);
            let longest = field.len().max(value.len());
            if entries > limits.max_packed_entries || longest > limits.max_packed_value || size > MAX_BYTES {
                self.unpack();
                found = if new { None } else { self.find(field) };
            }
        }
        let content = Content::Borrowed(value);
        match (&mut self.form, found) {
            (Form::Packed(packed), Some(Found::Packed(at))) => packed.replace(at, value),
            (Form::Packed(packed), _) => packed.insert_all(None, &[field, value]),
            (Form::Table(table), Some(Found::Table(place))) => table.update(place, |value| value.assign(content)),
            (Form::Table(table), _) => table.insert(field, Bytes::from(content)),
        }
        new
    }

    /// Removes a field and says whether it was there.
    pub fn remove(&mut self, field: &[u8]) -> bool {
        let found = self.find(field);
        match (&mut self.form, found) {
            (Form::Packed(packed), Some(Found::Packed(at))) => {
                let Some(field) = packed.previous(at) else { return false };
                packed.remove(field, 2);
                true
            }
            (Form::Table(table), Some(Found::Table(place))) => table.remove(place).is_some(),
            _ => false,
        }
    }

    /// Every field with its value.
    pub fn iter(&self) -> impl Iterator<Item = (Element<'_>, Element<'_>)> {
        let (packed, table) = match &self.form {
            Form::Packed(packed) => (Some(packed), None),
            Form::Table(table) => (None, Some(table)),
        };
        let entries = table.into_iter().flat_map(|table| table.iter());
        packed.into_iter().flat_map(pairs).chain(entries.map(|(field, value)| entry(field, value)))
    }

    /// As [`Hash::iter`] from a place on, with the places, as long as nothing changes. A packed one has none.
    pub fn iter_from(&self, first: u32) -> impl Iterator<Item = (u32, Element<'_>, Element<'_>)> {
        let table = match &self.form {
            Form::Packed(_) => None,
            Form::Table(table) => Some(table),
        };
        let entries = table.into_iter().flat_map(move |table| table.iter_from(first));
        entries.map(|(place, field, value)| (place, Element::of(field), Element::of(value.as_slice())))
    }

    /// One step of a scan that began with cursor 0: calls `found` for some fields and returns the next cursor, 0 at the
    /// end. A field that is there during the whole scan is found at least once. A packed hash comes whole.
    pub fn scan(&self, cursor: u64, mut found: impl FnMut(Element<'_>, Element<'_>)) -> u64 {
        match &self.form {
            Form::Packed(packed) => {
                pairs(packed).for_each(|(field, value)| found(field, value));
                0
            }
            Form::Table(table) => table.scan(cursor, |field, value| {
                let (field, value) = entry(field, value);
                found(field, value);
            }),
        }
    }

    /// Any field with its value, all with the same probability.
    pub fn random(&self, mut random: impl FnMut() -> u64) -> Option<(Element<'_>, Element<'_>)> {
        match &self.form {
            Form::Packed(packed) if packed.is_empty() => None,
            Form::Packed(packed) => {
                let field = packed.seek(2 * (random() % self.len() as u64) as i64)?;
                Some((packed.get(field), packed.get(packed.next(field)?)))
            }
            Form::Table(table) => {
                let (field, value) = table.get(table.random(random)?)?;
                Some(entry(field, value))
            }
        }
    }

    /// Calls `found` `count` times with any field, each time all with the same probability; never if there is none.
    pub fn random_repeated(
        &self,
        count: usize,
        mut random: impl FnMut() -> u64,
        mut found: impl FnMut(Element<'_>, Element<'_>),
    ) {
        // So that not every pick walks through the block.
        let listed: Vec<_> = self.as_packed().into_iter().flat_map(pairs).collect();
        for _ in 0..count {
            let pick = match listed.len() {
                0 => self.random(&mut random),
                len => listed.get((random() % len as u64) as usize).copied(),
            };
            let Some((field, value)) = pick else { return };
            found(field, value);
        }
    }

    /// Calls `found` with `count` different fields, or with all if there are no more; any choice is as likely as any
    /// other. They come in no random order.
    pub fn random_distinct(
        &self,
        count: usize,
        random: impl FnMut() -> u64,
        mut found: impl FnMut(Element<'_>, Element<'_>),
    ) {
        match &self.form {
            Form::Packed(packed) => {
                choose(pairs(packed), self.len(), count, random, |(field, value)| found(field, value));
            }
            Form::Table(table) => table.random_distinct(count, random, |field, value| {
                let (field, value) = entry(field, value);
                found(field, value);
            }),
        }
    }

    /// Drops up to `budget` fields and says whether something is left, for a hash that is no longer used. A packed one
    /// is a single allocation and goes at once.
    pub fn free_some(&mut self, budget: usize) -> bool {
        match &mut self.form {
            Form::Packed(packed) => {
                *packed = Packed::new();
                false
            }
            Form::Table(table) => table.free_some(budget),
        }
    }

    fn unpack(&mut self) {
        let Form::Packed(packed) = &self.form else { return };
        let mut table = Table::new();
        let (mut first, mut second) = (Digits::new(), Digits::new());
        for (field, value) in pairs(packed) {
            let value = Bytes::from(Content::Borrowed(value.as_slice(&mut second)));
            table.insert(field.as_slice(&mut first), value);
        }
        self.form = Form::Table(Box::new(table));
    }
}

fn pairs(packed: &Packed) -> impl Iterator<Item = (Element<'_>, Element<'_>)> {
    let mut elements = packed.iter();
    std::iter::from_fn(move || Some((elements.next()?, elements.next()?)))
}

fn entry<'a>(field: &'a [u8], value: &'a Bytes) -> (Element<'a>, Element<'a>) {
    (Element::of(field), Element::of(value.as_slice()))
}

#[cfg(test)]
#[path = "hash_tests.rs"]
mod tests;
