//! What is known to break the rules of the house, and is to be mended. An entry that is no longer needed fails the test.

/// Files that import each other in a circle: the package's folder, and their paths from its `src`.
pub const CIRCLES: [(&str, &[&str]); 7] = [
    ("", &["abi/connection.rs", "abi/connection_v1.rs", "abi/connection_v2.rs", "abi/type_identity.rs"]),
    ("", &["connection/home.rs", "connection/mod.rs"]),
    (
        "",
        &[
            "connection/tls/announce.rs",
            "connection/tls/context.rs",
            "connection/tls/data.rs",
            "connection/tls/events.rs",
            "connection/tls/handshake.rs",
            "connection/tls/limits.rs",
            "connection/tls/mod.rs",
            "connection/tls/pending.rs",
            "connection/tls/reload.rs",
            "connection/tls/upstream.rs",
        ],
    ),
    ("", &["connection/tls/settings.rs", "connection/tls/suites.rs"]),
    (
        "",
        &[
            "event_loop/backend/epoll.rs",
            "event_loop/backend/kqueue.rs",
            "event_loop/backend/mod.rs",
            "event_loop/backend/poll.rs",
            "event_loop/backend/select.rs",
        ],
    ),
    (
        "",
        &[
            "event_loop/calls.rs",
            "event_loop/file_events.rs",
            "event_loop/mod.rs",
            "event_loop/polling.rs",
            "event_loop/slots.rs",
            "event_loop/threads.rs",
            "event_loop/time_events.rs",
        ],
    ),
    (
        "crates/ae-server",
        &[
            "clients.rs",
            "commands/client.rs",
            "commands/command.rs",
            "commands/config.rs",
            "commands/connection.rs",
            "commands/expire.rs",
            "commands/info.rs",
            "commands/keys.rs",
            "commands/mod.rs",
            "commands/numbers.rs",
            "commands/scan.rs",
            "commands/server.rs",
            "commands/set.rs",
            "commands/strings.rs",
            "config/mod.rs",
            "config/tls.rs",
            "config/values.rs",
            "dispatch.rs",
            "lib.rs",
            "net.rs",
            "net/idle.rs",
            "options.rs",
            "server.rs",
        ],
    ),
];

/// Files `mod.rs` that do work.
pub const WORKING_MODS: [&str; 11] = [
    "src/anet/mod.rs",
    "src/connection/mod.rs",
    "src/connection/tls/mod.rs",
    "src/event_loop/backend/mod.rs",
    "src/event_loop/mod.rs",
    "src/ffi/anet/mod.rs",
    "src/ffi/connection/mod.rs",
    "src/rust/mod.rs",
    "src/sys/mod.rs",
    "crates/ae-server/src/commands/mod.rs",
    "crates/ae-server/src/config/mod.rs",
];

/// Files `x.rs` beside a folder `x`.
pub const BESIDE_THEIR_FOLDERS: [&str; 2] = ["crates/ae-server/src/long_double.rs", "crates/ae-server/src/net.rs"];
