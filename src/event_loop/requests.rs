//! What a loop has been asked for and tells later: names, and connections to them. Whoever asks gets a number, by which
//! it can be cancelled.

use super::handle::Loop;
use super::resolver::{self, Name, Outcome};
use crate::sys::Errno;
use crate::sys::resolve::{Query, ResolveError};
use core::cell::Cell;
use core::ffi::c_void;
use core::sync::atomic::Ordering::Relaxed;
use std::ffi::CString;

/// Who asked.
#[derive(Clone, Copy)]
pub(crate) struct Asker {
    /// What is to be called in the end; known to [`Request::done`].
    pub(crate) proc: *mut c_void,
    pub(crate) data: *mut c_void,
}

/// What is done at the end of a request, one of the two, once.
#[derive(Clone, Copy)]
pub(crate) struct Request {
    /// Tells what came out; `ECANCELED` when the loop is being freed.
    pub(crate) done: unsafe fn(Loop, Asker, Outcome),
    /// Lets go of it: it has been cancelled.
    pub(crate) forget: unsafe fn(Loop, Asker),
    pub(crate) asker: Asker,
}

/// A loop's requests.
#[derive(Default)]
pub(super) struct Requests(Cell<Vec<(i64, Request)>>);

impl Requests {
    /// Nobody is called in `body`.
    fn with<R>(&self, body: impl FnOnce(&mut Vec<(i64, Request)>) -> R) -> R {
        let mut requests = self.0.take();
        let result = body(&mut requests);
        self.0.set(requests);
        result
    }

    fn take(&self, id: i64) -> Option<Request> {
        self.with(|requests| {
            let index = requests.iter().position(|(asked, _)| *asked == id)?;
            Some(requests.swap_remove(index).1)
        })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.with(|requests| requests.is_empty())
    }
}

/// Has a name resolved, and `request.done` called in the loop with what comes out. Returns a number for [`cancel`].
/// Addresses are told in the same way, but need no thread.
///
/// # Safety
/// The functions of the request may be called with its asker.
pub(crate) unsafe fn resolve(
    el: Loop,
    name: CString,
    port: Option<u16>,
    query: Query,
    request: Request,
) -> Result<i64, Errno> {
    let (number, waker) = (el.number(), el.state().wakeup.waker(el.unwatched_number())?);
    let id = resolver::next_id();
    // SAFETY: as promised.
    unsafe { keep(el, id, request) }?;
    let asked = resolver::ask(number, waker, id, Name { name, port, query });
    asked.inspect_err(|_| _ = el.state().requests.take(id))?;
    Ok(id)
}

/// Keeps a request under its number when its name has been resolved and more is to come. `ECANCELED` when the loop is
/// being freed.
///
/// # Safety
/// As for [`resolve`].
pub(crate) unsafe fn keep(el: Loop, id: i64, request: Request) -> Result<(), Errno> {
    if el.state().freeing.get() {
        return Err(Errno::ECANCELED);
    }
    el.state().requests.with(|requests| {
        requests.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
        requests.push((id, request));
        Ok(())
    })
}

/// Keeps a request for which no name is resolved: it is told of nothing but the end of the loop. Returns its number.
///
/// # Safety
/// As for [`resolve`].
#[cfg(feature = "tls")]
pub(crate) unsafe fn keep_alone(el: Loop, request: Request) -> Result<i64, Errno> {
    let id = resolver::next_id();
    // SAFETY: as promised.
    unsafe { keep(el, id, request) }?;
    Ok(id)
}

/// Takes out a request that ends otherwise; false when it has ended.
pub(crate) fn give_back(el: Loop, id: i64) -> bool {
    el.state().requests.take(id).is_some()
}

/// Lets go of a request, of which nothing more is heard; `ENOENT` when it has ended.
pub(crate) fn cancel(el: Loop, id: i64) -> Result<(), Errno> {
    let request = el.state().requests.take(id).ok_or(Errno::ENOENT)?;
    resolver::forget(id);
    // SAFETY: whoever has made the request lets that be called, once.
    unsafe { (request.forget)(el, request.asker) };
    Ok(())
}

/// Tells what has come out of the requests made by now: what a callback asks for has its turn in the next iteration,
/// even if it is known at once. Otherwise callbacks that ask again and again would keep the loop from everything else.
///
/// # Safety
/// A call is inside the loop, so that no callback frees it.
pub(super) unsafe fn deliver(el: Loop) {
    let state = el.state();
    let last = resolver::last_id();
    while !state.breaks.load(Relaxed)
        && let Some((id, outcome)) = resolver::next_outcome(state.number, last)
    {
        if let Some(request) = state.requests.take(id) {
            // SAFETY: whoever has made the request lets that be called, once; no reference is alive.
            unsafe { (request.done)(el, request.asker, outcome) };
        }
    }
}

/// Whether something has come out that has not been told. Not a part of every iteration's code.
#[cold]
#[inline(never)]
pub(super) fn are_waiting(el: Loop) -> bool {
    !el.state().requests.is_empty() && resolver::has_outcome(el.number())
}

/// Ends all, for a loop that is being freed.
///
/// # Safety
/// No function that is called here frees the loop.
pub(super) unsafe fn end_all(el: Loop) {
    while let Some((id, request)) = el.state().requests.with(Vec::pop) {
        resolver::forget(id);
        // SAFETY: whoever has made the request lets that be called, once; no reference is alive.
        unsafe { (request.done)(el, request.asker, Err(ResolveError::system(Errno::ECANCELED))) };
    }
}
