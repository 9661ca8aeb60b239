//! A command's flags. COMMAND INFO tells them to clients.

pub const WRITE: u16 = 1;
pub const READONLY: u16 = 2;
pub const DENYOOM: u16 = 4;
pub const ADMIN: u16 = 8;
pub const NOSCRIPT: u16 = 16;
pub const LOADING: u16 = 32;
pub const STALE: u16 = 64;
pub const FAST: u16 = 128;
/// Open to clients that have not authenticated.
pub const NO_AUTH: u16 = 256;
pub const ALLOW_BUSY: u16 = 512;
/// COMMAND does not list it.
pub const HIDDEN: u16 = 1024;

pub const NAMES: [(u16, &str); 10] = [
    (WRITE, "write"),
    (READONLY, "readonly"),
    (DENYOOM, "denyoom"),
    (ADMIN, "admin"),
    (NOSCRIPT, "noscript"),
    (LOADING, "loading"),
    (STALE, "stale"),
    (FAST, "fast"),
    (NO_AUTH, "no_auth"),
    (ALLOW_BUSY, "allow_busy"),
];
