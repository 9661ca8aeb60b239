//! Telling those who have to know what has changed.

use super::state::Server;
use crate::clients::client::Client;
use crate::clients::subscriptions::Kind;
use crate::config::events::Events;
use crate::pubsub::publish::publish;

impl Server {
    /// Sends a message to all who have subscribed to a channel, and returns how many received it. `current` is the
    /// client whose request is being answered.
    pub fn publish(&mut self, current: Option<&mut Client>, kind: Kind, channel: &[u8], message: &[u8]) -> usize {
        publish(&self.channels, &mut self.clients, current, kind, channel, message)
    }

    /// Whether there is something to tell.
    pub fn has_news(&self) -> bool {
        self.databases.observers.has_news() || !self.invalidations.is_empty()
    }

    /// Tells what has happened to keys since the last time.
    pub fn tell_news(&mut self, mut current: Option<&mut Client>) {
        self.clock.pass();
        self.tell_invalidated(current.as_deref_mut());
        self.tell_notices(current);
    }

    /// The same in the midst of a request that sends a message: whoever gets it may look at once. What the client has
    /// to forget itself waits until its request ends.
    pub fn tell_news_so_far(&mut self, current: &mut Client) {
        self.tell_others_invalidated(current);
        self.tell_notices(Some(current));
    }

    fn tell_notices(&mut self, mut current: Option<&mut Client>) {
        for notice in std::mem::take(&mut self.databases.observers.notices) {
            let (db, event, key) = (notice.db, notice.event.name, &*notice.key);
            if self.databases.observers.tells(Events::KEYSPACE) {
                let channel = [format!("__keyspace@{db}__:").as_bytes(), key].concat();
                self.publish(current.as_deref_mut(), Kind::Channel, &channel, event.as_bytes());
            }
            if self.databases.observers.tells(Events::KEYEVENT) {
                let channel = format!("__keyevent@{db}__:{event}");
                self.publish(current.as_deref_mut(), Kind::Channel, channel.as_bytes(), key);
            }
        }
    }
}
