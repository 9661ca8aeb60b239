//! Every offset and size of the profile, asserted when the crate is compiled (64-bit only: the facts were
//! measured there).

#![cfg(target_pointer_width = "64")]

use super::ae::*;
use super::connection::*;
use core::mem::{offset_of, size_of};
use static_assertions::const_assert_eq;

/// `layout!(type, size, { field: offset, ... })`
macro_rules! layout {
    ($type:ty, $size:expr, { $($field:tt: $offset:expr),* $(,)? }) => {
        const_assert_eq!(size_of::<$type>(), $size);
        $(const_assert_eq!(offset_of!($type, $field), $offset);)*
    };
}

layout!(aeFileEvent, 32, {
    mask: 0,
    rfileProc: 8,
    wfileProc: 16,
    clientData: 24,
});

layout!(aeFiredEvent, 8, {
    fd: 0,
    mask: 4,
});

layout!(aeTimeEvent, 64, {
    id: 0,
    when: 8,
    timeProc: 16,
    finalizerProc: 24,
    clientData: 32,
    prev: 40,
    next: 48,
    refcount: 56,
});

layout!(aeEventLoop, 80, {
    maxfd: 0,
    setsize: 4,
    timeEventNextId: 8,
    events: 16,
    fired: 24,
    timeEventHead: 32,
    stop: 40,
    apidata: 48,
    beforesleep: 56,
    aftersleep: 64,
    flags: 72,
});

layout!(connection, 64, {
    r#type: 0,
    state: 8,
    last_errno: 12,
    fd: 16,
    flags: 20,
    refs: 22,
    iovcnt: 24,
    private_data: 32,
    conn_handler: 40,
    write_handler: 48,
    read_handler: 56,
});

layout!(ConnectionType, 224, {
    get_type: 0,
    init: 8,
    cleanup: 16,
    configure: 24,
    ae_handler: 32,
    accept_handler: 40,
    addr: 48,
    is_local: 56,
    listen: 64,
    conn_create: 72,
    conn_create_accepted: 80,
    shutdown: 88,
    close: 96,
    connect: 104,
    blocking_connect: 112,
    accept: 120,
    write: 128,
    writev: 136,
    read: 144,
    set_write_handler: 152,
    set_read_handler: 160,
    get_last_error: 168,
    sync_write: 176,
    sync_read: 184,
    sync_readline: 192,
    has_pending_data: 200,
    process_pending_data: 208,
    get_peer_cert: 216,
});

layout!(connListener, 104, {
    fd: 0,
    count: 64,
    bindaddr: 72,
    bindaddr_count: 80,
    port: 84,
    ct: 88,
    r#priv: 96,
});
