//! The registered connection types.

#[cfg(feature = "tls")]
use super::types::TLS;
use super::types::{TCP, UNIX};
use crate::abi::connection::{CONN_TYPE_MAX, ConnectionType};
use crate::abi::host::{LIBAE_LOG_VERBOSE, LIBAE_LOG_WARNING};
use crate::abi::type_identity::{Identity, identity};
use crate::event_loop::Loop;
use crate::host::log;
use crate::sys::Errno;
use crate::sys::shared::Shared;
use core::ffi::{CStr, c_int};
use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering::Acquire, Ordering::Release};

/// Filled from the front, or where the types say; entries are never removed, and read without the lock.
static TYPES: [AtomicPtr<ConnectionType>; CONN_TYPE_MAX] = [const { AtomicPtr::new(ptr::null_mut()) }; CONN_TYPE_MAX];
static REGISTERING: Shared<()> = Shared::new(());

fn registered() -> impl Iterator<Item = *mut ConnectionType> {
    TYPES.iter().map(|entry| entry.load(Acquire)).filter(|ct| !ct.is_null())
}

/// Registers a type and initialises it.
///
/// # Safety
/// `ct` is a connection type that stays.
pub(crate) unsafe fn register(ct: *mut ConnectionType) -> Result<(), Errno> {
    // SAFETY: a type that stays.
    let (Identity { name, place }, init) = unsafe { (identity(ct).ok_or(Errno::EINVAL)?, (*ct).init) };
    // The hook may call us: never with the lock held.
    add(ct, name, place).inspect_err(|errno| {
        if *errno == Errno::EEXIST {
            log(LIBAE_LOG_WARNING, format_args!("Connection types {} already registered", name.to_string_lossy()));
        }
    })?;
    log(LIBAE_LOG_VERBOSE, format_args!("Connection type {} registered", name.to_string_lossy()));
    if let Some(init) = init {
        // SAFETY: the type's own, which takes nothing.
        unsafe { init() };
    }
    Ok(())
}

/// Adds a type to the table: `EEXIST` when the name or its place is taken, `ENOSPC` when the table is full.
fn add(ct: *mut ConnectionType, name: &CStr, place: Option<usize>) -> Result<(), Errno> {
    let is_free = |entry: &&AtomicPtr<ConnectionType>| entry.load(Acquire).is_null();
    REGISTERING.with(|()| {
        if by_name(name).is_some() {
            return Err(Errno::EEXIST);
        }
        let free = match place {
            Some(place) => TYPES.get(place),
            None => TYPES.iter().find(is_free),
        };
        free.ok_or(Errno::ENOSPC)?.store(ct, Release);
        Ok(())
    })
}

/// Registers the "tcp" type.
pub(crate) fn register_socket() -> Result<(), Errno> {
    // SAFETY: it stays.
    unsafe { register(ptr::from_ref(&TCP).cast_mut()) }
}

/// Registers the "unix" type.
pub(crate) fn register_unix() -> Result<(), Errno> {
    // SAFETY: it stays.
    unsafe { register(ptr::from_ref(&UNIX).cast_mut()) }
}

/// Registers the "tls" type.
#[cfg(feature = "tls")]
pub(crate) fn register_tls() -> Result<(), Errno> {
    register_once(&TLS)
}

/// Registers the built-in types that are not yet, except TLS.
pub(crate) fn register_builtin() -> Result<(), Errno> {
    register_once(&TCP)?;
    register_once(&UNIX)
}

fn register_once(ct: &'static ConnectionType) -> Result<(), Errno> {
    let is_there = || registered().any(|other| ptr::eq(other, ct));
    if is_there() {
        return Ok(());
    }
    // SAFETY: it stays.
    match unsafe { register(ptr::from_ref(ct).cast_mut()) } {
        // Another thread was faster.
        Err(Errno::EEXIST) if is_there() => Ok(()),
        result => result,
    }
}

/// The type of that name, whatever its case, and its index.
pub(crate) fn by_name(wanted: &CStr) -> Option<(c_int, *mut ConnectionType)> {
    let same = |ct: *mut ConnectionType| {
        // SAFETY: registered types stay.
        unsafe { identity(ct) }.is_some_and(|ct| ct.name.to_bytes().eq_ignore_ascii_case(wanted.to_bytes()))
    };
    (0..).zip(registered()).find(|(_, ct)| same(*ct))
}

/// The type in that place of the table.
#[allow(dead_code)] // Asked for where types have numbers.
pub(crate) fn by_place(place: usize) -> Option<*mut ConnectionType> {
    TYPES.get(place).map(|entry| entry.load(Acquire)).filter(|ct| !ct.is_null())
}

fn named(name: &CStr) -> *mut ConnectionType {
    by_name(name).map_or(ptr::null_mut(), |(_, ct)| ct)
}

/// The registered "tcp" type, or NULL.
pub(crate) fn tcp() -> *mut ConnectionType {
    named(c"tcp")
}

/// The registered "unix" type, or NULL.
pub(crate) fn unix() -> *mut ConnectionType {
    named(c"unix")
}

/// The registered "tls" type, or NULL.
pub(crate) fn tls() -> *mut ConnectionType {
    named(c"tls")
}

/// Lets every type clean up.
pub(crate) fn cleanup_all() {
    for ct in registered() {
        // SAFETY: registered types stay.
        if let Some(cleanup) = unsafe { (*ct).cleanup } {
            // SAFETY: the type's own, which takes nothing.
            unsafe { cleanup() };
        }
    }
}

/// Whether a type holds data that the kernel no longer reports; of that loop's connections, where they know theirs.
pub(crate) fn has_pending_data(el: Option<Loop>) -> bool {
    let el = el.map_or(ptr::null_mut(), Loop::as_ptr);
    // SAFETY: registered types stay; their function takes NULL or a live loop, if any.
    registered().any(|ct| unsafe { (*ct).call_has_pending_data(el) != 0 })
}

/// Runs the handlers of connections with such data; returns how many.
pub(crate) fn process_pending_data(el: Option<Loop>) -> c_int {
    let el = el.map_or(ptr::null_mut(), Loop::as_ptr);
    // SAFETY: registered types stay; their function takes NULL or a live loop, if any.
    registered().map(|ct| unsafe { (*ct).call_process_pending_data(el) }).sum()
}
