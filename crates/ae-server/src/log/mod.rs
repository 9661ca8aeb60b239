//! What the server tells its operator.

mod queue;
mod target;

pub use queue::{flush, log, say, set_level, set_target};
pub use target::{Facility, Level, Target};
