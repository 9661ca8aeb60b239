//! Who has to know of changes.

use super::event::{Class, Event, class};
use super::waiting::Waiting;
use super::watched::Watched;

/// An event that channels are told of.
pub struct Notice {
    pub db: usize,
    pub event: Event,
    pub key: Box<[u8]>,
}

/// What has changed for the clients that keep copies of values.
#[derive(Default)]
pub struct Invalidated {
    pub keys: Vec<Box<[u8]>>,
    /// Everything, before any of `keys`.
    pub all: bool,
}

/// Everybody who has to know of changes, and what they have to be told after the running command.
#[derive(Default)]
pub struct Observers {
    /// Which events are told to channels: `notify-keyspace-events`.
    classes: Class,
    pub watched: Watched,
    pub waiting: Waiting,
    /// Some client keeps copies of values.
    tracking: bool,
    pub notices: Vec<Notice>,
    pub invalidated: Invalidated,
}

impl Observers {
    pub fn set_classes(&mut self, classes: Class) {
        self.classes = classes;
    }

    pub fn set_tracking(&mut self, on: bool) {
        self.tracking = on;
    }

    /// A key holds something else now, or nothing.
    pub fn changed(&mut self, db: usize, key: &[u8]) {
        if !self.watched.is_empty() {
            self.watched.changed(db, key);
        }
        if !self.waiting.is_empty() {
            self.waiting.changed(db, key);
        }
        if self.tracking {
            self.invalidated.keys.push(key.into());
        }
    }

    /// Something has happened to a key.
    pub fn happened(&mut self, db: usize, key: &[u8], event: Event) {
        const CHANNELS: Class = class::KEYSPACE | class::KEYEVENT;
        if self.classes & event.class != 0 && self.classes & CHANNELS != 0 {
            self.notices.push(Notice { db, event, key: key.into() });
        }
    }

    /// Which kinds of channels are told.
    pub fn channels(&self) -> Class {
        self.classes & (class::KEYSPACE | class::KEYEVENT)
    }

    /// All keys of a database have gone, or have become others. `held` says which it had, or has now.
    pub fn all_changed(&mut self, db: usize, held: impl Fn(&[u8]) -> bool) {
        let watched: Vec<Box<[u8]>> = self.watched.keys(db).filter(|key| held(key)).map(Box::from).collect();
        watched.iter().for_each(|key| self.watched.changed(db, key));
        let waited: Vec<Box<[u8]>> = self.waiting.keys(db).filter(|key| held(key)).map(Box::from).collect();
        waited.iter().for_each(|key| self.waiting.changed(db, key));
        self.invalidated.all |= self.tracking;
    }

    /// Whether there is something to tell.
    pub fn has_news(&self) -> bool {
        !self.notices.is_empty() || !self.invalidated.keys.is_empty() || self.invalidated.all
    }
}
