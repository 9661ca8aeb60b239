//! What a client has subscribed to.

use std::collections::BTreeMap;
use std::sync::Arc;

/// The name of a channel, or a pattern of names. Shared by all that subscribe to it.
pub type Name = Arc<[u8]>;

/// Memory of one subscription, here and where the channel's subscribers are.
const EACH: usize = 2 * size_of::<Name>() + 40;

/// The three kinds of subscriptions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Channel,
    Pattern,
    Shard,
}

/// Each with its number in the order in which they came.
type Numbered = BTreeMap<Name, u64>;

#[derive(Default)]
pub struct Subscriptions {
    channels: Numbered,
    patterns: Numbered,
    shards: Numbered,
    next: u64,
}

impl Subscriptions {
    fn of(&self, kind: Kind) -> &Numbered {
        match kind {
            Kind::Channel => &self.channels,
            Kind::Pattern => &self.patterns,
            Kind::Shard => &self.shards,
        }
    }

    fn of_mut(&mut self, kind: Kind) -> &mut Numbered {
        match kind {
            Kind::Channel => &mut self.channels,
            Kind::Pattern => &mut self.patterns,
            Kind::Shard => &mut self.shards,
        }
    }

    pub fn contains(&self, kind: Kind, name: &[u8]) -> bool {
        self.of(kind).contains_key(name)
    }

    /// Adds one that is not there.
    pub fn add(&mut self, kind: Kind, name: Name) {
        let number = self.next;
        self.next += 1;
        self.of_mut(kind).insert(name, number);
    }

    /// False if there was none.
    pub fn remove(&mut self, kind: Kind, name: &[u8]) -> bool {
        self.of_mut(kind).remove(name).is_some()
    }

    /// Those of a kind.
    pub fn names(&self, kind: Kind) -> impl Iterator<Item = &Name> {
        self.of(kind).keys()
    }

    /// They, in the order in which they came.
    pub fn in_order(&self, kind: Kind) -> Vec<Name> {
        let mut all: Vec<_> = self.of(kind).iter().collect();
        all.sort_unstable_by_key(|(_, number)| **number);
        all.into_iter().map(|(name, _)| name.clone()).collect()
    }

    pub fn count_of(&self, kind: Kind) -> usize {
        self.of(kind).len()
    }

    /// How many there are that Redis counts together with those of `kind`.
    pub fn count(&self, kind: Kind) -> usize {
        match kind {
            Kind::Shard => self.shards.len(),
            Kind::Channel | Kind::Pattern => self.channels.len() + self.patterns.len(),
        }
    }

    /// Memory that they take, beside the names, which all subscribers share.
    pub fn memory(&self) -> usize {
        size_of::<Subscriptions>() + (self.count(Kind::Channel) + self.count(Kind::Shard)) * EACH
    }

    pub fn is_empty(&self) -> bool {
        self.channels.is_empty() && self.patterns.is_empty() && self.shards.is_empty()
    }
}
