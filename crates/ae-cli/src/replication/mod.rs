//! What a primary sends to its replicas.

mod follow;
mod request;
mod snapshot;

pub use follow::follow;
pub use request::{announce, configure};
pub use snapshot::{Size, Snapshot};
