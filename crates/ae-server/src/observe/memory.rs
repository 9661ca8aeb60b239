//! What memory is used for.

use super::process::{resident_memory, system_memory};
use crate::clients::client::Client;
use crate::memory::{Allocator, allocator};
use crate::replication::backlog::Backlog;
use crate::server::state::Server;
use store::Keyspace;

/// The use of memory, in bytes. `current` is the client whose request is being answered.
pub struct Usage {
    pub used: u64,
    pub peak: u64,
    pub startup: u64,
    pub allocator: Allocator,
    pub resident: u64,
    pub system: u64,
    /// Of the clients that are no replicas, and of those that are.
    pub clients: u64,
    pub replicas: u64,
    /// Of the end of the stream that is kept for replicas that come back.
    pub backlog: u64,
    /// What is kept of scripts and of libraries of functions, beside their interpreters.
    pub scripts: u64,
    pub libraries: u64,
    /// Of both interpreters, whose memory is the allocator's, unlike in Redis.
    pub interpreters: u64,
    /// Of every database that holds something, with its number.
    pub tables: Vec<(usize, Table)>,
    pub keys: u64,
}

/// The memory of a database besides what keys and values have.
pub struct Table {
    pub main: u64,
    pub deadlines: u64,
}

impl Usage {
    pub fn of(server: &Server, current: &Client) -> Usage {
        let allocator = allocator();
        let sample = &server.last_sample;
        let memory_of = |replicas: bool| {
            let clients = server.clients.iter().chain([current]).filter(|client| client.is_replica() == replicas);
            clients.map(|client| client.memory() as u64).sum()
        };
        let interpreters = [&server.scripting.interpreter, &server.scripting.libraries.interpreter].into_iter();
        let tables = server.databases.iter().enumerate().filter(|(_, keyspace)| !keyspace.is_empty());
        Usage {
            used: allocator.allocated.saturating_sub(server.databases.free_bytes() as u64),
            peak: sample.peak_memory.max(allocator.allocated),
            startup: sample.startup_memory,
            allocator,
            resident: resident_memory(),
            system: system_memory(),
            clients: memory_of(false),
            replicas: memory_of(true),
            backlog: server.replication.backlog.as_ref().map_or(0, Backlog::memory) as u64,
            scripts: server.scripting.scripts.memory() as u64,
            libraries: server.scripting.libraries.memory() as u64,
            interpreters: interpreters.map(|interpreter| interpreter.memory() as u64).sum(),
            tables: tables.map(|(number, keyspace)| (number, Table::of(keyspace))).collect(),
            keys: server.databases.iter().map(|keyspace| keyspace.len() as u64).sum(),
        }
    }

    /// What is not data.
    pub fn overhead(&self) -> u64 {
        let scripts = self.scripts + self.libraries + self.interpreters;
        self.startup
            + self.clients
            + self.replicas
            + self.backlog
            + scripts
            + self.tables.iter().map(|(_, table)| table.main + table.deadlines).sum::<u64>()
    }

    pub fn dataset(&self) -> u64 {
        self.used.saturating_sub(self.overhead())
    }

    /// Data in percent of what has come since the start.
    pub fn dataset_percent(&self) -> f64 {
        percent(self.dataset(), self.used.saturating_sub(self.startup))
    }

    pub fn peak_percent(&self) -> f64 {
        percent(self.used, self.peak)
    }

    pub fn bytes_per_key(&self) -> u64 {
        self.used.saturating_sub(self.startup).checked_div(self.keys).unwrap_or(0)
    }

    /// In each pair: a ratio, and by how many bytes the first is more.
    pub fn allocator_fragmentation(&self) -> (f64, i64) {
        compare(self.allocator.active, self.allocator.allocated)
    }

    pub fn allocator_rss(&self) -> (f64, i64) {
        compare(self.allocator.resident, self.allocator.active)
    }

    pub fn rss_overhead(&self) -> (f64, i64) {
        compare(self.resident, self.allocator.resident)
    }

    pub fn fragmentation(&self) -> (f64, i64) {
        compare(self.resident, self.used)
    }
}

impl Table {
    fn of(keyspace: &Keyspace) -> Table {
        let (main, deadlines) = keyspace.allocated();
        Table { main: main as u64, deadlines: deadlines as u64 }
    }
}

fn compare(more: u64, less: u64) -> (f64, i64) {
    (if less == 0 { 0.0 } else { more as f64 / less as f64 }, more as i64 - less as i64)
}

fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 * 100.0 / whole as f64 }
}
