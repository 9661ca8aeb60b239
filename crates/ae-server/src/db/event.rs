//! What can happen to a key, by the names that keyspace notifications use.

use crate::config::events::Events;

/// Something that happened to a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Event {
    /// One class.
    pub class: Events,
    pub name: &'static str,
}

impl Event {
    pub const DEL: Event = Event::generic("del");
    pub const EXPIRE: Event = Event::generic("expire");
    pub const EXPIRED: Event = Event { class: Events::EXPIRED, name: "expired" };
    pub const EVICTED: Event = Event { class: Events::EVICTED, name: "evicted" };
    pub const KEY_MISS: Event = Event { class: Events::KEY_MISS, name: "keymiss" };
    pub const NEW: Event = Event { class: Events::NEW, name: "new" };
    pub const SET: Event = Event::string("set");
    /// A change that no channel is told of.
    pub const UNANNOUNCED: Event = Event { class: Events::NONE, name: "" };

    pub const fn generic(name: &'static str) -> Event {
        Event { class: Events::GENERIC, name }
    }

    pub const fn string(name: &'static str) -> Event {
        Event { class: Events::STRING, name }
    }

    pub const fn list(name: &'static str) -> Event {
        Event { class: Events::LIST, name }
    }

    pub const fn set(name: &'static str) -> Event {
        Event { class: Events::SET, name }
    }

    pub const fn hash(name: &'static str) -> Event {
        Event { class: Events::HASH, name }
    }

    pub const fn zset(name: &'static str) -> Event {
        Event { class: Events::ZSET, name }
    }

    pub const fn stream(name: &'static str) -> Event {
        Event { class: Events::STREAM, name }
    }
}
