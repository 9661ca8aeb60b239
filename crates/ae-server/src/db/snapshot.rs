//! All data as they were at one moment, in the form of an RDB file, while they go on changing.
//!
//! No fork: the databases are walked in slices between requests. What is about to change for the first time since the
//! beginning is written first, out of turn; `Databases::changing` sees to that. What is new since then is left out.

use super::usage::Usage;
use rdb::{Entry, FileWriter};
use store::{EntryId, Keyspace};

/// Places looked at between two looks at the clock.
const STEPS: usize = 64;

/// What a snapshot says about the uses of keys.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Noted {
    Nothing,
    /// For how long they have not been used.
    Idle,
    /// How often they are used.
    Frequency,
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
    /// The database that the next entry is in unless another is named.
    pub selected: Option<usize>,
    pub entries: u64,
    pub total: u64,
    /// All is written, with the end.
    pub finished: bool,
}

impl Snapshot {
    /// Writes an entry that is about to change.
    pub fn save_first(&mut self, db: usize, keyspace: &mut Keyspace, id: EntryId) {
        keyspace.mark_saved(id);
        self.write(self.numbers[db], keyspace, id);
    }

    fn write(&mut self, number: usize, keyspace: &Keyspace, id: EntryId) {
        if self.selected != Some(number) {
            self.selected = Some(number);
            match self.sizes[number].take() {
                Some((keys, volatile)) => self.writer.database(number as u64, keys as u64, volatile as u64),
                None => self.writer.select(number as u64),
            }
        }
        write_entry(&mut self.writer, keyspace, id, self.noted, &self.usage, self.now);
        self.entries += 1;
    }

    pub fn swap(&mut self, one: usize, other: usize) {
        self.numbers.swap(one, other);
    }

    /// Keeps what was taken out of a database until it is written.
    pub fn keep(&mut self, db: usize, keyspace: Keyspace) {
        self.kept.push((self.numbers[db], keyspace));
    }

    /// Writes entries of a database. True when there are no more.
    pub fn walk(&mut self, number: usize, keyspace: &mut Keyspace, may_go_on: impl Fn(&Snapshot) -> bool) -> bool {
        while keyspace.has_snapshot() {
            if !may_go_on(self) {
                return false;
            }
            let mut steps = STEPS;
            if let Some(id) = keyspace.next_unsaved(&mut steps) {
                self.write(number, keyspace, id);
            }
        }
        true
    }
}

/// Writes an entry as it is.
pub(super) fn write_entry(
    writer: &mut FileWriter,
    keyspace: &Keyspace,
    id: EntryId,
    noted: Noted,
    usage: &Usage,
    now: i64,
) {
    let Some(value) = keyspace.value(id) else { return };
    let usage = match noted {
        Noted::Nothing => None,
        Noted::Idle => Some(rdb::Usage::Idle(usage.idle_time(keyspace.access(id), now) as u64)),
        Noted::Frequency => Some(rdb::Usage::Frequency(usage.frequency(keyspace.access(id), now))),
    };
    writer.entry(&Entry { key: keyspace.key(id), value, deadline: keyspace.deadline(id), usage });
}
