//! Types and constants of `ae.h`.
//!
//! Upstream's callback types are function types (`aeFileProc *proc`), which Rust lacks. Each is an empty
//! struct here, so that `*mut aeFileProc` is written as upstream writes it, with a function pointer type of
//! the same name in Rust's spelling beside it to call through.

use core::ffi::{c_int, c_longlong, c_void};

/// Success.
pub const AE_OK: c_int = 0;
/// Failure; `errno` says why.
pub const AE_ERR: c_int = -1;

/// No event registered.
pub const AE_NONE: c_int = 0;
/// Fire when the descriptor is readable.
pub const AE_READABLE: c_int = 1;
/// Fire when the descriptor is writable.
pub const AE_WRITABLE: c_int = 2;
/// With `AE_WRITABLE`: never fire writable after readable in one iteration, but before it.
pub const AE_BARRIER: c_int = 4;
/// The descriptor is served before others, and looked at again while many others are served. The value of Valkey's
/// development line.
pub const AE_HIGH_PRIORITY: c_int = 8;

/// `aeProcessEvents`: process file events.
pub const AE_FILE_EVENTS: c_int = 1;
/// `aeProcessEvents`: process time events.
pub const AE_TIME_EVENTS: c_int = 2;
/// `aeProcessEvents`: process file and time events.
pub const AE_ALL_EVENTS: c_int = 3;
/// `aeProcessEvents`: return once what can be processed without waiting has been.
pub const AE_DONT_WAIT: c_int = 4;
/// `aeProcessEvents`: call the before-sleep hook.
pub const AE_CALL_BEFORE_SLEEP: c_int = 8;
/// `aeProcessEvents`: call the after-sleep hook.
pub const AE_CALL_AFTER_SLEEP: c_int = 16;
/// `aeEventLoop.flags`: another thread may poll; set by `aeSetPollProtect`.
#[cfg(abi_valkey)]
pub const AE_PROTECT_POLL: c_int = 32;

/// Returned by a time event's callback that should not run again.
pub const AE_NOMORE: c_int = -1;
/// The id that a deleted time event carries until it is freed.
pub const AE_DELETED_EVENT_ID: c_int = -1;

/// Monotonic time in microseconds.
pub type monotime = u64;

/// Stands for the C function type `aeFileProc`; see [`AeFileProc`].
#[repr(C)]
pub struct aeFileProc {
    _opaque: [u8; 0],
}

/// Stands for the C function type `aeTimeProc`; see [`AeTimeProc`].
#[repr(C)]
pub struct aeTimeProc {
    _opaque: [u8; 0],
}

/// Stands for the C function type `aeEventFinalizerProc`; see [`AeEventFinalizerProc`].
#[repr(C)]
pub struct aeEventFinalizerProc {
    _opaque: [u8; 0],
}

/// Stands for the C function type `aeBeforeSleepProc`; see [`AeBeforeSleepProc`].
#[repr(C)]
pub struct aeBeforeSleepProc {
    _opaque: [u8; 0],
}

/// Stands for the C function type `aeAfterSleepProc`; see [`AeAfterSleepProc`].
#[cfg(abi_valkey)]
#[repr(C)]
pub struct aeAfterSleepProc {
    _opaque: [u8; 0],
}

/// Stands for the C function type `aeCustomPollProc`; see [`AeCustomPollProc`].
#[cfg(abi_valkey)]
#[repr(C)]
pub struct aeCustomPollProc {
    _opaque: [u8; 0],
}

/// A file event's callback: the loop, the descriptor, the client data, the events that fired.
pub type AeFileProc = unsafe extern "C" fn(*mut aeEventLoop, c_int, *mut c_void, c_int);
/// What a time event's callback returns.
#[cfg(not(abi_valkey_8_1))]
pub type AeTimeResult = c_int;
/// What a time event's callback returns.
#[cfg(abi_valkey_8_1)]
pub type AeTimeResult = c_longlong;
/// A time event's callback; returns milliseconds until the next run, or `AE_NOMORE`.
pub type AeTimeProc = unsafe extern "C" fn(*mut aeEventLoop, c_longlong, *mut c_void) -> AeTimeResult;
/// Called once when a deleted time event is freed.
pub type AeEventFinalizerProc = unsafe extern "C" fn(*mut aeEventLoop, *mut c_void);
/// Called before the loop sleeps, or after it wakes.
pub type AeBeforeSleepProc = unsafe extern "C" fn(*mut aeEventLoop);
/// Called after the loop slept, with how many descriptors fired.
#[cfg(abi_valkey)]
pub type AeAfterSleepProc = unsafe extern "C" fn(*mut aeEventLoop, c_int);
/// Polls in place of the loop; returns how many descriptors fired.
#[cfg(abi_valkey)]
pub type AeCustomPollProc = unsafe extern "C" fn(*mut aeEventLoop) -> c_int;

/// A registered file event, found under its descriptor in `aeEventLoop.events`.
#[repr(C)]
pub struct aeFileEvent {
    /// Any of `AE_READABLE`, `AE_WRITABLE`, `AE_BARRIER` and `AE_HIGH_PRIORITY`.
    pub mask: c_int,
    /// Called when readable.
    pub rfileProc: *mut aeFileProc,
    /// Called when writable.
    pub wfileProc: *mut aeFileProc,
    /// Passed to both.
    pub clientData: *mut c_void,
}

/// A time event.
#[repr(C)]
pub struct aeTimeEvent {
    /// The event's identifier, or `AE_DELETED_EVENT_ID`.
    pub id: c_longlong,
    /// The deadline, in microseconds of the monotonic clock.
    pub when: monotime,
    /// Called at the deadline.
    pub timeProc: *mut aeTimeProc,
    /// Called when the event is freed, may be NULL.
    pub finalizerProc: *mut aeEventFinalizerProc,
    /// Passed to both.
    pub clientData: *mut c_void,
    /// The event created next, or NULL.
    pub prev: *mut aeTimeEvent,
    /// The event created before, or NULL.
    pub next: *mut aeTimeEvent,
    /// How many calls of `timeProc` are running; the event is freed at 0 only.
    pub refcount: c_int,
}

/// A descriptor that fired, and the events that did.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct aeFiredEvent {
    /// The descriptor.
    pub fd: c_int,
    /// Any of `AE_READABLE` and `AE_WRITABLE`.
    pub mask: c_int,
}

/// An event loop.
#[repr(C)]
pub struct aeEventLoop {
    /// The highest descriptor registered, -1 when there is none.
    pub maxfd: c_int,
    /// Descriptors from 0 to `setsize - 1` can be registered.
    pub setsize: c_int,
    /// The id that the next time event gets.
    pub timeEventNextId: c_longlong,
    /// How many elements `events` has: fewer than `setsize` as long as no more are needed.
    #[cfg(abi_redis_8)]
    pub nevents: c_int,
    /// The registered events, each under its descriptor.
    pub events: *mut aeFileEvent,
    /// Where the backend puts what fired.
    pub fired: *mut aeFiredEvent,
    /// The newest time event.
    pub timeEventHead: *mut aeTimeEvent,
    /// Non-zero ends `aeMain`.
    pub stop: c_int,
    /// The library's own state.
    pub apidata: *mut c_void,
    /// Called before the loop sleeps, may be NULL.
    pub beforesleep: *mut aeBeforeSleepProc,
    /// Called after the loop slept, may be NULL.
    #[cfg(not(abi_valkey))]
    pub aftersleep: *mut aeBeforeSleepProc,
    /// Called after the loop slept, may be NULL.
    #[cfg(abi_valkey)]
    pub aftersleep: *mut aeAfterSleepProc,
    /// Polls in place of the loop, may be NULL.
    #[cfg(abi_valkey)]
    pub custompoll: *mut aeCustomPollProc,
    /// Held by whoever polls or changes events while `AE_PROTECT_POLL` is set.
    #[cfg(abi_valkey)]
    pub poll_mutex: libc::pthread_mutex_t,
    /// Flags of `aeProcessEvents` that always hold: `AE_DONT_WAIT`.
    pub flags: c_int,
    /// The program's own; the library never reads them.
    #[cfg(abi_redis_8)]
    pub privdata: [*mut c_void; 2],
}
