//! Names resolved by threads of the library's own, for all loops: the C library's resolver blocks.
//!
//! A thread is started for a name when there is room for one, and ends when no name is left: none is kept. What it
//! finds waits here for the loop, whose waker it tells. An entry is here only as long as its loop is.

use crate::abi::embedding::{LIBAE_RESOLVE_MAX, LIBAE_RESOLVE_THREADS};
use crate::sys::resolve::{Found, Query, ResolveError, resolve};
use crate::sys::shared::Shared;
use crate::sys::waker::Waker;
use crate::sys::{Errno, thread};
use core::ffi::c_void;
use core::ptr;
use std::collections::VecDeque;
use std::ffi::CString;

/// The addresses of a name, or why there are none.
pub(crate) type Outcome = Result<Vec<Found>, ResolveError>;

/// What to look for.
pub(super) struct Name {
    pub(super) name: CString,
    pub(super) port: Option<u16>,
    pub(super) query: Query,
}

impl Name {
    /// Blocks, except for an address.
    fn resolve(&self) -> Outcome {
        resolve(Some(&self.name), self.port, self.query)
    }

    /// What comes out when the name is an address, for which nobody need be asked.
    fn resolve_address(&self) -> Option<Outcome> {
        let look = |family| resolve(Some(&self.name), self.port, Query { family, numeric: true, ..self.query });
        let outcome = look(self.query.family);
        // One of the other family has no address here, but is none to ask for either.
        (outcome.is_ok() || look(libc::AF_UNSPEC).is_ok()).then_some(outcome)
    }
}

/// A name that has been asked for.
struct Entry {
    id: i64,
    /// The loop's number.
    number: u64,
    waker: Waker,
    outcome: Option<Outcome>,
}

impl Entry {
    fn is_outcome_for(&self, number: u64) -> bool {
        self.number == number && self.outcome.is_some()
    }
}

struct Resolver {
    /// Those that no thread has taken yet.
    queue: VecDeque<(i64, Name)>,
    entries: Vec<Entry>,
    /// How many threads there are.
    threads: usize,
    last_id: i64,
}

static RESOLVER: Shared<Resolver> =
    Shared::new(Resolver { queue: VecDeque::new(), entries: Vec::new(), threads: 0, last_id: 0 });

/// A number for what a loop is to be told later: none has been given before.
pub(super) fn next_id() -> i64 {
    RESOLVER.with(|resolver| {
        resolver.last_id += 1;
        resolver.last_id
    })
}

/// The latest number that has been given.
pub(super) fn last_id() -> i64 {
    RESOLVER.with(|resolver| resolver.last_id)
}

/// Has a name resolved for the loop that has this number and this waker, under an id from [`next_id`]. `EAGAIN` when
/// there are too many, or no thread can be started.
pub(super) fn ask(number: u64, waker: Waker, id: i64, name: Name) -> Result<(), Errno> {
    let outcome = name.resolve_address();
    let mut resolver = RESOLVER.lock_own(Resolver::forget_what_is_the_parents);
    if resolver.entries.len() >= LIBAE_RESOLVE_MAX as usize {
        return Err(Errno::EAGAIN);
    }
    resolver.entries.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
    resolver.queue.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
    if outcome.is_some() {
        waker.wake()?;
        resolver.entries.push(Entry { id, number, waker, outcome });
        return Ok(());
    }
    if resolver.threads < LIBAE_RESOLVE_THREADS as usize {
        match thread::start(work) {
            Ok(()) => resolver.threads += 1,
            // Those that there are will come to it.
            Err(_) if resolver.threads > 0 => {}
            Err(errno) => return Err(errno),
        }
    }
    resolver.entries.push(Entry { id, number, waker, outcome: None });
    resolver.queue.push_back((id, name));
    Ok(())
}

/// Forgets what has been asked for under this number. A thread that is at it goes on.
pub(super) fn forget(id: i64) {
    let forgotten = RESOLVER.with(|resolver| {
        let position = resolver.queue.iter().position(|(asked, _)| *asked == id);
        let name = position.and_then(|index| resolver.queue.remove(index));
        (name, resolver.take(|entry| entry.id == id))
    });
    drop(forgotten);
}

/// Something that a loop has asked for, under a number up to `last`, and that has been found out.
pub(super) fn next_outcome(number: u64, last: i64) -> Option<(i64, Outcome)> {
    let entry = RESOLVER.with(|resolver| resolver.take(|entry| entry.is_outcome_for(number) && entry.id <= last))?;
    Some((entry.id, entry.outcome?))
}

/// Whether there is one.
pub(super) fn has_outcome(number: u64) -> bool {
    RESOLVER.with(|resolver| resolver.entries.iter().any(|entry| entry.is_outcome_for(number)))
}

impl Resolver {
    /// The oldest such entry.
    fn take(&mut self, is_it: impl Fn(&Entry) -> bool) -> Option<Entry> {
        let index = self.entries.iter().position(is_it)?;
        Some(self.entries.remove(index))
    }

    /// In the child of a fork there are no threads, and what the parent has asked for is the parent's.
    fn forget_what_is_the_parents(&mut self) {
        self.threads = 0;
        self.queue.clear();
        self.entries.clear();
    }
}

/// A thread's work: name by name until none is left.
extern "C" fn work(_unused: *mut c_void) -> *mut c_void {
    let next = || {
        RESOLVER.with(|resolver| {
            let next = resolver.queue.pop_front();
            resolver.threads -= usize::from(next.is_none());
            next
        })
    };
    while let Some((id, name)) = next() {
        let outcome = name.resolve();
        RESOLVER.with(|resolver| {
            if let Some(entry) = resolver.entries.iter_mut().find(|entry| entry.id == id) {
                entry.outcome = Some(outcome);
                // The entry is here, so the loop is. It would fail for a descriptor that the program has closed.
                let _ = entry.waker.wake();
            }
        });
    }
    ptr::null_mut()
}
