//! From a request to the command that answers it.
//!
//! Imports point down: `flag`, `category` ← `spec` ← `registry` ← `context` ← `call` ←
//! [`commands`](crate::commands) ← `table` ← `dispatch`. What tells about commands (COMMAND, HELP) gets the table from
//! the context.

pub mod call;
pub mod category;
pub mod context;
pub mod dispatch;
pub mod error;
pub mod flag;
pub mod keys;
pub mod registry;
pub mod renames;
pub mod spec;
pub mod table;
