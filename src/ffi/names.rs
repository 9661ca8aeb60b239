//! `libae.h`: names resolved, and connected to, while the loop goes on.

use super::args::{call, event_loop, non_null, string};
use crate::abi::ae::{AE_ERR, AE_OK, aeEventLoop};
use crate::abi::embedding::{LibaeConnectProc, LibaeResolveProc, libaeConnectProc, libaeResolveProc, libaeResolved};
use crate::anet::{self, KeptOptions};
use crate::connection::connect_by_name;
use crate::event_loop::{self as core_loop, Asker, Loop, Outcome, Request};
use crate::sys::resolve::{Found, Query, ResolveError};
use crate::sys::text::{IP_TEXT_LEN, Text};
use core::ffi::{c_char, c_int, c_longlong, c_void};
use core::mem::transmute;
use core::ptr;
use nix::errno::Errno;

/// Looks up the addresses of a host without stopping the loop, in a thread of the library's own, and has the loop call
/// `proc` once with what comes out: never before this returns, and as soon as it next processes file events. `family`
/// is `AF_INET`, `AF_INET6`, or `AF_UNSPEC` for both. The addresses are in the order in which the system prefers them;
/// an IPv6 address has no zone (`%eth0`) in its text.
///
/// There are at most `LIBAE_RESOLVE_THREADS` threads in the process, none when there is nothing to look up, and they
/// get no signals. A numeric address needs none. If the loop is freed first, `proc` is called with `ECANCELED` by the
/// thread that frees it; it must not use the loop's functions then, except to read its data. In the child of a fork
/// nothing comes of what the parent has asked for.
///
/// Returns a number above 0 for `libaeCancel`; `AE_ERR` with errno `EINVAL` (NULL loop, `name` or `proc`),
/// `EAFNOSUPPORT` (another family), `EAGAIN` (`LIBAE_RESOLVE_MAX` names wait already, or there can be no thread),
/// `ENOMEM`, `ECANCELED` (the loop is being freed), or as `aeWakeup`.
///
/// # Safety
/// `eventLoop` is NULL or a live loop of this thread; `name` is NULL or a string; `proc` may be called with
/// `clientData`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libaeResolve(
    eventLoop: *mut aeEventLoop,
    name: *const c_char,
    family: c_int,
    proc: *mut libaeResolveProc,
    clientData: *mut c_void,
) -> c_longlong {
    call(AE_ERR.into(), || {
        // SAFETY: NULL or a live loop; NULL or a string.
        let (el, name, proc) = unsafe { (event_loop(eventLoop)?, string(name)?, non_null(proc)?) };
        if ![libc::AF_UNSPEC, libc::AF_INET, libc::AF_INET6].contains(&family) {
            return Err(Errno::EAFNOSUPPORT);
        }
        let asker = Asker { proc: proc.cast(), data: clientData };
        let query = Query { family, ..Query::default() };
        // SAFETY: the function may be called with the data.
        unsafe { core_loop::resolve(el, name.into(), None, query, Request { done: resolved, forget, asker }) }
    })
}

unsafe fn forget(_el: Loop, _asker: Asker) {}

unsafe fn resolved(el: Loop, asker: Asker, outcome: Outcome) {
    match outcome.and_then(texts) {
        Ok(texts) => tell_addresses(el, asker, &texts),
        Err(error) => tell_failure(el, asker, error),
    }
}

/// The addresses as text.
fn texts(found: Vec<Found>) -> Result<Vec<Text<IP_TEXT_LEN>>, ResolveError> {
    let mut texts = Vec::new();
    texts.try_reserve_exact(found.len()).map_err(|_| ResolveError::system(Errno::ENOMEM))?;
    texts.extend(found.iter().map(|found| found.address.ip()));
    Ok(texts)
}

fn tell_addresses(el: Loop, asker: Asker, texts: &[Text<IP_TEXT_LEN>]) {
    let mut addresses = Vec::new();
    if addresses.try_reserve_exact(texts.len() + 1).is_err() {
        return tell_failure(el, asker, ResolveError::system(Errno::ENOMEM));
    }
    addresses.extend(texts.iter().map(|text| text.as_c_str().as_ptr()));
    addresses.push(ptr::null());
    tell(
        el,
        asker,
        &libaeResolved { error: 0, count: texts.len() as c_int, addresses: addresses.as_ptr(), text: c"".as_ptr() },
    );
}

fn tell_failure(el: Loop, asker: Asker, error: ResolveError) {
    let text = Text::<256>::new(format_args!("{}", anet::Error::from(error)));
    let (none, text) = ([ptr::null()], text.as_c_str().as_ptr());
    tell(el, asker, &libaeResolved { error: error.errno as c_int, count: 0, addresses: none.as_ptr(), text });
}

fn tell(el: Loop, asker: Asker, resolved: &libaeResolved) {
    // SAFETY: the asker's function is one of that type, which may be called with its data; no reference into the loop
    // is alive.
    unsafe { transmute::<*mut c_void, LibaeResolveProc>(asker.proc)(el.as_ptr(), resolved, asker.data) };
}

/// Connects to a port of a host without stopping the loop: looks up its addresses as `libaeResolve` does, and tries one
/// after the other, each in its time, until one accepts. Then the loop calls `proc` once with the connected socket,
/// which is non-blocking and the program's from then on; or, when there is none, with -1, an errno and the reason as
/// text, those of the last address. It is never called before this returns. While it connects, a socket below the set
/// size is watched for writable. There is no limit in time but the system's: a time event that calls `libaeCancel` sets
/// one.
///
/// If the loop is freed first, `proc` is called with -1 and `ECANCELED`, as `libaeResolve` says.
///
/// Returns a number above 0 for `libaeCancel`; `AE_ERR` with errno `EINVAL` (NULL loop, `name` or `proc`, no port), or
/// as `libaeResolve`.
///
/// # Safety
/// As for `libaeResolve`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libaeConnectName(
    eventLoop: *mut aeEventLoop,
    name: *const c_char,
    port: c_int,
    proc: *mut libaeConnectProc,
    clientData: *mut c_void,
) -> c_longlong {
    call(AE_ERR.into(), || {
        // SAFETY: NULL or a live loop; NULL or a string.
        let (el, name, proc) = unsafe { (event_loop(eventLoop)?, string(name)?, non_null(proc)?) };
        let port = u16::try_from(port).map_err(|_| Errno::EINVAL)?;
        let asker = Asker { proc: proc.cast(), data: clientData };
        let options = KeptOptions::new(&anet::without_options()).map_err(|error| error.errno())?;
        // SAFETY: the function may be called with the data.
        unsafe { connect_by_name(el, name.into(), port, options, connected, forget, asker) }
    })
}

unsafe fn connected(el: Loop, asker: Asker, result: Result<c_int, anet::Error>) {
    let text = match &result {
        Ok(_) => Text::<256>::new(format_args!("")),
        Err(error) => Text::<256>::new(format_args!("{error}")),
    };
    let (fd, error) = result.map_or_else(|error| (-1, error.errno() as c_int), |fd| (fd, 0));
    let text = text.as_c_str().as_ptr();
    // SAFETY: the asker's function is one of that type, which may be called with its data; no reference into the loop
    // is alive.
    unsafe { transmute::<*mut c_void, LibaeConnectProc>(asker.proc)(el.as_ptr(), fd, error, text, asker.data) };
}

/// Cancels what `libaeResolve` or `libaeConnectName` was asked for: its `proc` is not called, and a socket that was
/// connecting is closed. A thread that is looking the name up goes on until the system's resolver gives up.
///
/// Returns `AE_OK`; `AE_ERR` with errno `EINVAL` (NULL loop) or `ENOENT` (it has ended, or is another loop's).
///
/// # Safety
/// `eventLoop` is NULL or a live loop of this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libaeCancel(eventLoop: *mut aeEventLoop, id: c_longlong) -> c_int {
    call(AE_ERR, || {
        // SAFETY: NULL or a live loop.
        core_loop::cancel(unsafe { event_loop(eventLoop) }?, id).map(|()| AE_OK)
    })
}
