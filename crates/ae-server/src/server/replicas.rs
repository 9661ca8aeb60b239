//! The server's replicas: who becomes one, the stream that they get, and how far they are.

use super::state::Server;
use crate::clients::blocked::OnTimeout;
use crate::clients::client::{Client, ClientRef};
use crate::clients::replica::{Phase, Replica};
use crate::log::{Level, log};
use crate::server::pause::{Paused, Purpose};
use resp::number;
use std::sync::Arc;

/// How often the replicas are looked after, in milliseconds.
const LOOK_EVERY: i64 = 1000;

impl Server {
    /// An id for a history of the data.
    pub fn new_history_id(&mut self) -> String {
        let parts: String = (0..3).map(|_| format!("{:016x}", self.databases.random.number())).collect();
        parts[..40].into()
    }

    /// The offset of the last byte of the stream.
    pub fn replication_offset(&self) -> u64 {
        self.replication.offset + self.streams.replicas.bytes.len() as u64
    }

    /// What changes here goes to replicas if this server is a primary that has, or lately had, some.
    pub fn renew_replica_stream(&mut self) {
        let open = self.replication.backlog.is_some() && self.replication.link.is_none();
        self.set_streams(self.streams.log.is_open(), open);
    }

    /// Sends what has changed to the replicas.
    pub fn feed_replicas(&mut self) {
        let bytes = std::mem::take(&mut self.streams.replicas.bytes);
        if !bytes.is_empty() {
            self.feed(bytes);
        }
    }

    /// Appends a part to the stream.
    pub fn feed(&mut self, mut bytes: Vec<u8>) {
        self.replication.append(&bytes);
        // It may wait for long.
        bytes.shrink_to_fit();
        let (bytes, replicas) = (Arc::new(bytes), std::mem::take(&mut self.replication.replicas));
        for reference in &replicas {
            let Some(client) = self.clients.get_same(*reference) else { continue };
            let Some(replica) = &mut client.replica else { continue };
            match replica.phase {
                Phase::Introduced | Phase::Waits => {}
                Phase::Copied | Phase::Settles => replica.held.append_part(&bytes),
                Phase::Online => {
                    client.output.append_part(&bytes);
                    self.clients.wants_to_send(*reference);
                }
            }
        }
        self.replication.replicas = replicas;
    }

    /// Has a client become a replica. With a history and the offset of the byte that it needs next, it goes on from
    /// there if that can be had; otherwise it gets a copy. The error is a reply.
    pub fn synchronize(&mut self, client: &mut Client, history: Option<(&[u8], i64)>) -> Result<(), &'static str> {
        if client.is_replica() {
            return Ok(());
        }
        if self.replication.failover.is_some() {
            return Err("NOMASTERLINK Can't SYNC while failing over");
        }
        if self.replication.link.as_ref().is_some_and(|link| !link.is_up()) {
            return Err("NOMASTERLINK Can't SYNC while not connected with my master");
        }
        if client.output.pending() > 0 {
            return Err("ERR SYNC and PSYNC are invalid with pending output");
        }
        self.feed_replicas();
        let ticks = self.ticks;
        let replica = client.replica.get_or_insert_with(|| Box::new(Replica::new(ticks)));
        replica.heard_at = ticks;
        replica.is_silent = history.is_none();
        if let Some((id, offset)) = history {
            let stream = u64::try_from(offset).ok().and_then(|offset| self.replication.stream_from(id, offset));
            if let Some((front, back)) = stream {
                replica.phase = Phase::Online;
                let id = if replica.knows_new_ids { format!(" {}", self.replication.id) } else { String::new() };
                client.output.bytes.extend_from_slice(format!("+CONTINUE{id}\r\n").as_bytes());
                client.output.bytes.extend_from_slice(front);
                client.output.bytes.extend_from_slice(back);
                self.stats.partial_syncs += 1;
                self.add_replica(client);
                return Ok(());
            }
            if id != b"?" {
                self.stats.refused_partial_syncs += 1;
            }
        }
        self.stats.full_syncs += 1;
        replica.phase = Phase::Waits;
        if self.replication.backlog.is_none() {
            // Nobody has seen how the data came to be what they are.
            let id = self.new_history_id();
            self.replication.begin_history(id);
            self.replication.open_backlog(self.config.replication.backlog_size);
            self.renew_replica_stream();
        }
        self.add_replica(client);
        Ok(())
    }

    fn add_replica(&mut self, client: &mut Client) {
        if self.config.replication.disables_no_delay
            && let Some(conn) = &client.conn
        {
            // Best effort: it only saves packets.
            let _ = conn.set_tcp_no_delay(false);
        }
        self.replication.replicas.push(client.reference());
    }

    /// A replica is leaving.
    pub fn forget_replica(&mut self, client: ClientRef) {
        self.replication.replicas.retain(|other| *other != client);
        self.replication.alone_since = self.ticks;
    }

    /// Ends the connections of all replicas: they come back and learn which history the data have now.
    pub fn disconnect_replicas(&mut self) {
        for reference in self.replication.replicas.clone() {
            if let Some(mut client) = self.clients.take_same(reference) {
                self.release(&mut client);
            }
        }
    }

    /// A replica says up to which offset it has the stream.
    pub fn note_acknowledged(&mut self, client: &mut Client, offset: u64) {
        let ticks = self.ticks;
        let Some(replica) = client.replica.as_mut().filter(|replica| replica.phase != Phase::Introduced) else {
            return;
        };
        replica.heard_at = ticks;
        replica.acknowledged = replica.acknowledged.max(offset);
        if replica.phase == Phase::Settles {
            self.go_online(client);
        }
        self.tell_acknowledged(Some(client));
    }

    /// The replica has its copy: the stream follows, with what was held back of it.
    pub fn go_online(&mut self, client: &mut Client) {
        let Some(replica) = &mut client.replica else { return };
        replica.phase = Phase::Online;
        let held = std::mem::take(&mut replica.held);
        client.output.append(held);
        self.clients.queue.add(client);
    }

    /// How many replicas have the stream up to an offset. `current` is the client whose request is being answered.
    pub fn count_acknowledged(&self, offset: u64, current: Option<&Client>) -> usize {
        self.replicas(current).filter(|(_, replica)| replica.has(offset)).count()
    }

    /// All replicas, in the order in which they came.
    pub fn replicas<'a>(
        &'a self,
        current: Option<&'a Client>,
    ) -> impl Iterator<Item = (&'a Client, &'a Replica)> + use<'a> {
        let find = move |reference: &ClientRef| match current {
            Some(current) if current.reference() == *reference => Some(current),
            _ => self.clients.get(reference.fd).filter(|client| client.id == reference.id),
        };
        let found = self.replication.replicas.iter().filter_map(find);
        found.filter_map(|client| client.replica.as_deref().map(|replica| (client, replica)))
    }

    /// How many replicas are up to date, as far as `min-replicas-max-lag` says.
    pub fn good_replicas(&self) -> usize {
        let most = i64::from(self.config.replication.min_replicas_max_lag);
        let is_good = |replica: &Replica| replica.phase == Phase::Online && replica.lag(self.ticks) <= most;
        self.replicas(None).filter(|(_, replica)| is_good(replica)).count()
    }

    /// Whether too few replicas are up to date for a write.
    pub fn lacks_replicas(&self) -> bool {
        let settings = &self.config.replication;
        settings.min_replicas > 0
            && settings.min_replicas_max_lag > 0
            && self.replication.link.is_none()
            && self.good_replicas() < settings.min_replicas as usize
    }

    /// Tells those who wait for acknowledgements, if they have got enough.
    fn tell_acknowledged(&mut self, current: Option<&Client>) {
        for reference in std::mem::take(&mut self.replication.waiting) {
            let Some(mut waiting) = self.clients.take_same(reference) else { continue };
            if let Some(mut blocked) = waiting.blocked.take_if(|blocked| blocked.keys.is_empty()) {
                let count = self.count_acknowledged(waiting.write_offset, current) as i64;
                let wanted = blocked.args.as_args().get(1).and_then(number::parse).unwrap_or(0);
                if count >= wanted {
                    waiting.reply_late(|waiting| waiting.reply().integer(count));
                    self.stop_waiting(&mut waiting, &blocked);
                } else {
                    blocked.on_timeout = OnTimeout::Integer(count);
                    waiting.blocked = Some(blocked);
                    self.replication.waiting.push(reference);
                }
            }
            self.clients.put_back(waiting);
        }
    }

    /// Asks the replicas how far they are, if somebody waits for that. Before the stream is sent.
    pub fn ask_for_acks(&mut self) {
        if std::mem::take(&mut self.replication.asks_for_acks) && self.replication.link.is_none() {
            self.feed_replicas();
            self.feed(b"*3\r\n$8\r\nREPLCONF\r\n$6\r\nGETACK\r\n$1\r\n*\r\n".to_vec());
        }
    }

    /// The server is going to end: replicas that have not got everything may have some time for that.
    pub fn begin_waiting_for_replicas(&mut self, now: bool) {
        let timeout = if now { 0 } else { i64::from(self.config.replication.shutdown_timeout) * 1000 };
        self.replication.ending = Some((self.replication_offset(), self.ticks + timeout));
        if self.waits_for_replicas() {
            log(Level::Notice, format_args!("waits for replicas before it ends"));
            self.begin_pause(Purpose::Shutdown, Paused::Writes, self.ticks + timeout);
            self.replication.asks_for_acks = true;
        }
    }

    /// Whether the server that is going to end still waits for replicas.
    pub fn waits_for_replicas(&self) -> bool {
        let Some((offset, end)) = self.replication.ending else { return false };
        let lacks = |replica: &Replica| replica.phase == Phase::Online && !replica.is_silent && !replica.has(offset);
        self.ticks < end && self.replication.link.is_none() && self.replicas(None).any(|(_, replica)| lacks(replica))
    }

    /// The server does not end after all. False if it was not going to.
    pub fn abort_shutdown(&mut self) -> bool {
        let aborted = self.replication.ending.take().is_some();
        if aborted {
            self.shutdown = false;
            self.unpause(Purpose::Shutdown);
        }
        aborted
    }

    /// What is done once a second: PING, lost replicas, a backlog that nobody has needed for long. Returns the replicas
    /// that have not been heard of for too long.
    pub fn look_after_replicas(&mut self) -> Vec<ClientRef> {
        if self.ticks < self.replication.looked_at + LOOK_EVERY {
            return Vec::new();
        }
        self.replication.looked_at = self.ticks;
        self.acknowledge();
        let settings = &self.config.replication;
        let (period, timeout, ttl) = (settings.ping_period, settings.timeout, settings.backlog_ttl);
        let is_primary = self.replication.link.is_none();
        if self.replication.replicas.is_empty() {
            let alone = self.ticks - self.replication.alone_since;
            if is_primary && ttl > 0 && self.replication.backlog.is_some() && alone / 1000 > ttl as i64 {
                // What changes from now on nobody can follow, so it is another history.
                self.feed_replicas();
                self.replication.backlog = None;
                let id = self.new_history_id();
                self.replication.begin_history(id);
                self.renew_replica_stream();
            }
            return Vec::new();
        }
        let pauses = self.replication.failover.is_some() || self.replication.ending.is_some();
        if is_primary && !pauses && self.ticks - self.replication.pinged_at >= i64::from(period) * 1000 {
            self.replication.pinged_at = self.ticks;
            self.feed_replicas();
            self.feed(b"*1\r\n$4\r\nPING\r\n".to_vec());
        }
        let mut lost = Vec::new();
        for reference in self.replication.replicas.clone() {
            let Some(client) = self.clients.get_same(reference) else { continue };
            let Some(replica) = &client.replica else { continue };
            match replica.phase {
                // An empty line shows that the server is alive.
                Phase::Waits => {
                    client.output.bytes.push(b'\n');
                    self.clients.wants_to_send(reference);
                }
                Phase::Online | Phase::Settles
                    if !replica.is_silent && self.ticks - replica.heard_at > i64::from(timeout) * 1000 =>
                {
                    lost.push(reference);
                }
                Phase::Copied if self.ticks - client.last_active > i64::from(timeout) * 1000 => lost.push(reference),
                _ => {}
            }
        }
        lost
    }
}

#[cfg(test)]
#[path = "replicas_tests.rs"]
mod tests;
