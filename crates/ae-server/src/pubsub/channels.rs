//! Who has subscribed to what.

use crate::clients::client::{Client, ClientRef};
use crate::clients::subscriptions::{Kind, Name};
use crate::glob::{Case, matches};
use std::collections::{BTreeMap, BTreeSet, HashMap};

type Subscribers = BTreeSet<ClientRef>;

/// All channels and patterns that somebody has subscribed to.
#[derive(Default)]
pub struct Channels {
    channels: HashMap<Name, Subscribers>,
    shards: HashMap<Name, Subscribers>,
    patterns: BTreeMap<Name, Subscribers>,
}

impl Channels {
    /// Subscribes a client, unless it has subscribed already.
    pub fn subscribe(&mut self, client: &mut Client, kind: Kind, name: &[u8]) {
        let reference = client.reference();
        let own = client.subscriptions.get_or_insert_default();
        if own.contains(kind, name) {
            return;
        }
        let known = match kind {
            Kind::Channel => self.channels.get_key_value(name).map(|(name, _)| name),
            Kind::Pattern => self.patterns.get_key_value(name).map(|(name, _)| name),
            Kind::Shard => self.shards.get_key_value(name).map(|(name, _)| name),
        };
        let name = known.cloned().unwrap_or_else(|| name.into());
        own.add(kind, name.clone());
        let subscribers = match kind {
            Kind::Channel => self.channels.entry(name).or_default(),
            Kind::Pattern => self.patterns.entry(name).or_default(),
            Kind::Shard => self.shards.entry(name).or_default(),
        };
        subscribers.insert(reference);
    }

    /// Ends a client's subscription, if it has that one.
    pub fn unsubscribe(&mut self, client: &mut Client, kind: Kind, name: &[u8]) {
        let reference = client.reference();
        let Some(own) = &mut client.subscriptions else { return };
        if !own.remove(kind, name) {
            return;
        }
        if own.is_empty() {
            client.subscriptions = None;
        }
        let is_left = |subscribers: Option<&mut Subscribers>| {
            subscribers.is_some_and(|subscribers| {
                subscribers.remove(&reference);
                subscribers.is_empty()
            })
        };
        match kind {
            Kind::Channel if is_left(self.channels.get_mut(name)) => _ = self.channels.remove(name),
            Kind::Pattern if is_left(self.patterns.get_mut(name)) => _ = self.patterns.remove(name),
            Kind::Shard if is_left(self.shards.get_mut(name)) => _ = self.shards.remove(name),
            _ => {}
        }
    }

    /// Ends all subscriptions of a client.
    pub fn forget(&mut self, client: &mut Client) {
        for kind in [Kind::Channel, Kind::Pattern, Kind::Shard] {
            let names = client.subscriptions.as_ref().map(|own| own.in_order(kind)).unwrap_or_default();
            names.iter().for_each(|name| self.unsubscribe(client, kind, name));
        }
    }

    /// The clients that have subscribed to a channel by its name.
    pub fn subscribers(&self, kind: Kind, name: &[u8]) -> impl ExactSizeIterator<Item = ClientRef> + use<> {
        let subscribers = match kind {
            Kind::Channel => self.channels.get(name),
            Kind::Pattern => self.patterns.get(name),
            Kind::Shard => self.shards.get(name),
        };
        let subscribers: Vec<ClientRef> = subscribers.into_iter().flatten().copied().collect();
        subscribers.into_iter()
    }

    /// The patterns that match a channel, each with its subscribers.
    pub fn matching(&self, channel: &[u8]) -> Vec<(Name, Vec<ClientRef>)> {
        let matching = self.patterns.iter().filter(|(pattern, _)| matches(pattern, channel, Case::Sensitive));
        matching.map(|(pattern, subscribers)| (pattern.clone(), subscribers.iter().copied().collect())).collect()
    }

    /// The names of the channels (or shard channels) that somebody has subscribed to.
    pub fn names(&self, kind: Kind) -> impl Iterator<Item = &Name> {
        match kind {
            Kind::Shard => self.shards.keys(),
            Kind::Channel | Kind::Pattern => self.channels.keys(),
        }
    }

    pub fn count(&self, kind: Kind) -> usize {
        match kind {
            Kind::Channel => self.channels.len(),
            Kind::Pattern => self.patterns.len(),
            Kind::Shard => self.shards.len(),
        }
    }
}
