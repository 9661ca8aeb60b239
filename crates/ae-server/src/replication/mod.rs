//! What replication remembers: the history of the data, the server's replicas, and its own primary.
//!
//! - `backlog`: the last bytes of the stream that replicas get
//! - `state`: all of it
//! - `link`: what is known of the server's own primary
//! - `handshake`: what a replica and its primary say to each other before the data
//! - `transfer`: the copy of the data as it arrives
//! - `copy`: the copy of the data as it is written
//! - `failover`: handing the role of the primary over

pub mod backlog;
pub mod copy;
pub mod failover;
pub mod handshake;
pub mod link;
pub mod state;
pub mod transfer;
