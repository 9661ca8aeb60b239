//! TLS as it is configured: settings read and checked, files loaded, and what rustls makes sessions from. Nothing here
//! knows a connection.

pub(super) mod ahead;
pub(super) mod asked;
pub(crate) mod certificate;
pub(super) mod ciphers;
pub(super) mod context;
pub(super) mod contexts;
mod der;
pub(super) mod files;
mod key_log;
pub(super) mod limits;
mod protocols;
pub(crate) mod reload;
mod session_cache;
pub(crate) mod settings;
pub(super) mod source;
mod suites;
pub(super) mod upstream;
mod verify;
