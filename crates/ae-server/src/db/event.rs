//! What can happen to a key, by the names that keyspace notifications use.

/// Something that happened to a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Event {
    pub class: Class,
    pub name: &'static str,
}

/// What kind of event it is: one of the constants in [`class`].
pub type Class = u16;

pub mod class {
    //! The kinds of events, each with its letter in `notify-keyspace-events`, and the two kinds of channels.

    use super::Class;

    pub const KEYSPACE: Class = 1;
    pub const KEYEVENT: Class = 1 << 1;
    pub const GENERIC: Class = 1 << 2;
    pub const STRING: Class = 1 << 3;
    pub const LIST: Class = 1 << 4;
    pub const SET: Class = 1 << 5;
    pub const HASH: Class = 1 << 6;
    pub const ZSET: Class = 1 << 7;
    pub const EXPIRED: Class = 1 << 8;
    pub const EVICTED: Class = 1 << 9;
    pub const STREAM: Class = 1 << 10;
    pub const KEY_MISS: Class = 1 << 11;
    pub const MODULE: Class = 1 << 12;
    pub const NEW: Class = 1 << 13;

    /// What `A` stands for.
    pub const ALL: Class = GENERIC | STRING | LIST | SET | HASH | ZSET | EXPIRED | EVICTED | STREAM | MODULE;

    pub const LETTERS: [(u8, Class); 14] = [
        (b'g', GENERIC),
        (b'$', STRING),
        (b'l', LIST),
        (b's', SET),
        (b'h', HASH),
        (b'z', ZSET),
        (b'x', EXPIRED),
        (b'e', EVICTED),
        (b't', STREAM),
        (b'd', MODULE),
        (b'n', NEW),
        (b'K', KEYSPACE),
        (b'E', KEYEVENT),
        (b'm', KEY_MISS),
    ];
}

impl Event {
    pub const DEL: Event = Event::generic("del");
    pub const EXPIRE: Event = Event::generic("expire");
    pub const EXPIRED: Event = Event { class: class::EXPIRED, name: "expired" };
    pub const EVICTED: Event = Event { class: class::EVICTED, name: "evicted" };
    pub const KEY_MISS: Event = Event { class: class::KEY_MISS, name: "keymiss" };
    pub const NEW: Event = Event { class: class::NEW, name: "new" };
    pub const SET: Event = Event::string("set");
    /// A change that no channel is told of.
    pub const UNANNOUNCED: Event = Event { class: 0, name: "" };

    pub const fn generic(name: &'static str) -> Event {
        Event { class: class::GENERIC, name }
    }

    pub const fn string(name: &'static str) -> Event {
        Event { class: class::STRING, name }
    }

    pub const fn list(name: &'static str) -> Event {
        Event { class: class::LIST, name }
    }

    pub const fn set(name: &'static str) -> Event {
        Event { class: class::SET, name }
    }

    pub const fn hash(name: &'static str) -> Event {
        Event { class: class::HASH, name }
    }

    pub const fn zset(name: &'static str) -> Event {
        Event { class: class::ZSET, name }
    }

    pub const fn stream(name: &'static str) -> Event {
        Event { class: class::STREAM, name }
    }
}

/// What the letters of `notify-keyspace-events` stand for; None if there is another among them.
pub fn parse_classes(letters: &[u8]) -> Option<Class> {
    let class_of = |letter: &u8| match letter {
        b'A' => Some(class::ALL),
        _ => class::LETTERS.iter().find(|(other, _)| other == letter).map(|(_, class)| *class),
    };
    letters.iter().try_fold(0, |sum, letter| Some(sum | class_of(letter)?))
}

/// The letters for classes, in the order of Redis's CONFIG GET.
pub fn format_classes(classes: Class) -> String {
    let mut text = String::new();
    let mut left = classes;
    if classes & class::ALL == class::ALL {
        text.push('A');
        left &= !class::ALL;
    }
    let letters = class::LETTERS.iter().filter(|(_, class)| left & class != 0);
    text.extend(letters.map(|(letter, _)| char::from(*letter)));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_and_classes() {
        assert_eq!(parse_classes(b""), Some(0));
        assert_eq!(parse_classes(b"KEA"), Some(class::KEYSPACE | class::KEYEVENT | class::ALL));
        assert_eq!(parse_classes(b"Kq"), None);
        assert_eq!(format_classes(parse_classes(b"EKA").unwrap()), "AKE");
        assert_eq!(format_classes(parse_classes(b"Elg").unwrap()), "glE");
        assert_eq!(format_classes(parse_classes(b"g$lshzxetdKE").unwrap()), "AKE");
        assert_eq!(format_classes(0), "");
    }
}
