//! The classes of keyspace events, as `notify-keyspace-events` names them.

/// A set of classes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Events(u32);

impl Events {
    pub const NONE: Events = Events(0);
    pub const GENERIC: Events = Events(1);
    pub const STRING: Events = Events(1 << 1);
    pub const LIST: Events = Events(1 << 2);
    pub const SET: Events = Events(1 << 3);
    pub const HASH: Events = Events(1 << 4);
    pub const ZSET: Events = Events(1 << 5);
    pub const EXPIRED: Events = Events(1 << 6);
    pub const EVICTED: Events = Events(1 << 7);
    pub const STREAM: Events = Events(1 << 8);
    pub const MODULE: Events = Events(1 << 9);
    pub const NEW: Events = Events(1 << 10);
    /// Publish to `__keyspace@DB__:KEY`.
    pub const KEYSPACE: Events = Events(1 << 11);
    /// Publish to `__keyevent@DB__:EVENT`.
    pub const KEYEVENT: Events = Events(1 << 12);
    pub const KEY_MISS: Events = Events(1 << 13);
    /// All classes except NEW and KEY_MISS.
    pub const ALL: Events = Events((1 << 10) - 1);

    pub fn contains(self, other: Events) -> bool {
        self.0 & other.0 == other.0
    }

    /// None if a letter is no class.
    pub fn parse(letters: &[u8]) -> Option<Events> {
        letters.iter().try_fold(Events::default(), |events, letter| {
            let class = match letter {
                b'A' => Some(Events::ALL),
                _ => LETTERS.iter().find(|(other, _)| other == letter).map(|(_, class)| *class),
            };
            class.map(|class| Events(events.0 | class.0))
        })
    }

    /// In Redis's order. `A` swallows `n`, as it does there.
    pub fn letters(self) -> Vec<u8> {
        let all = self.contains(Events::ALL);
        let swallowed = |class: Events| all && (Events::ALL.contains(class) || class == Events::NEW);
        let rest = LETTERS.iter().filter(|(_, class)| self.contains(*class) && !swallowed(*class));
        all.then_some(b'A').into_iter().chain(rest.map(|(letter, _)| *letter)).collect()
    }
}

const LETTERS: [(u8, Events); 14] = [
    (b'g', Events::GENERIC),
    (b'$', Events::STRING),
    (b'l', Events::LIST),
    (b's', Events::SET),
    (b'h', Events::HASH),
    (b'z', Events::ZSET),
    (b'x', Events::EXPIRED),
    (b'e', Events::EVICTED),
    (b't', Events::STREAM),
    (b'd', Events::MODULE),
    (b'n', Events::NEW),
    (b'K', Events::KEYSPACE),
    (b'E', Events::KEYEVENT),
    (b'm', Events::KEY_MISS),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters() {
        for (given, shown) in
            [("", ""), ("KEA", "AKE"), ("g$lshzxetd", "A"), ("Emnt", "tnEm"), ("An", "A"), ("xxK", "xK")]
        {
            assert_eq!(Events::parse(given.as_bytes()).unwrap().letters(), shown.as_bytes(), "{given}");
        }
        assert_eq!(Events::parse(b"KEq"), None);
        assert!(Events::parse(b"KA").unwrap().contains(Events::LIST));
        assert!(!Events::parse(b"KA").unwrap().contains(Events::KEYEVENT));
    }
}
