//! All data as they were at one moment, in the form of an RDB file, while they go on changing.
//!
//! No fork: the databases are walked in slices between requests. What is about to change for the first time since the
//! beginning is written first, out of turn; `Databases::changing` sees to that. What is new since then is left out.
//!
//! A large value is written in portions, however many slices that takes. It is open meanwhile: what has to be written out
//! of turn waits behind it, and if it is about to change itself, the rest of it is written first. A value that goes as a
//! whole is kept for the snapshot instead.

use super::usage::Usage;
use rdb::{Entry, FileWriter};
use store::{EntryId, Keyspace, Value, ValueRef};

/// Places looked at between two looks at the clock.
const STEPS: usize = 64;
/// About how many bytes of a value are written between two looks at the clock.
pub(super) const PORTION: usize = if cfg!(test) { 64 } else { 16 * 1024 };
/// A collection with more elements, or a string with more bytes, is kept rather than written when it goes.
const LARGE_ELEMENTS: usize = if cfg!(test) { 2 } else { 256 };
const LARGE_BYTES: usize = 64 * 1024;

/// What a snapshot says about the uses of keys.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Noted {
    Nothing,
    /// For how long they have not been used.
    Idle,
    /// How often they are used.
    Frequency,
}

/// The value that is not whole in the file yet.
pub(super) enum Open {
    /// That of an entry, in the database that had this number at the beginning.
    Entry(usize, EntryId),
    /// One that has gone from its database.
    Kept(Value),
}

/// An entry that has gone from its database before it was written.
pub(super) struct Gone {
    number: usize,
    key: Box<[u8]>,
    value: Value,
    deadline: Option<i64>,
    usage: Option<rdb::Usage>,
}

/// The snapshot under way.
pub(super) struct Snapshot {
    pub writer: FileWriter,
    pub noted: Noted,
    pub usage: Usage,
    /// When it began, in Unix milliseconds.
    pub now: i64,
    /// Which database each was at the beginning; they may have been exchanged since.
    pub numbers: Vec<usize>,
    /// How many keys each had at the beginning, and how many of them expire, until that is written.
    pub sizes: Vec<Option<(usize, usize)>>,
    /// What was in databases that have been emptied since, and which they were.
    pub kept: Vec<(usize, Keyspace)>,
    /// What nobody needs any more.
    pub discarded: Vec<Keyspace>,
    pub freed: Vec<Value>,
    pub open: Option<Open>,
    pub gone: Vec<Gone>,
    /// The database that the next entry is in unless another is named.
    pub selected: Option<usize>,
    pub entries: u64,
    pub total: u64,
    /// All is written, with the end.
    pub finished: bool,
}

impl Snapshot {
    /// Whether the value of an entry is open.
    fn is_open(&self, db: usize, id: EntryId) -> bool {
        matches!(self.open, Some(Open::Entry(number, open)) if (number, open) == (self.numbers[db], id))
    }

    /// Writes of an entry that is about to change what is not written yet.
    pub fn save_first(&mut self, db: usize, keyspace: &mut Keyspace, id: EntryId) {
        if keyspace.is_unsaved(id) {
            keyspace.mark_saved(id);
            self.write(self.numbers[db], keyspace, id, usize::MAX);
        } else if self.is_open(db, id) {
            self.go_on(keyspace.value(id), usize::MAX);
        }
    }

    /// As `save_first` for an entry whose value goes. False if it is to be kept, with [`Snapshot::keep_value`].
    pub fn save_before_it_goes(&mut self, db: usize, keyspace: &mut Keyspace, id: EntryId) -> bool {
        let is_kept = (keyspace.is_unsaved(id) || self.is_open(db, id)) && keyspace.value(id).is_some_and(is_large);
        if !is_kept {
            self.save_first(db, keyspace, id);
        }
        !is_kept
    }

    /// Has the snapshot own the value of an entry that goes now.
    pub fn keep_value(
        &mut self,
        db: usize,
        keyspace: &mut Keyspace,
        id: EntryId,
        take: impl FnOnce(&mut Keyspace) -> Option<Value>,
    ) {
        let (is_open, deadline, usage) = (self.is_open(db, id), keyspace.deadline(id), self.usage_of(keyspace, id));
        let key = keyspace.key(id).into();
        keyspace.mark_saved(id);
        let Some(value) = take(keyspace) else { return };
        if is_open {
            self.open = Some(Open::Kept(value));
        } else {
            self.gone.push(Gone { number: self.numbers[db], key, value, deadline, usage });
        }
    }

    fn usage_of(&self, keyspace: &Keyspace, id: EntryId) -> Option<rdb::Usage> {
        usage_of(keyspace, id, self.noted, &self.usage, self.now)
    }

    fn write(&mut self, number: usize, keyspace: &Keyspace, id: EntryId, bytes: usize) {
        let Some(value) = keyspace.value(id) else { return };
        let usage = self.usage_of(keyspace, id);
        let entry = Entry { key: keyspace.key(id), value, deadline: keyspace.deadline(id), usage };
        if self.write_entry(number, &entry, bytes) {
            self.open = Some(Open::Entry(number, id));
        }
    }

    /// Writes an entry, or begins to. True if it is not whole then.
    fn write_entry(&mut self, number: usize, entry: &Entry<'_>, bytes: usize) -> bool {
        if self.selected != Some(number) {
            self.selected = Some(number);
            match self.sizes[number].take() {
                Some((keys, volatile)) => self.writer.database(number as u64, keys as u64, volatile as u64),
                None => self.writer.select(number as u64),
            }
        }
        self.entries += 1;
        if bytes == usize::MAX {
            self.writer.entry(entry);
            return false;
        }
        self.writer.begin_entry(entry, bytes)
    }

    /// Writes more of the value that is open.
    fn go_on(&mut self, value: Option<ValueRef<'_>>, bytes: usize) {
        let rest = value.is_some_and(|value| self.writer.go_on(value, bytes));
        if !rest {
            self.open = None;
        }
    }

    pub fn swap(&mut self, one: usize, other: usize) {
        self.numbers.swap(one, other);
    }

    /// Keeps what was taken out of a database until it is written, or returns it if all of it is.
    pub fn keep(&mut self, db: usize, mut keyspace: Keyspace) -> Keyspace {
        self.keep_open(self.numbers[db], &mut keyspace);
        if !keyspace.has_snapshot() {
            return keyspace;
        }
        self.kept.push((self.numbers[db], keyspace));
        Keyspace::new()
    }

    /// Takes the value that is open out of what is not in use any more.
    fn keep_open(&mut self, number: usize, keyspace: &mut Keyspace) {
        if let Some(Open::Entry(other, id)) = self.open
            && other == number
        {
            self.open = keyspace.remove(id).map(Open::Kept);
        }
    }

    /// Writes what is open, and values that have gone. True when there are no more. `value_of` tells the values of entries.
    pub fn write_open<'a>(
        &mut self,
        value_of: impl Fn(usize, EntryId) -> Option<ValueRef<'a>>,
        may_go_on: impl Fn(&Snapshot) -> bool,
    ) -> bool {
        loop {
            if self.open.is_none() && self.gone.is_empty() {
                return true;
            }
            if !may_go_on(self) {
                return false;
            }
            match self.open.take() {
                Some(Open::Entry(number, id)) => {
                    self.open = Some(Open::Entry(number, id));
                    let db = self.numbers.iter().position(|other| *other == number);
                    self.go_on(db.and_then(|db| value_of(db, id)), PORTION);
                }
                Some(Open::Kept(value)) => {
                    self.go_on_kept(value, |snapshot, value| snapshot.writer.go_on(value, PORTION))
                }
                None => {
                    let Some(Gone { number, key, value, deadline, usage }) = self.gone.pop() else { return true };
                    self.go_on_kept(value, |snapshot, value| {
                        snapshot.write_entry(number, &Entry { key: &key, value, deadline, usage }, PORTION)
                    });
                }
            }
        }
    }

    fn go_on_kept(&mut self, value: Value, write: impl FnOnce(&mut Snapshot, ValueRef<'_>) -> bool) {
        match write(self, value.view()) {
            true => self.open = Some(Open::Kept(value)),
            false => self.freed.push(value),
        }
    }

    /// Writes entries of a database, until a value is open or it is time to stop. True when there are no more.
    pub fn walk(&mut self, number: usize, keyspace: &mut Keyspace, may_go_on: impl Fn(&Snapshot) -> bool) -> bool {
        while keyspace.has_snapshot() {
            if self.open.is_some() || !may_go_on(self) {
                return false;
            }
            let mut steps = STEPS;
            if let Some(id) = keyspace.next_unsaved(&mut steps) {
                self.write(number, keyspace, id, PORTION);
            }
        }
        self.open.is_none()
    }

    /// As [`Snapshot::walk`] in what was taken out of databases.
    pub fn walk_kept(&mut self, may_go_on: impl Fn(&Snapshot) -> bool) -> bool {
        while let Some((number, mut keyspace)) = self.kept.pop() {
            let done = self.walk(number, &mut keyspace, &may_go_on);
            self.keep_open(number, &mut keyspace);
            match keyspace.has_snapshot() {
                false => self.discarded.push(keyspace),
                true => self.kept.push((number, keyspace)),
            }
            if !done {
                return false;
            }
        }
        true
    }

    /// What is left of values that have gone, when the snapshot ends.
    pub fn into_garbage(self) -> (Vec<Value>, Vec<Keyspace>) {
        let mut values = self.freed;
        values.extend(self.gone.into_iter().map(|gone| gone.value));
        if let Some(Open::Kept(value)) = self.open {
            values.push(value);
        }
        (values, self.discarded.into_iter().chain(self.kept.into_iter().map(|(_, keyspace)| keyspace)).collect())
    }
}

/// Whether it takes long to write a value.
pub(super) fn is_large(value: ValueRef<'_>) -> bool {
    match value {
        ValueRef::String(text) => text.len() > LARGE_BYTES,
        value => value.elements() > LARGE_ELEMENTS,
    }
}

/// What is said of the uses of an entry's key.
pub(super) fn usage_of(keyspace: &Keyspace, id: EntryId, noted: Noted, usage: &Usage, now: i64) -> Option<rdb::Usage> {
    match noted {
        Noted::Nothing => None,
        Noted::Idle => Some(rdb::Usage::Idle(usage.idle_time(keyspace.access(id), now) as u64)),
        Noted::Frequency => Some(rdb::Usage::Frequency(usage.frequency(keyspace.access(id), now))),
    }
}
