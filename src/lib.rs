//! libae: Redis's networking layer (the `ae` event loop, the `anet` socket helpers, the connection types) in
//! Rust behind a C ABI.
//!
//! Imports point down only; `tests/layering` checks it:
//!
//! | module | what it is | may import |
//! | --- | --- | --- |
//! | [`abi`] | C-visible types and constants | nothing of ours |
//! | `sys` | system calls, errno, clock | nothing of ours |
//! | `host` | the program's hooks, memory and log | `abi`, `sys` |
//! | `anet` | socket helpers | `abi`, `sys` |
//! | `event_loop` | file events, timers, backends | `abi`, `sys`, `host` |
//! | `connection` | connection types over both | `event_loop`, `anet`, `host`, `abi`, `sys` |
//! | `safe` | the safe Rust API | all of the above |
//! | [`ffi`] | every exported C function | all except `safe` |
//!
//! Nothing imports `ffi`. The other packages of the workspace use the safe API alone and forbid unsafe code.

pub mod abi;
mod anet;
mod connection;
mod event_loop;
pub mod ffi;
mod host;
mod safe;
mod sys;

pub use safe::*;
