//! Connections.

mod interrupts;
mod link;
mod open;
mod target;
mod tls;

pub use interrupts::Interrupts;
pub use link::{Link, LinkError};
pub use target::Target;
