//! What differs between profiles without the compiler noticing, as constants and adapters for the layers above, which
//! do not know the profiles.

use super::ae::*;
use core::ffi::{c_int, c_longlong, c_void};
use core::mem::transmute;
use core::ptr;

/// How many events a loop has for a set size: as many, or few at first and more when descriptors need them. `now` is
/// how many it has, 0 for a new one.
pub(crate) fn event_count(setsize: usize, now: usize) -> usize {
    const INITIAL: usize = 1024;
    match (cfg!(abi_redis_8), now) {
        (false, _) => setsize,
        (true, 0) => setsize.min(INITIAL),
        (true, _) => setsize.min(now),
    }
}

/// The id of a loop's first time event.
pub(crate) const FIRST_TIME_EVENT_ID: c_longlong = if cfg!(abi_valkey) { 1 } else { 0 };

/// Whether deleting a loop runs the finalizers of the time events that are still registered.
pub(crate) const DELETE_FINALIZES: bool = cfg!(any(abi_redis_8, abi_valkey));

/// Whether TCP sockets that are accepted, or connected at once, send small segments without waiting: valkey-8.1's
/// server no longer asks for it.
pub(crate) const TCP_NO_DELAY: bool = cfg!(abi_valkey_8_1);

/// Whether a blocking connect whose time is over leaves its descriptor to the connection's close.
pub(crate) const TIMED_OUT_CONNECT_KEEPS_FD: bool = cfg!(abi_valkey_9_1);

/// Whether the socket of `anetUnixServer` is non-blocking.
pub(crate) const UNIX_SERVER_DOES_NOT_BLOCK: bool = cfg!(abi_valkey_8_1);

/// Whether accepted sockets are non-blocking and close-on-exec: up to redis-6.2 they are neither.
pub(crate) const ACCEPTED_IS_SAFE: bool = !cfg!(abi_redis_6_2);

/// Whether sockets that connect are close-on-exec: in Valkey, not in Redis.
pub(crate) const CONNECTING_CLOSES_ON_EXEC: bool = cfg!(abi_valkey);

/// Whether the socket of `anetUnixServer` is close-on-exec; those of `anetTcpServer` and its like are nowhere.
pub(crate) const UNIX_LISTENING_CLOSES_ON_EXEC: bool = UNIX_SERVER_DOES_NOT_BLOCK;

/// Whether the last argument of `anetFdToString` and its like asks for the remote end: up to redis-7.0 it is 0
/// for that, later 1.
pub(crate) const fn asks_for_remote(argument: c_int) -> bool {
    (argument == 0) == cfg!(abi_v1)
}

/// How many TLS connections an accept handler takes at once when the host does not say: handshakes cost so much that
/// the newer servers take them one by one.
#[cfg(feature = "tls")]
pub(crate) const TLS_ACCEPTS_PER_CALL: c_int =
    if cfg!(any(abi_redis_8, abi_valkey)) { 1 } else { super::host::LIBAE_ACCEPTS_PER_CALL };

/// Whether a server of upstream's has changed certificates and keys read anew.
#[cfg(feature = "tls")]
pub(crate) const RELOADS_TLS: bool = cfg!(abi_valkey_9_1);

/// What a time event's function returns to run again after that many milliseconds.
pub(crate) fn run_again(milliseconds: c_longlong) -> AeTimeResult {
    milliseconds.clamp(0, AeTimeResult::MAX as c_longlong) as AeTimeResult
}

/// What a time event's function returns to be deleted.
pub(crate) const DO_NOT_RUN_AGAIN: AeTimeResult = AE_NOMORE as AeTimeResult;

impl aeEventLoop {
    /// A loop without events.
    pub(crate) fn new(setsize: c_int, apidata: *mut c_void) -> Self {
        Self {
            maxfd: -1,
            setsize,
            timeEventNextId: FIRST_TIME_EVENT_ID,
            #[cfg(abi_redis_8)]
            nevents: 0,
            events: ptr::null_mut(),
            fired: ptr::null_mut(),
            timeEventHead: ptr::null_mut(),
            stop: 0,
            apidata,
            beforesleep: ptr::null_mut(),
            aftersleep: ptr::null_mut(),
            #[cfg(abi_valkey)]
            custompoll: ptr::null_mut(),
            #[cfg(abi_valkey)]
            poll_mutex: libc::PTHREAD_MUTEX_INITIALIZER,
            flags: 0,
            #[cfg(abi_redis_8)]
            privdata: [ptr::null_mut(); 2],
        }
    }
}

/// Stores where the events are and how many.
///
/// # Safety
/// `el` is a live loop. (No reference to it is made: another thread may be stopping it.)
pub(crate) unsafe fn set_events(el: *mut aeEventLoop, events: *mut aeFileEvent, count: usize) {
    // SAFETY: a live loop.
    unsafe { (*el).events = events };
    #[cfg(abi_redis_8)]
    // SAFETY: as above.
    unsafe {
        (*el).nevents = count as c_int;
    }
    let _ = count;
}

/// The mutex of a loop's polls, where loops have one.
///
/// # Safety
/// `el` is a live loop.
pub(crate) unsafe fn poll_mutex(el: *mut aeEventLoop) -> Option<*mut libc::pthread_mutex_t> {
    #[cfg(abi_valkey)]
    // SAFETY: a live loop; no reference is made.
    return Some(unsafe { &raw mut (*el).poll_mutex });
    #[cfg(not(abi_valkey))]
    {
        let _ = el;
        None
    }
}

/// Whether another thread may poll the loop.
///
/// # Safety
/// `el` is a live loop.
pub(crate) unsafe fn is_poll_protected(el: *mut aeEventLoop) -> bool {
    #[cfg(abi_valkey)]
    // SAFETY: a live loop.
    return unsafe { (*el).flags & AE_PROTECT_POLL != 0 };
    #[cfg(not(abi_valkey))]
    {
        let _ = el;
        false
    }
}

/// The loop's own function to poll, if it has one.
///
/// # Safety
/// `el` is a live loop; its custom poll is NULL or an `aeCustomPollProc`.
pub(crate) unsafe fn custom_poll(el: *mut aeEventLoop) -> Option<unsafe extern "C" fn(*mut aeEventLoop) -> c_int> {
    #[cfg(abi_valkey)]
    // SAFETY: a live loop; the opaque pointer is NULL or a function of that type.
    return unsafe {
        let proc = (*el).custompoll;
        (!proc.is_null()).then(|| transmute::<*mut aeCustomPollProc, AeCustomPollProc>(proc))
    };
    #[cfg(not(abi_valkey))]
    {
        let _ = el;
        None
    }
}

/// Calls a time event's function.
///
/// # Safety
/// `proc` is an `aeTimeProc` that may be called with the other arguments.
pub(crate) unsafe fn call_time_proc(
    proc: *mut aeTimeProc,
    el: *mut aeEventLoop,
    id: c_longlong,
    data: *mut c_void,
) -> c_longlong {
    // SAFETY: an `aeTimeProc` that may be called with the arguments.
    let again: AeTimeResult = unsafe { transmute::<*mut aeTimeProc, AeTimeProc>(proc)(el, id, data) };
    #[allow(clippy::useless_conversion)] // In some profiles it is one.
    again.into()
}

/// Calls the loop's after-sleep hook, if it has one.
///
/// # Safety
/// `el` is a live loop; its hook may be called with it.
pub(crate) unsafe fn call_after_sleep(el: *mut aeEventLoop, fired: c_int) {
    // SAFETY: a live loop; the opaque pointer is NULL or a function of that type.
    unsafe {
        let proc = (*el).aftersleep;
        if proc.is_null() {
            return;
        }
        #[cfg(not(abi_valkey))]
        {
            let _ = fired;
            transmute::<*mut aeBeforeSleepProc, AeBeforeSleepProc>(proc)(el);
        }
        #[cfg(abi_valkey)]
        transmute::<*mut aeAfterSleepProc, AeAfterSleepProc>(proc)(el, fired);
    }
}

/// A function for [`set_after_sleep`].
pub(crate) trait SleepHook {
    /// Called after the loop slept.
    ///
    /// # Safety
    /// `el` is the live loop whose hook this is, in its thread.
    unsafe fn call(el: *mut aeEventLoop);
}

/// Makes `H` the loop's after-sleep hook.
///
/// # Safety
/// As for [`set_events`].
pub(crate) unsafe fn set_after_sleep<H: SleepHook>(el: *mut aeEventLoop) {
    #[cfg(not(abi_valkey))]
    {
        unsafe extern "C" fn hook<H: SleepHook>(el: *mut aeEventLoop) {
            // SAFETY: the loop calls its hook.
            unsafe { H::call(el) }
        }
        // SAFETY: a live loop.
        unsafe { (*el).aftersleep = hook::<H> as AeBeforeSleepProc as *mut aeBeforeSleepProc };
    }
    #[cfg(abi_valkey)]
    {
        unsafe extern "C" fn hook<H: SleepHook>(el: *mut aeEventLoop, _fired: c_int) {
            // SAFETY: the loop calls its hook.
            unsafe { H::call(el) }
        }
        // SAFETY: a live loop.
        unsafe { (*el).aftersleep = hook::<H> as AeAfterSleepProc as *mut aeAfterSleepProc };
    }
}
