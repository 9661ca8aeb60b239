//! What was refused lately: ACL LOG.

use std::collections::VecDeque;

/// Two that are equal otherwise are one if they are no further apart than this, in milliseconds.
const SAME_WITHIN: i64 = 60_000;
/// So many are looked at for an equal one.
const COMPARED_MAX: usize = 10;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reason {
    Command,
    Key,
    Channel,
    /// The user or its password was wrong.
    Auth,
}

impl Reason {
    pub fn name(self) -> &'static str {
        match self {
            Reason::Command => "command",
            Reason::Key => "key",
            Reason::Channel => "channel",
            Reason::Auth => "auth",
        }
    }
}

/// Where a request came from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Origin {
    Client,
    Transaction,
    Script,
}

impl Origin {
    pub fn name(self) -> &'static str {
        match self {
            Origin::Client => "toplevel",
            Origin::Transaction => "multi",
            Origin::Script => "lua",
        }
    }
}

pub struct Denial {
    pub count: u64,
    pub reason: Reason,
    pub origin: Origin,
    /// The command, key or channel.
    pub object: Box<[u8]>,
    pub user: Box<[u8]>,
    /// Unix time in milliseconds.
    pub at: i64,
    /// As CLIENT INFO describes it.
    pub client: Box<[u8]>,
}

impl Denial {
    fn is_like(&self, other: &Denial) -> bool {
        self.reason == other.reason
            && self.origin == other.origin
            && (self.at - other.at).abs() <= SAME_WITHIN
            && self.object == other.object
            && self.user == other.user
    }
}

/// The latest first.
#[derive(Default)]
pub struct Denials {
    latest: VecDeque<Denial>,
}

impl Denials {
    /// Adds one, and forgets the oldest beyond `max`.
    pub fn add(&mut self, mut new: Denial, max: u64) {
        let like = self.latest.iter().take(COMPARED_MAX).position(|known| known.is_like(&new));
        if let Some(known) = like.and_then(|at| self.latest.remove(at)) {
            new.count += known.count;
        }
        self.latest.push_front(new);
        self.latest.truncate(usize::try_from(max).unwrap_or(usize::MAX));
    }

    pub fn clear(&mut self) {
        self.latest.clear();
    }

    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Denial> {
        self.latest.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn denial(object: &str, at: i64) -> Denial {
        Denial {
            count: 1,
            reason: Reason::Key,
            origin: Origin::Client,
            object: object.as_bytes().into(),
            user: b"u"[..].into(),
            at,
            client: Box::default(),
        }
    }

    fn counts(denials: &Denials) -> Vec<(String, u64)> {
        denials.iter().map(|one| (String::from_utf8_lossy(&one.object).into_owned(), one.count)).collect()
    }

    #[test]
    fn equal_ones_of_a_minute_are_one() {
        let mut denials = Denials::default();
        for (object, at) in [("a", 0), ("b", 1), ("a", 2), ("a", 3), ("a", 60_004)] {
            denials.add(denial(object, at), 128);
        }
        assert_eq!(counts(&denials), [("a".into(), 1), ("a".into(), 3), ("b".into(), 1)]);
    }

    #[test]
    fn there_is_a_limit() {
        let mut denials = Denials::default();
        for object in ["a", "b", "c"] {
            denials.add(denial(object, 0), 2);
        }
        assert_eq!(counts(&denials), [("c".into(), 1), ("b".into(), 1)]);
        denials.add(denial("d", 0), 0);
        assert_eq!(denials.iter().len(), 0);
    }

    #[test]
    fn denials_of_another_kind_are_others() {
        let other = [
            Denial { reason: Reason::Command, ..denial("a", 0) },
            Denial { origin: Origin::Script, ..denial("a", 0) },
            Denial { user: b"v"[..].into(), ..denial("a", 0) },
        ];
        for new in other {
            let mut denials = Denials::default();
            denials.add(denial("a", 0), 128);
            denials.add(new, 128);
            assert_eq!(counts(&denials), [("a".into(), 1), ("a".into(), 1)]);
        }
    }
}
