//! How a client is told that its copies of values are no longer right.

use std::collections::BTreeSet;

/// What a client asked for with CLIENT TRACKING.
#[derive(Clone, Debug, Default)]
pub struct TrackingMode {
    /// It is told of all keys with certain prefixes, not of those that it has read.
    pub broadcast: bool,
    /// Only what it reads after CLIENT CACHING YES counts.
    pub opt_in: bool,
    /// What it reads after CLIENT CACHING NO does not count.
    pub opt_out: bool,
    /// It is not told of its own changes.
    pub no_loop: bool,
    /// The client that is told in its place.
    pub redirect: Option<u64>,
    /// That client has gone.
    pub broken: bool,
    /// With `broadcast`: no prefix of another.
    pub prefixes: BTreeSet<Box<[u8]>>,
    /// Memory that these take.
    pub prefix_memory: usize,
    /// What CLIENT CACHING said of the next request.
    pub caching: bool,
}

impl TrackingMode {
    /// Memory that it takes.
    pub fn memory(&self) -> usize {
        size_of::<TrackingMode>() + self.prefix_memory
    }

    /// Whether the keys count that the running request reads.
    pub fn remembers(&self) -> bool {
        !self.broadcast && (self.opt_in == self.caching)
    }
}
