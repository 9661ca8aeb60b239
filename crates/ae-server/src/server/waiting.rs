//! Clients that begin to wait for a key, and that stop.

use super::pause::{Paused, Purpose};
use super::state::Server;
use crate::clients::blocked::Blocked;
use crate::clients::client::{Client, ClientRef};

impl Server {
    /// The client waits from now on.
    pub fn start_waiting(&mut self, client: &mut Client, blocked: Blocked) {
        let reference = client.reference();
        for key in &blocked.keys {
            self.databases.observers.waiting.add(blocked.db, key, blocked.turn, reference, blocked.minds_removal());
        }
        if let Some(at) = blocked.deadline {
            self.timeouts.add(at, reference);
        }
        client.blocked = Some(Box::new(blocked));
    }

    /// Nobody counts on the client for what it waited for.
    pub fn forget_waiting(&mut self, client: ClientRef, blocked: &Blocked) {
        for key in &blocked.keys {
            self.databases.observers.waiting.remove(blocked.db, key, blocked.turn);
        }
        if let Some(at) = blocked.deadline {
            self.timeouts.remove(at, client);
        }
    }

    /// The client has got its reply, and goes on with its requests.
    pub fn stop_waiting(&mut self, client: &mut Client, blocked: &Blocked) {
        self.forget_waiting(client.reference(), blocked);
        client.end_skip();
        self.clients.unblocked.push(client.reference());
        self.clients.queue.add(client);
    }

    /// The client no longer sees every request.
    pub fn stop_monitoring(&mut self, client: &mut Client) {
        if std::mem::take(&mut client.monitors) {
            self.monitors.retain(|other| *other != client.reference());
        }
    }

    /// Forgets the keys that the client's next transaction depends on.
    pub fn unwatch(&mut self, client: &mut Client) {
        for (db, key, _) in std::mem::take(&mut client.watched).iter() {
            self.databases.observers.watched.unwatch(db, key);
        }
    }

    /// Forgets a client that is leaving, and closes its connection.
    pub fn release(&mut self, client: &mut Client) {
        if let Some(blocked) = client.blocked.take() {
            self.forget_waiting(client.reference(), &blocked);
        }
        self.unwatch(client);
        self.channels.forget(client);
        self.stop_tracking(client);
        self.stop_monitoring(client);
        if client.is_replica() {
            self.forget_replica(client.reference());
        }
        let link = self.replication.link.as_ref();
        if client.is_primary && link.is_some_and(|link| link.client == Some(client.reference())) {
            self.lose_primary();
        }
        self.clients.forget(client);
    }

    /// Begins a pause, or makes the one that runs longer and stricter. No key expires or is evicted meanwhile.
    pub fn begin_pause(&mut self, purpose: Purpose, which: Paused, until: i64) {
        self.pause.begin(purpose, which, until);
        self.databases.frozen = true;
    }

    /// Ends the pause: those who wait go on, if there is no other one.
    pub fn unpause(&mut self, purpose: Purpose) {
        let waited = self.pause.finish(purpose);
        self.resume_paused(waited);
    }

    /// Ends the pauses whose time has come.
    pub fn end_pause_in_time(&mut self) {
        let waited = self.pause.finish_in_time(self.ticks);
        self.resume_paused(waited);
    }

    fn resume_paused(&mut self, waited: Vec<ClientRef>) {
        self.databases.frozen = self.pause.which().is_some();
        self.clients.unblocked.extend(waited);
    }
}

#[cfg(test)]
mod tests {
    use crate::clients::subscriptions::Kind;
    use crate::testing::Session;

    #[test]
    fn nothing_is_left_of_a_client_that_leaves() {
        let mut session = Session::new();
        let mut other = session.other();
        // With RESP2 a subscriber may do little else.
        for line in ["HELLO 3", "WATCH k", "SUBSCRIBE c", "PSUBSCRIBE p*", "SSUBSCRIBE s", "CLIENT TRACKING ON BCAST"] {
            session.run_as(&mut other, line);
        }
        session.run_as(&mut other, "BLPOP k 10");
        assert!(session.server.timeouts.first().is_some() && !session.server.tracking.is_empty());
        let mut client = session.server.clients.take_same(other).unwrap();
        session.server.release(&mut client);
        let server = &session.server;
        assert_eq!([Kind::Channel, Kind::Pattern, Kind::Shard].map(|kind| server.channels.count(kind)), [0; 3]);
        let observers = &server.databases.observers;
        assert!(observers.watched.is_empty() && observers.waiting.is_empty());
        assert!(server.tracking.is_empty() && server.timeouts.first().is_none());
        let mut monitor = session.other();
        session.run_as(&mut monitor, "MONITOR");
        let mut client = session.server.clients.take_same(monitor).unwrap();
        session.server.release(&mut client);
        assert!(session.server.monitors.is_empty());
        assert_eq!(session.server.clients.count(), 0);
    }
}
