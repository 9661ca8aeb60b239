//! A command's flags.

pub const WRITE: u32 = 1;
pub const READONLY: u32 = 1 << 1;
pub const DENYOOM: u32 = 1 << 2;
pub const ADMIN: u32 = 1 << 3;
pub const PUBSUB: u32 = 1 << 4;
pub const NOSCRIPT: u32 = 1 << 5;
pub const BLOCKING: u32 = 1 << 6;
pub const LOADING: u32 = 1 << 7;
pub const STALE: u32 = 1 << 8;
pub const SKIP_MONITOR: u32 = 1 << 9;
pub const SKIP_SLOWLOG: u32 = 1 << 10;
pub const ASKING: u32 = 1 << 11;
pub const FAST: u32 = 1 << 12;
/// Open to clients that have not authenticated.
pub const NO_AUTH: u32 = 1 << 13;
/// It may change something here or elsewhere, though it is no write.
pub const MAY_REPLICATE: u32 = 1 << 14;
pub const NO_MANDATORY_KEYS: u32 = 1 << 15;
pub const NO_ASYNC_LOADING: u32 = 1 << 16;
/// Not in a transaction.
pub const NO_MULTI: u32 = 1 << 17;
/// Its keys are not where the first key specification alone says.
pub const MOVABLEKEYS: u32 = 1 << 18;
pub const ALLOW_BUSY: u32 = 1 << 19;
/// Between MULTI and EXEC it runs at once.
pub const UNQUEUED: u32 = 1 << 20;
/// Its replies are pushed, as messages are.
pub const SUBSCRIBING: u32 = 1 << 21;
/// Open to clients that have subscribed to something, also with RESP2, where messages look like replies.
pub const FOR_SUBSCRIBERS: u32 = 1 << 22;

/// What COMMAND INFO tells of them, in the order of Redis's replies.
pub const NAMES: [(u32, &str); 19] = [
    (WRITE, "write"),
    (READONLY, "readonly"),
    (DENYOOM, "denyoom"),
    (ADMIN, "admin"),
    (PUBSUB, "pubsub"),
    (NOSCRIPT, "noscript"),
    (BLOCKING, "blocking"),
    (LOADING, "loading"),
    (STALE, "stale"),
    (SKIP_MONITOR, "skip_monitor"),
    (SKIP_SLOWLOG, "skip_slowlog"),
    (ASKING, "asking"),
    (FAST, "fast"),
    (NO_AUTH, "no_auth"),
    (NO_MANDATORY_KEYS, "no_mandatory_keys"),
    (NO_ASYNC_LOADING, "no_async_loading"),
    (NO_MULTI, "no_multi"),
    (MOVABLEKEYS, "movablekeys"),
    (ALLOW_BUSY, "allow_busy"),
];
