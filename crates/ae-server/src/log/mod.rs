//! What the server tells its operator.

#[cfg(test)]
pub mod heard;
mod queue;
mod target;

pub use queue::{flush, log, say, say_as_line, set_level, set_role, set_target};
pub use target::{Facility, Level, Target};
