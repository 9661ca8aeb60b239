//! From a request to the command that answers it.
//!
//! Imports point down: `flag` ← `spec` ← `registry` ← `context` ← `declare` ← [`commands`](crate::commands) ← `table` ←
//! `dispatch`. What tells about commands (COMMAND, HELP) gets the table from the context.

pub mod context;
pub mod declare;
pub mod dispatch;
pub mod error;
pub mod flag;
pub mod registry;
pub mod spec;
pub mod table;
