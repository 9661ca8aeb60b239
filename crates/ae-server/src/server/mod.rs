//! The state that all clients share.

pub mod append_only;
pub mod clock;
pub mod copies;
pub mod history;
pub mod invalidation;
pub mod link;
pub mod listening;
pub mod loading;
pub mod news;
pub mod others;
pub mod pause;
pub mod propagation;
pub mod replicas;
pub mod rewriting;
pub mod room;
pub mod saving;
pub mod shutdown;
pub mod snapshots;
pub mod state;
pub mod stats;
pub mod streams;
pub mod targets;
pub mod timeouts;
pub mod under_way;
pub mod users;
pub mod waiting;
