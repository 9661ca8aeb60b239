//! Copies of the data for replicas that need one.

use super::state::Server;
use crate::clients::client::{Client, ClientRef, Closing};
use crate::clients::replica::{Phase, Replica};
use crate::config::catalog;
use crate::config::settings::REDIS_VERSION;
use crate::log::{Level, log};
use crate::replication::copy::{options, whole_copy};
use crate::replication::state::Replication;
use crate::replication::transfer::MARK_LEN;
use std::sync::Arc;

impl Server {
    /// Begins a copy if replicas need one and have waited for others for long enough.
    pub fn start_copies(&mut self) {
        let waiting: Vec<ClientRef> = self.of_phase(Phase::Waits);
        if waiting.is_empty() || !self.copy_is_due(&waiting) {
            return;
        }
        self.feed_replicas();
        // Whoever has only the copy does not know which database the stream is at.
        self.streams.replicas.select_again();
        let (mut with_data, mut without) = (None, None);
        for reference in waiting {
            let Some(mut client) = self.clients.take_same(reference) else { continue };
            let filters = client.replica.as_ref().is_some_and(|replica| replica.filters_data);
            let copy = if filters { &mut without } else { &mut with_data };
            let copy = copy.get_or_insert_with(|| Arc::new(self.copy_of_data(!filters))).clone();
            self.send_copy(&mut client, copy);
            self.clients.queue.add(&mut client);
            self.clients.put_back(client);
        }
    }

    fn of_phase(&self, phase: Phase) -> Vec<ClientRef> {
        let found = self.replicas(None).filter(|(_, replica)| replica.phase == phase);
        found.map(|(client, _)| client.reference()).collect()
    }

    /// Replicas that come at the same time share a copy, so the first one waits a little for others. A copy whose length
    /// is told is no better for that.
    fn copy_is_due(&self, waiting: &[ClientRef]) -> bool {
        let settings = &self.config.replication;
        let find = |reference: &ClientRef| self.clients.get(reference.fd).and_then(|client| client.replica.as_deref());
        let replicas: Vec<&Replica> = waiting.iter().filter_map(find).collect();
        let enough = settings.diskless_max_replicas > 0 && waiting.len() >= settings.diskless_max_replicas as usize;
        let delay = i64::from(settings.diskless_delay) * 1000;
        !settings.diskless
            || enough
            || replicas.iter().any(|replica| !replica.knows_end_mark || self.ticks - replica.heard_at >= delay)
    }

    fn copy_of_data(&self, with_data: bool) -> Vec<u8> {
        let setting = |name: &[u8]| catalog::find(name).is_some_and(|(_, row)| row.get(&self.config) == b"yes");
        let link = self.replication.link.as_ref();
        let aux = [
            ("redis-ver", REDIS_VERSION.into()),
            ("redis-bits", usize::BITS.to_string()),
            ("ctime", (self.now / 1000).to_string()),
            ("used-mem", self.meter.used().to_string()),
            ("repl-stream-db", link.map_or(0, |link| link.stream_db).to_string()),
            ("repl-id", self.replication.id.clone()),
            ("repl-offset", self.replication.offset.to_string()),
            ("aof-base", "0".into()),
        ];
        let options = options(setting(b"rdbcompression"), setting(b"rdbchecksum"));
        if with_data {
            whole_copy(&self.databases, &aux, options)
        } else {
            whole_copy(&crate::db::databases::Databases::new(0, 1), &aux, options)
        }
    }

    fn send_copy(&mut self, client: &mut Client, copy: Arc<Vec<u8>>) {
        let mark = &[self.new_history_id(), self.run_id.clone()].concat()[..MARK_LEN];
        let diskless = self.config.replication.diskless;
        let peer = client.peer_addr();
        let Some(replica) = &mut client.replica else { return };
        let out = &mut client.output;
        if !replica.is_silent {
            let Replication { id, offset, .. } = &self.replication;
            out.bytes.extend_from_slice(format!("+FULLRESYNC {id} {offset}\r\n").as_bytes());
        }
        replica.phase = Phase::Copied;
        replica.settles = diskless && replica.knows_end_mark;
        log(Level::Notice, format_args!("sends a copy of {} bytes to the replica {peer}", copy.len()));
        let head = if replica.settles { format!("$EOF:{mark}\r\n") } else { format!("${}\r\n", copy.len()) };
        out.bytes.extend_from_slice(head.as_bytes());
        out.attach(copy);
        if replica.settles {
            out.bytes.extend_from_slice(mark.as_bytes());
        }
    }

    /// Goes on with replicas that have been sent the whole copy. True if there is something to send now.
    pub fn finish_copies(&mut self) -> bool {
        let mut sends = false;
        for reference in self.of_phase(Phase::Copied) {
            let Some(mut client) = self.clients.take_same(reference) else { continue };
            if client.output.pending() == 0
                && let Some(replica) = &mut client.replica
            {
                replica.heard_at = self.ticks;
                replica.acknowledged = self.replication.offset - replica.held_len as u64;
                if replica.copy_only {
                    client.closing = Closing::AfterReplies;
                    self.clients.queue.add(&mut client);
                } else if replica.settles {
                    replica.phase = Phase::Settles;
                } else {
                    self.go_online(&mut client);
                }
                sends = true;
            }
            self.clients.put_back(client);
        }
        sends
    }
}
