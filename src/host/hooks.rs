//! The table of functions that the host program registers.
//!
//! Each hook is kept in an atomic of its own, so that reading one is a single load and replacing the table
//! frees nothing that another thread may be reading.

#![cfg_attr(abi_v1, allow(dead_code))] // Up to redis-7.0 there are no listeners, and nobody asks the hooks about them.

use crate::abi::ae::aeEventLoop;
use crate::abi::connection::{connListener, connection};
use crate::abi::host::*;
use core::ffi::{CStr, c_char, c_int, c_longlong, c_void};
use core::mem::{offset_of, size_of, transmute_copy};
use core::ptr;
use core::sync::atomic::{AtomicBool, AtomicPtr, Ordering::Relaxed};
use nix::errno::Errno;

/// How many pointer-sized members follow `size` in the table.
const MEMBERS: usize = size_of::<libaeHost>() / size_of::<usize>() - 1;

static TABLE: [AtomicPtr<c_void>; MEMBERS] = [const { AtomicPtr::new(ptr::null_mut()) }; MEMBERS];
static ALLOCATED: AtomicBool = AtomicBool::new(false);

/// Reads a member of the table. The type of the result is the member's.
macro_rules! hook {
    ($($member:ident).+) => {{
        let value = TABLE[offset_of!(libaeHost, $($member).+) / size_of::<usize>() - 1].load(Relaxed);
        // Names the member's type without a value of it.
        let typed = |host: &libaeHost| host.$($member).+;
        // SAFETY: `set` stored the bits of this very member there, or NULL, which is None.
        unsafe { as_result_of(typed, &value) }
    }};
}

/// # Safety
/// The bits of `value` are a valid `T`, which is as large as a pointer.
unsafe fn as_result_of<T>(_: impl Fn(&libaeHost) -> T, value: &*mut c_void) -> T {
    const { assert!(size_of::<T>() == size_of::<*mut c_void>()) };
    // SAFETY: these bits are a valid `T`.
    unsafe { transmute_copy(value) }
}

/// Registers the host's table; NULL goes back to the defaults.
///
/// # Safety
/// `table` is NULL or points to `table.size` readable bytes; its functions keep their contracts.
pub(crate) unsafe fn set(table: *const libaeHost) -> Result<(), Errno> {
    let mut members = [ptr::null_mut::<c_void>(); MEMBERS];
    if !table.is_null() {
        // SAFETY: the size is the first member of every version of the table.
        let size = unsafe { (*table).size };
        if size < 2 * size_of::<usize>() || size % size_of::<usize>() != 0 {
            return Err(Errno::EINVAL);
        }
        let count = (size / size_of::<usize>() - 1).min(MEMBERS);
        // SAFETY: a part of its `size` bytes.
        unsafe { ptr::copy_nonoverlapping(table.cast::<*mut c_void>().add(1), members.as_mut_ptr(), count) };
    }
    check_allocator(&members)?;
    for (slot, member) in TABLE.iter().zip(members) {
        slot.store(member, Relaxed);
    }
    Ok(())
}

/// An allocator is whole or absent, and stays once it has been used.
fn check_allocator(members: &[*mut c_void; MEMBERS]) -> Result<(), Errno> {
    let index = |offset: usize| (offset_of!(libaeHost, allocator) + offset) / size_of::<usize>() - 1;
    let needed =
        [offset_of!(libaeAllocator, malloc), offset_of!(libaeAllocator, realloc), offset_of!(libaeAllocator, free)]
            .map(|offset| !members[index(offset)].is_null());
    if needed[1..].iter().any(|set| *set != needed[0]) {
        return Err(Errno::EINVAL);
    }
    let mut own = index(0)..index(size_of::<libaeAllocator>());
    let same = own.all(|member| members[member] == TABLE[member].load(Relaxed));
    if ALLOCATED.load(Relaxed) && !same { Err(Errno::EBUSY) } else { Ok(()) }
}

/// The host's allocator. From now on it cannot change.
pub(crate) fn allocator() -> Option<libaeAllocator> {
    if !ALLOCATED.load(Relaxed) {
        ALLOCATED.store(true, Relaxed);
    }
    let malloc = hook!(allocator.malloc)?;
    Some(libaeAllocator {
        malloc: Some(malloc),
        calloc: hook!(allocator.calloc),
        realloc: hook!(allocator.realloc),
        free: hook!(allocator.free),
        context: hook!(allocator.context),
    })
}

/// The loop that connections register with, if the host says so; it may be NULL.
pub(crate) fn current_loop() -> Option<*mut aeEventLoop> {
    // SAFETY: the host's hooks may be called.
    hook!(current_loop).map(|current_loop| unsafe { current_loop() })
}

/// The hook that takes lines of log.
pub(crate) fn log_hook() -> Option<unsafe extern "C" fn(c_int, *const c_char)> {
    hook!(log)
}

/// The hook that takes accepted connections over.
pub(crate) fn accepted() -> Option<unsafe extern "C" fn(*mut connection, c_int, *mut c_char)> {
    hook!(accepted)
}

/// The hook that opens a TCP listener's sockets.
pub(crate) fn listen() -> Option<unsafe extern "C" fn(*mut connListener) -> c_int> {
    hook!(listen)
}

/// How many connections one call of an accept handler takes, at least 1.
pub(crate) fn accepts_per_call() -> c_int {
    // SAFETY: the host's hooks may be called.
    hook!(accepts_per_call).map_or(LIBAE_ACCEPTS_PER_CALL, |accepts| unsafe { accepts() }).max(1)
}

/// The listen backlog.
pub(crate) fn tcp_backlog() -> c_int {
    // SAFETY: the host's hooks may be called.
    hook!(tcp_backlog).map_or(LIBAE_TCP_BACKLOG, |backlog| unsafe { backlog() })
}

/// Whether TLS clients are asked for a certificate, one of the `LIBAE_TLS_AUTH_CLIENTS_` values.
#[cfg(feature = "tls")]
pub(crate) fn tls_auth_clients() -> Option<c_int> {
    // SAFETY: the host's hooks may be called.
    hook!(tls_auth_clients).map(|auth_clients| unsafe { auth_clients() })
}

/// The configuration of TLS to begin with, NULL for none.
#[cfg(feature = "tls")]
pub(crate) fn tls_context_config() -> *mut c_void {
    // SAFETY: the host's hooks may be called.
    hook!(tls_context_config).map_or(ptr::null_mut(), |config| unsafe { config() })
}

/// How many TLS connections one call of an accept handler takes, at least 1.
#[cfg(feature = "tls")]
pub(crate) fn tls_accepts_per_call() -> c_int {
    let default = crate::abi::profile::TLS_ACCEPTS_PER_CALL;
    // SAFETY: the host's hooks may be called.
    hook!(tls_accepts_per_call).map_or(default, |accepts| unsafe { accepts() }).max(1)
}

/// How many TLS handshakes may be under way on the accepting side, if the host says so.
#[cfg(feature = "tls")]
pub(crate) fn tls_max_handshakes() -> Option<c_int> {
    // SAFETY: the host's hooks may be called.
    hook!(tls_max_handshakes).map(|most| unsafe { most() })
}

/// How many milliseconds a TLS handshake may take (below 0: unlimited), if the host says so.
#[cfg(feature = "tls")]
pub(crate) fn tls_handshake_timeout() -> Option<c_int> {
    // SAFETY: the host's hooks may be called.
    hook!(tls_handshake_timeout).map(|milliseconds| unsafe { milliseconds() })
}

/// Whether to go on without a TLS setting that means nothing.
#[cfg(feature = "tls")]
pub(crate) fn tls_meaningless(setting: &CStr, reason: &CStr) -> bool {
    // SAFETY: the host's hooks may be called.
    hook!(tls_meaningless).is_some_and(|ask| unsafe { ask(setting.as_ptr(), reason.as_ptr()) } != 0)
}

/// The hook that makes strings which the caller of the library will own.
#[cfg(feature = "tls")]
pub(crate) fn new_string() -> Option<unsafe extern "C" fn(*const c_void, usize) -> *mut c_char> {
    hook!(new_string)
}

/// Permission bits for unix sockets, 0 to leave them alone.
pub(crate) fn unix_permissions() -> libc::mode_t {
    // SAFETY: the host's hooks may be called.
    hook!(unix_permissions).map_or(0, |permissions| unsafe { permissions() })
}

/// The group for unix sockets, if any; valid until it is asked for again.
pub(crate) fn unix_group<'a>() -> Option<&'a CStr> {
    let group = hook!(unix_group)?;
    // SAFETY: the host's hooks may be called.
    let group = unsafe { group() };
    // SAFETY: the host returns NULL or a string.
    (!group.is_null()).then(|| unsafe { CStr::from_ptr(group) })
}

/// The size of the host's structure with the configuration of TLS, if the host says so.
#[cfg(feature = "tls")]
pub(crate) fn tls_config_size() -> Option<usize> {
    // SAFETY: the host's hooks may be called.
    hook!(tls_config_size).map(|size| unsafe { size() })
}

/// The path of the host's unix socket, if any; valid until it is asked for again.
#[allow(dead_code)] // This one and those below are asked for by some profiles.
pub(crate) fn unix_socket<'a>() -> Option<&'a CStr> {
    let path = hook!(unix_socket)?;
    // SAFETY: the host's hooks may be called.
    let path = unsafe { path() };
    // SAFETY: the host returns NULL or a string.
    (!path.is_null()).then(|| unsafe { CStr::from_ptr(path) })
}

/// The host's user of that name, NULL when there is none that may log in.
#[cfg(feature = "tls")]
#[allow(dead_code)]
pub(crate) fn enabled_user(name: &CStr) -> *mut c_void {
    let find = hook!(enabled_user);
    // SAFETY: the host's hooks may be called.
    find.map_or(ptr::null_mut(), |find| unsafe { find(name.as_ptr(), name.count_bytes()) })
}

/// Has the host call `tlsConfigureAsync` in another thread; false when it cannot.
#[cfg(feature = "tls")]
#[allow(dead_code)]
pub(crate) fn tls_reload() -> bool {
    // SAFETY: the host's hooks may be called.
    hook!(tls_reload).map(|reload| unsafe { reload() }).is_some()
}

/// Tells the host about a certificate in use, or that there is none.
#[allow(dead_code)]
pub(crate) fn tls_certificate(which: c_int, certificate: Option<(c_longlong, &CStr)>) {
    if let Some(tell) = hook!(tls_certificate) {
        let (expires, serial) = certificate.map_or((0, ptr::null()), |(expires, serial)| (expires, serial.as_ptr()));
        // SAFETY: the host's hooks may be called.
        unsafe { tell(which, expires, serial) };
    }
}
