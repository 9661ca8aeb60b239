//! A value that is being changed.

use super::databases::Databases;
use super::event::Event;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use store::{EntryId, Kind, Value, ValueId};

/// A value that is being changed. When it is dropped, everybody who has to know is told, and a collection with nothing
/// left in it goes.
///
/// Unless [`changes`](Edit::changes) says something else, there was one change if the value was borrowed as mutable.
pub struct Edit<'a, K: Kind> {
    databases: &'a mut Databases,
    db: usize,
    id: EntryId,
    held: Held,
    key: &'a [u8],
    event: Event,
    created: bool,
    touched: bool,
    changes: Option<u64>,
    /// Everybody is told, however many changes there were.
    told: bool,
    /// It has been told that there is a new key.
    told_new: bool,
    /// Who is told of changes.
    audience: Audience,
    kind: PhantomData<K>,
}

/// Where the value is while it is changed.
enum Held {
    There(ValueId),
    /// A short string, which goes back into its entry when it has been changed.
    Copy(Value),
}

/// Who is told of a change, apart from channels of keyspace notifications.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Audience {
    All,
    /// Clients that wait for the key.
    Waiting,
    /// Transactions that watch the key, and clients that keep a copy of its value.
    Watching,
    Nobody,
}

impl<'a, K: Kind> Edit<'a, K> {
    /// The value of the entry `id`; None if it is of another type.
    pub(super) fn new(
        databases: &'a mut Databases,
        db: usize,
        id: EntryId,
        key: &'a [u8],
        event: Event,
        created: bool,
    ) -> Option<Edit<'a, K>> {
        let keyspace = databases.keyspace(db);
        let held = match keyspace.value_id(id) {
            Some(value) => {
                K::of(keyspace.value_at(value)?)?;
                Held::There(value)
            }
            None => {
                let copy = keyspace.value(id)?.to_value();
                K::of(&copy)?;
                Held::Copy(copy)
            }
        };
        Some(Edit {
            databases,
            db,
            id,
            held,
            key,
            event,
            created,
            touched: false,
            changes: None,
            told: false,
            told_new: false,
            audience: Audience::All,
            kind: PhantomData,
        })
    }

    /// Whether there was no such key before.
    pub fn is_new(&self) -> bool {
        self.created
    }

    /// Says how many changes there were. With none, nobody is told.
    pub fn changes(&mut self, count: usize) {
        self.changes = Some(count as u64);
    }

    /// As [`Edit::changes`], and that everybody is told even if none counts.
    pub fn told(&mut self, count: usize) {
        self.changes(count);
        self.told = true;
    }

    /// Says that something else happened than was announced.
    pub fn set_event(&mut self, event: Event) {
        self.event = event;
    }

    /// Says that something happened beside what was announced, and before it.
    pub fn also(&mut self, event: Event) {
        self.tell_new();
        self.databases.observers.happened(self.db, self.key, event);
    }

    /// Says that a change does not concern everybody. A new key does.
    pub fn set_audience(&mut self, audience: Audience) {
        self.audience = audience;
    }

    /// Says that nobody is told of its change here; others do what the request says.
    pub fn unnoticed(&mut self) {
        self.tell_new();
        (self.event, self.audience, self.created) = (Event::UNANNOUNCED, Audience::Nobody, false);
    }

    fn tell_new(&mut self) {
        if self.created && !self.told_new {
            self.told_new = true;
            self.databases.observers.happened(self.db, self.key, Event::NEW);
        }
    }
}

const HELD: &str = "the entry holds a value of the type that was looked up";

impl<K: Kind> Deref for Edit<'_, K> {
    type Target = K;

    fn deref(&self) -> &K {
        let value = match &self.held {
            Held::There(value) => self.databases.keyspace(self.db).value_at(*value),
            Held::Copy(value) => Some(value),
        };
        value.and_then(K::of).expect(HELD)
    }
}

impl<K: Kind> DerefMut for Edit<'_, K> {
    fn deref_mut(&mut self) -> &mut K {
        self.touched = true;
        let value = match &mut self.held {
            Held::There(value) => self.databases.changing(self.db, self.id).value_at_mut(*value),
            Held::Copy(value) => Some(value),
        };
        value.and_then(K::of_mut).expect(HELD)
    }
}

impl<K: Kind> Drop for Edit<'_, K> {
    fn drop(&mut self) {
        let changes = self.changes.unwrap_or(self.touched.into());
        let told = self.told || changes > 0;
        let is_empty = match &self.held {
            Held::There(value) => {
                self.databases.keyspace(self.db).value_at(*value).is_some_and(Value::is_empty_collection)
            }
            Held::Copy(_) => false,
        };
        if is_empty || (self.created && !told) {
            self.databases.changing(self.db, self.id).delete(self.id);
        } else if let Held::Copy(value) = &mut self.held
            && self.touched
        {
            let value = std::mem::replace(value, K::empty());
            self.databases.changing(self.db, self.id).replace(self.id, value, true);
        }
        if !told {
            return;
        }
        self.tell_new();
        let Edit { databases, db, key, event, created, audience, .. } = self;
        databases.dirty += changes;
        let observers = &mut databases.observers;
        let audience = if *created { Audience::All } else { *audience };
        if matches!(audience, Audience::All | Audience::Waiting) {
            observers.changed_for_waiting(*db, key);
        }
        if matches!(audience, Audience::All | Audience::Watching) {
            observers.changed_for_watching(*db, key);
        }
        observers.happened(*db, key, *event);
        if is_empty {
            observers.happened(*db, key, Event::DEL);
        }
    }
}
