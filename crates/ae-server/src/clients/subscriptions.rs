//! What a client has subscribed to.

use std::collections::BTreeSet;
use std::sync::Arc;

/// The name of a channel, or a pattern of names. Shared by all that subscribe to it.
pub type Name = Arc<[u8]>;

/// Memory of one subscription, here and where the channel's subscribers are.
const EACH: usize = 2 * size_of::<Name>() + 32;

/// The three kinds of subscriptions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Channel,
    Pattern,
    Shard,
}

#[derive(Default)]
pub struct Subscriptions {
    pub channels: BTreeSet<Name>,
    pub patterns: BTreeSet<Name>,
    pub shards: BTreeSet<Name>,
}

impl Subscriptions {
    pub fn of(&self, kind: Kind) -> &BTreeSet<Name> {
        match kind {
            Kind::Channel => &self.channels,
            Kind::Pattern => &self.patterns,
            Kind::Shard => &self.shards,
        }
    }

    pub fn of_mut(&mut self, kind: Kind) -> &mut BTreeSet<Name> {
        match kind {
            Kind::Channel => &mut self.channels,
            Kind::Pattern => &mut self.patterns,
            Kind::Shard => &mut self.shards,
        }
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
