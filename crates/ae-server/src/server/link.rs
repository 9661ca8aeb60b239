//! The server as a replica: whose it is, and how it becomes a primary again.

use super::loading::LoadedFile;
use super::pause::{Paused, Purpose};
use super::state::Server;
use crate::clients::client::{Client, Closing};
use crate::command::spec::Spec;
use crate::db::databases::Expiry;
use crate::log::{Level, log, set_role};
use crate::replication::failover::Failover;
use crate::replication::link::{Link, Phase};
use resp::writer;

/// What a client is told that waits for a key when the server becomes a replica.
const UNBLOCKED: &str = "UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)";
/// A pause that ends with the failover.
const PAUSE: i64 = 1 << 40;

impl Server {
    /// The server becomes a replica, or one of another primary.
    pub fn become_replica(&mut self, host: &str, port: u16) {
        self.feed_replicas();
        if self.replication.link.is_none() {
            self.disconnect_waiting();
        }
        self.drop_primary();
        // The stream that comes from there goes on where the own one ended, if it can.
        self.replication.open_backlog(self.config.replication.backlog_size);
        let needs_copy = self.replication.link.as_ref().is_some_and(|link| link.needs_copy);
        let stream_db = self.replication.link.as_ref().map_or(0, |link| link.stream_db);
        let mut link = Link::new(host.into(), port, self.ticks);
        (link.needs_copy, link.stream_db, link.down_since) = (needs_copy, stream_db, Some(self.ticks));
        self.replication.link = Some(link);
        self.replication.links += 1;
        self.config.replication.primary = Some((host.into(), port));
        self.databases.expiry = Expiry::Hides;
        self.renew_replica_stream();
        set_role(true);
        log(Level::Notice, format_args!("is a replica of {host}:{port}"));
    }

    /// The server becomes a primary. Its replicas come back and learn that the history goes on under another id.
    pub fn become_primary(&mut self) {
        if self.replication.link.is_none() {
            return;
        }
        self.drop_primary();
        let link = self.replication.link.take();
        self.replication.links += 1;
        self.config.replication.primary = None;
        let id = self.new_history_id();
        if link.is_some_and(|link| link.needs_copy) {
            self.replication.begin_history(id);
        } else {
            self.replication.branch(id);
        }
        self.disconnect_replicas();
        self.replication.alone_since = self.ticks;
        self.databases.expiry = Expiry::Removes;
        self.databases.own_volatile.clear();
        self.renew_replica_stream();
        self.resume_log();
        set_role(false);
        log(Level::Notice, format_args!("is a primary"));
    }

    /// Ends the connection that brings the stream.
    fn drop_primary(&mut self) {
        let client = self.replication.link.as_mut().and_then(|link| link.client.take());
        if let Some(mut client) = client.and_then(|client| self.clients.take_same(client)) {
            self.release(&mut client);
        }
    }

    /// The connection that brought the stream has ended: another one is made.
    pub fn lose_primary(&mut self) {
        let ticks = self.ticks;
        let Some(link) = &mut self.replication.link else { return };
        log(Level::Notice, format_args!("lost the connection with the primary {}:{}", link.host, link.port));
        link.client = None;
        link.phase = Phase::Connect;
        (link.connects_at, link.down_since) = (ticks, Some(ticks));
    }

    /// The copy of the primary's data has been loaded, or cannot be.
    pub fn note_loaded(&mut self, loaded: Result<LoadedFile, String>) {
        if loaded.is_ok() {
            // One that was loaded aside has only now taken the place of what there was.
            self.suspend_log();
            if self.replication.link.is_none() {
                // It has become a primary in this very turn of the loop.
                self.resume_log();
            }
        }
        let stream_db = |file: LoadedFile| {
            let told = file.aux.into_iter().find(|(name, _)| name == b"repl-stream-db");
            told.and_then(|(_, value)| std::str::from_utf8(&value).ok()?.parse().ok()).unwrap_or(0)
        };
        if let Some(link) = &mut self.replication.link {
            link.loaded = Some(loaded.map(stream_db));
        }
    }

    /// Ends the connections of clients that wait: what they wait for happens elsewhere.
    fn disconnect_waiting(&mut self) {
        let waiting = self.clients.iter().filter(|client| client.blocked.is_some());
        for reference in waiting.map(Client::reference).collect::<Vec<_>>() {
            let Some(mut client) = self.clients.take_same(reference) else { continue };
            if let Some(blocked) = client.blocked.take() {
                self.forget_waiting(reference, &blocked);
                client.reply_late(|client| client.reply().error(UNBLOCKED.as_bytes()));
                client.closing = Closing::AfterReplies;
                self.clients.queue.add(&mut client);
            }
            self.clients.put_back(client);
        }
    }

    /// What says to the primary how far this replica is.
    pub fn acknowledgement(&self) -> Vec<u8> {
        let (mut out, offset) = (Vec::new(), self.replication.offset.to_string());
        writer::request(&mut out, &[&b"REPLCONF"[..], b"ACK", offset.as_bytes()]);
        out
    }

    /// Says to the primary how far this replica is.
    pub fn acknowledge(&mut self) {
        let Some(reference) = self.replication.link.as_ref().and_then(|link| link.client) else { return };
        let request = self.acknowledgement();
        if let Some(client) = self.clients.get_same(reference) {
            client.output.bytes.extend_from_slice(&request);
            self.clients.wants_to_send(reference);
        }
    }

    /// Why a client may not call a command, as far as replication has to do with it. `concerns` says whether it, or one
    /// of those that EXEC runs, is of a kind.
    pub fn refuses(&self, concerns: impl Fn(fn(&Spec) -> bool) -> bool) -> Option<&'static str> {
        use crate::command::flag::STALE;
        const MASTERDOWN: &str = "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.";
        let refused = self.refuses_write(&concerns);
        refused.or_else(|| (self.is_stale() && concerns(|spec| !spec.is(STALE))).then_some(MASTERDOWN))
    }

    /// The same for a request that may run with stale data.
    pub fn refuses_write(&self, concerns: impl Fn(fn(&Spec) -> bool) -> bool) -> Option<&'static str> {
        let settings = &self.config.replication;
        if settings.min_replicas > 0 && concerns(Spec::is_write) && self.lacks_replicas() {
            return Some("NOREPLICAS Not enough good replicas to write.");
        }
        if self.replication.link.is_some() && settings.read_only && concerns(Spec::is_write) {
            return Some("READONLY You can't write against a read only replica.");
        }
        None
    }

    /// A replica that has lost its primary, and does not show what it has meanwhile.
    pub fn is_stale(&self) -> bool {
        let link = self.replication.link.as_ref();
        link.is_some_and(|link| !link.is_up()) && !self.config.replication.serves_stale
    }

    // ---- Failover ----

    /// Begins to hand the role over: nothing may change until the target has everything.
    pub fn begin_failover(&mut self, failover: Failover) {
        match &failover.target {
            Some((host, port)) => log(Level::Notice, format_args!("FAILOVER requested to {host}:{port}")),
            None => log(Level::Notice, format_args!("FAILOVER requested")),
        }
        self.begin_pause(Purpose::Failover, Paused::Writes, PAUSE);
        self.replication.failover = Some(failover);
        self.replication.asks_for_acks = true;
    }

    /// Ends it, whether it succeeded or not.
    pub fn end_failover(&mut self, why: &str) {
        if self.replication.failover.take().is_some() {
            log(Level::Notice, format_args!("FAILOVER: {why}"));
            self.unpause(Purpose::Failover);
        }
    }

    /// Gives it up. If the target has been told already, this is the primary again.
    pub fn abort_failover(&mut self, why: &str) {
        if self.replication.failover.as_ref().is_some_and(|failover| failover.told) {
            self.become_primary();
        }
        self.end_failover(why);
    }

    /// Tells the target to take over if it has everything, or if the time is up.
    pub fn advance_failover(&mut self) {
        let Some(failover) = self.replication.failover.clone().filter(|failover| !failover.told) else { return };
        let offset = self.replication_offset();
        let is_target = |(host, port): &(String, u16)| {
            let wanted = failover.target.as_ref();
            wanted.is_none_or(|(other, number)| other == host && number == port)
        };
        let ready = self.replicas(None).filter(|(_, replica)| replica.has(offset));
        let target = ready.map(|(client, replica)| (client.replica_ip(), replica.port)).find(is_target);
        let overdue = failover.deadline.is_some_and(|deadline| self.ticks >= deadline);
        let target = match target {
            None if overdue && failover.force => failover.target,
            None if overdue => return self.abort_failover("Replica never caught up before timeout"),
            target => target,
        };
        let Some((host, port)) = target else { return };
        self.become_replica(&host, port);
        if let Some(link) = &mut self.replication.link {
            link.takes_over = true;
        }
        if let Some(failover) = &mut self.replication.failover {
            failover.told = true;
        }
    }
}
