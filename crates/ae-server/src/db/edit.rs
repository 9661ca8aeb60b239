//! A value that is being changed.

use super::databases::Databases;
use super::event::Event;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use store::{EntryId, Kind};

/// A value that is being changed. When it is dropped, everybody who has to know is told, and a collection with nothing
/// left in it goes.
///
/// Unless [`changes`](Edit::changes) says something else, there was one change if the value was borrowed as mutable.
pub struct Edit<'a, K: Kind> {
    databases: &'a mut Databases,
    db: usize,
    id: EntryId,
    key: &'a [u8],
    event: Event,
    created: bool,
    touched: bool,
    changes: Option<u64>,
    /// Everybody is told, however many changes there were.
    told: bool,
    kind: PhantomData<K>,
}

impl<'a, K: Kind> Edit<'a, K> {
    /// The entry `id` holds a value of this type.
    pub(super) fn new(
        databases: &'a mut Databases,
        db: usize,
        id: EntryId,
        key: &'a [u8],
        event: Event,
        created: bool,
    ) -> Edit<'a, K> {
        Edit { databases, db, id, key, event, created, touched: false, changes: None, told: false, kind: PhantomData }
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
        self.databases.observers.happened(self.db, self.key, event);
    }
}

const HELD: &str = "the entry holds a value of the type that was looked up";

impl<K: Kind> Deref for Edit<'_, K> {
    type Target = K;

    fn deref(&self) -> &K {
        self.databases.keyspace(self.db).value(self.id).and_then(K::of).expect(HELD)
    }
}

impl<K: Kind> DerefMut for Edit<'_, K> {
    fn deref_mut(&mut self) -> &mut K {
        self.touched = true;
        self.databases.keyspace_mut(self.db).value_mut(self.id).and_then(K::of_mut).expect(HELD)
    }
}

impl<K: Kind> Drop for Edit<'_, K> {
    fn drop(&mut self) {
        let changes = self.changes.unwrap_or(self.touched.into());
        let told = self.told || changes > 0;
        let Edit { databases, db, id, key, event, created, .. } = self;
        let value = databases.keyspace(*db).value(*id);
        let is_empty = value.is_some_and(store::Value::is_empty_collection);
        if is_empty || (*created && !told) {
            databases.keyspace_mut(*db).remove(*id);
        }
        if !told {
            return;
        }
        databases.dirty += changes;
        let observers = &mut databases.observers;
        if *created {
            observers.happened(*db, key, Event::NEW);
        }
        observers.changed(*db, key);
        observers.happened(*db, key, *event);
        if is_empty {
            observers.happened(*db, key, Event::DEL);
        }
    }
}
