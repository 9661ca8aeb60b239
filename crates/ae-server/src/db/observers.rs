//! Who has to know of changes.

use super::event::Event;
use super::waiting::Waiting;
use super::watched::Watched;
use crate::config::events::Events;

/// An event that channels are told of.
pub struct Notice {
    pub db: usize,
    pub event: Event,
    pub key: Box<[u8]>,
}

/// What has changed for the clients that keep copies of values.
#[derive(Default)]
pub struct Invalidated {
    /// Each with whether the request changed it that was running.
    pub keys: Vec<(Box<[u8]>, bool)>,
    /// Everything, before any of `keys`.
    pub all: bool,
}

/// Everybody who has to know of changes, and what they have to be told after the running command.
#[derive(Default)]
pub struct Observers {
    /// Which events are told to channels: `notify-keyspace-events`.
    events: Events,
    pub watched: Watched,
    pub waiting: Waiting,
    /// Some client keeps copies of values.
    tracking: bool,
    pub notices: Vec<Notice>,
    pub invalidated: Invalidated,
}

impl Observers {
    pub fn set_events(&mut self, events: Events) {
        self.events = events;
    }

    pub fn set_tracking(&mut self, on: bool) {
        self.tracking = on;
    }

    /// A key holds something else now, or nothing.
    pub fn changed(&mut self, db: usize, key: &[u8]) {
        self.changed_for_waiting(db, key);
        self.changed_for_watching(db, key);
    }

    /// As [`Observers::changed`], for the clients that wait for the key.
    pub fn changed_for_waiting(&mut self, db: usize, key: &[u8]) {
        if !self.waiting.is_empty() {
            self.waiting.changed(db, key);
        }
    }

    /// As [`Observers::changed`], for transactions that watch the key and clients that keep a copy of its value.
    pub fn changed_for_watching(&mut self, db: usize, key: &[u8]) {
        if !self.watched.is_empty() {
            self.watched.changed(db, key);
        }
        if self.tracking {
            self.invalidated.keys.push((key.into(), true));
        }
    }

    /// The server has removed a key on its own account, although a request may be running: it expired, or was evicted.
    pub fn removed(&mut self, db: usize, key: &[u8]) {
        self.changed_for_waiting(db, key);
        self.watched.removed(db, key);
        if self.tracking {
            self.invalidated.keys.push((key.into(), false));
        }
    }

    /// Something has happened to a key.
    pub fn happened(&mut self, db: usize, key: &[u8], event: Event) {
        let told = self.tells(Events::KEYSPACE) || self.tells(Events::KEYEVENT);
        if told && event.class != Events::NONE && self.tells(event.class) {
            self.notices.push(Notice { db, event, key: key.into() });
        }
    }

    /// Whether a class of events, or a kind of channels, is told.
    pub fn tells(&self, events: Events) -> bool {
        self.events.contains(events)
    }

    /// All keys of a database have become others. `held` says which it had, or has now. (Clients that keep copies know of
    /// no databases, and are not told.)
    pub fn all_changed(&mut self, db: usize, held: impl Fn(&[u8]) -> bool) {
        self.all(db, held, Watched::changed);
    }

    /// All keys of a database have gone.
    pub fn all_removed(&mut self, db: usize, held: impl Fn(&[u8]) -> bool) {
        // One that had expired before it was watched was missing already.
        self.all(db, held, Watched::removed);
        self.invalidated.all |= self.tracking;
    }

    fn all(&mut self, db: usize, held: impl Fn(&[u8]) -> bool, note: impl Fn(&mut Watched, usize, &[u8])) {
        let watched: Vec<Box<[u8]>> = self.watched.keys(db).filter(|key| held(key)).map(Box::from).collect();
        watched.iter().for_each(|key| note(&mut self.watched, db, key));
        let waited: Vec<Box<[u8]>> = self.waiting.keys(db).filter(|key| held(key)).map(Box::from).collect();
        waited.iter().for_each(|key| self.waiting.changed(db, key));
    }

    /// Whether there is something to tell.
    pub fn has_news(&self) -> bool {
        !self.notices.is_empty() || !self.invalidated.keys.is_empty() || self.invalidated.all
    }
}
