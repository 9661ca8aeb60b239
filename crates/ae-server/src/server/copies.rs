//! Copies of the data for replicas that need one: a snapshot that goes to all that came in time.

use super::snapshots::{Ended, Purpose};
use super::state::Server;
use crate::clients::client::{Client, ClientRef, Closing};
use crate::clients::copy_reader::CopyReader;
use crate::clients::replica::{Phase, Replica};
use crate::log::{Level, log};
use crate::replication::copy::{AHEAD_MAX, FullCopy, PieceSink, Pieces, nameless_file};
use crate::replication::transfer::MARK_LEN;
use std::cell::RefCell;
use std::io::Write;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

impl Server {
    /// Begins a copy if replicas need one and have waited for others for long enough.
    pub fn start_copies(&mut self) {
        let waiting: Vec<ClientRef> = self.of_phase(Phase::Waits);
        if waiting.is_empty() || self.replication.copy.is_some() || !self.copy_is_due(&waiting) {
            return;
        }
        self.feed_replicas();
        let aux = self.copy_aux();
        let pieces = Rc::new(RefCell::new(Pieces { room: AHEAD_MAX, ..Pieces::default() }));
        let mark = [self.new_history_id(), self.run_id.clone()].concat()[..MARK_LEN].to_string();
        let sink = Box::new(PieceSink(pieces.clone()));
        let done = Box::new(|server: &mut Server, ended| server.end_copy(ended));
        if self.begin_snapshot(Purpose::Replicas, &aux, sink, done).is_err() {
            // Another snapshot is under way; it is tried again.
            return;
        }
        // Whoever has only the copy does not know which database the stream is at.
        self.streams.replicas.select_again();
        self.replication.copy = Some(FullCopy { pieces, mark, file: None, file_len: 0 });
        for reference in waiting {
            let Some(mut client) = self.clients.take_same(reference) else { continue };
            self.begin_copy_to(&mut client, &aux);
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

    fn begin_copy_to(&mut self, client: &mut Client, aux: &[(&str, String)]) {
        let diskless = self.config.replication.diskless;
        log(Level::Notice, format_args!("a copy for the replica {} begins", client.peer_addr()));
        let empty = client.replica.as_ref().is_some_and(|replica| replica.filters_data).then(|| {
            let mut writer = self.file_writer(aux, false);
            writer.finish();
            writer.take()
        });
        let (state, Some(replica)) = (&self.replication, &mut client.replica) else { return };
        let (out, mark) = (&mut client.output.bytes, state.copy.as_ref().map_or("", |copy| &copy.mark));
        if !replica.is_silent {
            out.extend_from_slice(format!("+FULLRESYNC {} {}\r\n", state.id, state.offset).as_bytes());
        }
        replica.phase = Phase::Copied;
        replica.settles = diskless && replica.knows_end_mark;
        replica.has_all = empty.is_some();
        if replica.settles {
            out.extend_from_slice(format!("$EOF:{mark}\r\n").as_bytes());
        }
        if let Some(empty) = empty {
            if !replica.settles {
                out.extend_from_slice(format!("${}\r\n", empty.len()).as_bytes());
            }
            out.extend_from_slice(&empty);
            out.extend_from_slice(if replica.settles { mark.as_bytes() } else { b"" });
        }
    }

    /// The replicas that get the copy under way.
    fn receivers(&self) -> Vec<ClientRef> {
        let gets = |replica: &Replica| replica.phase == Phase::Copied && !replica.has_all;
        self.replicas(None).filter(|(_, replica)| gets(replica)).map(|(client, _)| client.reference()).collect()
    }

    /// Passes on what there is of the copy. True if there was something.
    pub fn advance_copies(&mut self) -> bool {
        let receivers = self.receivers();
        let Some(copy) = &mut self.replication.copy else {
            return std::mem::take(&mut self.replication.copied) | self.read_copies();
        };
        let (file_name, dir) =
            (format!("temp-{}.{}.{}.rdb", self.now, std::process::id(), &copy.mark[..8]), &self.config);
        let waiting = std::mem::take(&mut copy.pieces.borrow_mut().waiting);
        let (moved, mut most) = (!waiting.is_empty(), 0);
        if receivers.is_empty() {
            copy.pieces.borrow_mut().failed.get_or_insert("no replica wants it any more".into());
            return true;
        }
        let needs_file = |client: &Client| client.replica.as_ref().is_some_and(|replica| !replica.settles);
        for piece in waiting.into_iter().map(Arc::new) {
            let mut to_file = false;
            for reference in &receivers {
                let Some(client) = self.clients.get_same(*reference) else { continue };
                if needs_file(client) {
                    to_file = true;
                } else {
                    client.output.attach(piece.clone());
                    self.clients.wants_to_send(*reference);
                }
            }
            if to_file && let Err(error) = copy.keep(&piece, || nameless_file(&dir.path(Path::new(&file_name)))) {
                copy.pieces.borrow_mut().failed = Some(format!("cannot keep it: {error}"));
                return true;
            }
        }
        for reference in &receivers {
            let Some(client) = self.clients.get_same(*reference) else { continue };
            most = most.max(client.output.pending());
        }
        copy.pieces.borrow_mut().room = AHEAD_MAX.saturating_sub(most);
        moved
    }

    /// The snapshot has ended.
    fn end_copy(&mut self, ended: Ended) {
        let receivers = self.receivers();
        let Some(copy) = self.replication.copy.take() else { return };
        self.replication.copied = true;
        for reference in receivers {
            let Some(mut client) = self.clients.take_same(reference) else { continue };
            let why = match &ended {
                Ended::Done => None,
                Ended::Failed(why) => Some(why.as_str()),
                Ended::Abandoned => Some("it was given up"),
            };
            if let Some(why) = why {
                log(Level::Warning, format_args!("no copy for the replica {}: {why}", client.peer_addr()));
                self.release(&mut client);
                continue;
            }
            if let Some(replica) = &mut client.replica {
                replica.has_all = true;
                let out = &mut client.output.bytes;
                match &copy.file {
                    _ if replica.settles => out.extend_from_slice(copy.mark.as_bytes()),
                    Some(file) => {
                        out.extend_from_slice(format!("${}\r\n", copy.file_len).as_bytes());
                        replica.reader = Some(CopyReader::new(file.clone(), copy.file_len));
                    }
                    None => {}
                }
            }
            self.clients.queue.add(&mut client);
            self.clients.put_back(client);
        }
    }

    /// Goes on with replicas whose copy is in a file. True if there is something to send.
    fn read_copies(&mut self) -> bool {
        let mut moved = false;
        for reference in self.of_phase(Phase::Copied) {
            let Some(client) = self.clients.get_same(reference) else { continue };
            let Some(reader) = client.replica.as_mut().and_then(|replica| replica.reader.as_mut()) else { continue };
            if client.output.pending() >= AHEAD_MAX {
                continue;
            }
            match reader.next() {
                Ok(bytes) if bytes.is_empty() => {
                    client.replica.iter_mut().for_each(|replica| replica.reader = None);
                }
                Ok(bytes) => client.output.attach(Arc::new(bytes)),
                Err(error) => {
                    log(Level::Warning, format_args!("cannot read the copy for a replica: {error}"));
                    client.closing = Closing::Now;
                }
            }
            self.clients.wants_to_send(reference);
            moved = true;
        }
        moved
    }

    /// Goes on with replicas that have been sent the whole copy.
    pub fn finish_copies(&mut self) {
        for reference in self.of_phase(Phase::Copied) {
            let Some(mut client) = self.clients.take_same(reference) else { continue };
            if client.output.pending() == 0
                && let Some(replica) =
                    client.replica.as_mut().filter(|replica| replica.has_all && replica.reader.is_none())
            {
                replica.heard_at = self.ticks;
                replica.acknowledged = self.replication.offset - replica.held.pending() as u64;
                if replica.copy_only {
                    client.closing = Closing::AfterReplies;
                    self.clients.queue.add(&mut client);
                } else if replica.settles {
                    replica.phase = Phase::Settles;
                } else {
                    self.go_online(&mut client);
                }
            }
            self.clients.put_back(client);
        }
    }
}

impl FullCopy {
    /// Keeps a piece for replicas that have to know the length first.
    fn keep(&mut self, piece: &[u8], create: impl FnOnce() -> std::io::Result<std::fs::File>) -> std::io::Result<()> {
        let file = match &self.file {
            Some(file) => file.clone(),
            None => self.file.insert(Rc::new(create()?)).clone(),
        };
        (&*file).write_all(piece)?;
        self.file_len += piece.len() as u64;
        Ok(())
    }
}

#[cfg(test)]
#[path = "copies_tests.rs"]
mod tests;
