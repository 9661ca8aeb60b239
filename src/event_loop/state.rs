//! What the loop keeps for itself, behind `apidata`.

use super::backend::Backend;
use super::calls::Calls;
use super::slots::Slots;
use super::timers::store::Timers;
use crate::abi::ae::*;
use crate::abi::profile;
use crate::host::memory::ZeroedArray;
use crate::sys::Errno;
use crate::sys::mutex::Held;
use core::ffi::{CStr, c_int, c_void};
use core::sync::atomic::AtomicBool;

/// The loop's own state.
pub(super) struct State {
    pub(super) backend: Backend,
    /// The memory behind `aeEventLoop.events`.
    pub(super) events: ZeroedArray<aeFileEvent>,
    /// The memory behind `aeEventLoop.fired`, but for nested calls, which bring their own.
    pub(super) fired: ZeroedArray<aeFiredEvent>,
    pub(super) slots: Slots,
    /// Descriptors whose interest may differ from what the backend was told.
    pub(super) changed: Vec<c_int>,
    /// Descriptors that rest; see [`pause_readable`].
    pub(super) pauses: Vec<Pause>,
    pub(super) timers: Timers,
    /// How many polls there have been.
    pub(super) polls: u64,
    /// No slot's `settled` is larger, so that one look tells that none matters. Without bound when the loop is deleted.
    pub(super) settled: u64,
    /// Whether one is under way: another thread may then change what the loop waits for.
    pub(super) polling: AtomicBool,
    /// Who is inside.
    pub(super) calls: Calls,
    /// Deleted inside a callback; freed when the outermost call returns.
    pub(super) deleted: bool,
    /// Being freed.
    pub(super) freeing: bool,
    /// What the safe API keeps for the loop, NULL for others.
    pub(super) owner: *mut c_void,
    /// What no other loop has or gets.
    pub(super) number: u64,
    /// The thread that uses it, as far as it is known: see [`threads`].
    pub(super) user: u64,
    #[cfg(feature = "tls")]
    pub(super) asked: Asked,
}

/// A descriptor that is not watched for readable until a time, in microseconds of the monotonic clock.
pub(super) struct Pause {
    pub(super) fd: c_int,
    pub(super) until: u64,
    /// It could not be ended in time, and the log has been told.
    pub(super) failed: bool,
}

/// What a loop's program does about data that no poll will announce; `connection::tls` keeps it.
#[cfg(feature = "tls")]
#[derive(Default)]
pub(crate) struct Asked {
    /// How often it has asked for such data.
    pub(crate) asks: u64,
    /// How often it had when somebody last looked.
    pub(crate) seen: u64,
    /// Whether a time event is to look.
    pub(crate) is_looked_after: bool,
}

/// The state of a loop.
///
/// # Safety
/// `el` is a live loop. The reference must end before a callback runs and before the next call of this.
pub(super) unsafe fn state<'a>(el: *mut aeEventLoop) -> &'a mut State {
    // SAFETY: `create` stored it there, and the caller vouches for the rest.
    unsafe { &mut *(*el).apidata.cast::<State>() }
}

pub(super) type Events = ZeroedArray<aeFileEvent>;

impl State {
    /// A copy of `events` with `count` elements.
    pub(super) fn resized_events(&self, count: usize, maxfd: c_int) -> Result<Events, Errno> {
        self.events.resized(count, (maxfd + 1) as usize)
    }

    /// Puts it in its place. `fired` may be in use by a call that is running; it grows before the next poll.
    pub(super) fn replace_events(&mut self, el: &mut aeEventLoop, events: Events) {
        self.events = events;
        el.set_events(self.events.as_mut_ptr(), self.events.len());
    }
}

/// Makes room in `events` for a descriptor below the set size.
///
/// # Safety
/// `el` is a live loop of this thread.
pub(super) unsafe fn grow_events(el: *mut aeEventLoop, fd: c_int) -> Result<(), Errno> {
    // SAFETY: the caller vouches for the loop.
    let (state, el) = unsafe { (state(el), &mut *el) };
    let (now, needed) = (state.events.len(), fd as usize + 1);
    if needed > now {
        let events = state.resized_events((now * 2).max(needed).min(el.setsize as usize), el.maxfd)?;
        state.replace_events(el, events);
    }
    Ok(())
}

/// The entry of the loop's array for a descriptor, None when there is none (yet).
///
/// # Safety
/// `el` is a live loop of this thread.
pub(super) unsafe fn entry(el: *mut aeEventLoop, fd: c_int) -> Option<*mut aeFileEvent> {
    // SAFETY: the caller vouches for the loop.
    let events = unsafe { &state(el).events };
    // Below zero becomes more than any array has.
    let index = fd as u32 as usize;
    // SAFETY: the array has that many elements.
    (index < events.len()).then(|| unsafe { events.as_mut_ptr().add(index) })
}

/// The loop's mutex, when another thread may poll it.
///
/// # Safety
/// `el` is a live loop, and stays for as long as the result.
pub(super) unsafe fn hold(el: *mut aeEventLoop) -> Result<Option<Held>, Errno> {
    // SAFETY: the caller vouches for the loop, whose mutex `create` initialised.
    unsafe {
        match profile::poll_mutex(el) {
            Some(mutex) if profile::is_poll_protected(el) => Held::lock(mutex).map(Some),
            _ => Ok(None),
        }
    }
}

/// The name of a loop's backend.
///
/// # Safety
/// `el` is a live loop.
pub(crate) unsafe fn backend_name(el: *mut aeEventLoop) -> &'static CStr {
    // SAFETY: the caller vouches for the loop.
    unsafe { state(el) }.backend.name()
}

/// Notes what the safe API keeps for a loop.
///
/// # Safety
/// `el` is a live loop.
pub(crate) unsafe fn set_owner(el: *mut aeEventLoop, owner: *mut c_void) {
    // SAFETY: the caller vouches for the loop.
    unsafe { state(el) }.owner = owner;
}

/// What the safe API keeps for a loop, NULL for others.
///
/// # Safety
/// `el` is a live loop.
pub(crate) unsafe fn owner(el: *mut aeEventLoop) -> *mut c_void {
    // SAFETY: the caller vouches for the loop.
    unsafe { state(el) }.owner
}

/// What its program does about data that no poll will announce.
///
/// # Safety
/// `el` is a live loop of this thread. The reference must end before a callback runs and before the next call of this.
#[cfg(feature = "tls")]
pub(crate) unsafe fn asked<'a>(el: *mut aeEventLoop) -> &'a mut Asked {
    // SAFETY: the caller vouches for the loop.
    unsafe { &mut state(el).asked }
}
