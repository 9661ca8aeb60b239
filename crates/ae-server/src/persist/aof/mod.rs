//! The append-only file: every change as a request, in files that a manifest lists.
//!
//! - `check`: looks into files without a server
//! - `disk`: files, any operation of which tests can make fail
//! - `manifest`: which files there are, and in what order; `folder`: the folder with all of them
//! - `log`: writes what has changed, before a reply to it leaves; `syncer`: the thread that syncs
//! - `records`: the content of a file, for loading and checking
//! - `replay`: loading
//! - `requests`: a value as requests that make it; `request_sink`: a snapshot as such requests
//! - `stage`: whether it is on
//! - `state`: all of it, as the server has it

pub mod check;
pub mod disk;
pub mod folder;
pub mod log;
pub mod manifest;
pub mod records;
pub mod replay;
pub mod request_sink;
pub mod requests;
pub mod stage;
pub mod state;
pub mod syncer;
