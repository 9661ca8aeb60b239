//! `anet.h`: socket helpers.
//!
//! Where a function takes `char *err`, NULL is fine; else it is room for `ANET_ERR_LEN` bytes, where a failure
//! leaves a terminated text that says which call failed and why.

pub mod addresses;
pub(super) mod args;
pub mod options;
pub mod pipes;
pub mod sockets;
