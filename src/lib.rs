//! libae: Redis's networking layer (the `ae` event loop, the `anet` socket helpers, the connection types) in
//! Rust behind a C ABI.
//!
//! Imports point down only; `tests/layering.rs` checks it:
//!
//! | module | what it is | may import |
//! | --- | --- | --- |
//! | [`abi`] | C-visible types and constants | nothing of ours |
//! | `sys` | system calls, errno, clock | nothing of ours |
//! | [`resp`] | the Redis protocol, pure | nothing of ours |
//! | `host` | the program's hooks, memory and log | `abi`, `sys` |
//! | `anet` | socket helpers | `abi`, `sys` |
//! | `event_loop` | file events, timers, backends | `abi`, `sys`, `host` |
//! | `connection` | connection types over both | `event_loop`, `anet`, `host`, `abi`, `sys` |
//! | `safe` | the safe Rust API | all of the above but `resp` |
//! | [`ffi`] | every exported C function | all but `safe` and `resp` |
//!
//! Nothing imports `ffi`. The binaries use the safe API and [`resp`] alone and forbid unsafe code.

pub mod abi;
mod anet;
mod connection;
mod event_loop;
pub mod ffi;
mod host;
pub mod resp;
mod safe;
mod sys;

pub use safe::*;
