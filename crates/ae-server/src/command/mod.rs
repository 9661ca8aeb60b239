//! From a request to the command that answers it.

pub mod dispatch;
