//! What the loop keeps for itself, behind `apidata`.

use super::backend::Backend;
use super::calls::{Calls, FiredBuffer};
use super::children::Children;
use super::embedding::Embedding;
use super::handle::Loop;
use super::interest::InterestTable;
use super::polls::Polls;
use super::requests::Requests;
use super::signals::Signals;
use super::timers::store::Timers;
use super::waking::Wakeup;
use crate::abi::ae::*;
use crate::abi::profile;
use crate::host::memory::ZeroedArray;
use crate::sys::Errno;
use crate::sys::mutex::Held;
use core::cell::{Cell, UnsafeCell};
use core::ffi::{CStr, c_int, c_void};
use core::mem::replace;
use core::ptr;
use core::sync::atomic::AtomicBool;

pub(super) type Events = ZeroedArray<aeFileEvent>;

/// The loop's own state. It is shared and changes in cells, since a callback may use the loop as well. The parts that
/// are handed out by `&mut` are behind functions of [`Loop`] that say for how long.
pub(super) struct State {
    /// The memory behind `aeEventLoop.events`.
    events: UnsafeCell<Events>,
    /// The memory behind `aeEventLoop.fired`, except for nested calls, which bring their own.
    fired: UnsafeCell<FiredBuffer>,
    /// Another thread may be polling it; whoever else touches it holds the mutex then.
    backend: UnsafeCell<Backend>,
    interest: UnsafeCell<InterestTable>,
    timers: UnsafeCell<Timers>,
    calls: UnsafeCell<Calls>,
    pub(super) polls: Polls,
    /// Whether a poll is under way: another thread may then change what the loop waits for. After one that a thread has
    /// ended in, until the next has ended: meanwhile nothing is put off.
    pub(super) polling: AtomicBool,
    /// Deleted inside a callback; freed when the outermost call returns.
    pub(super) deleted: Cell<bool>,
    /// The calls inside deliver nothing more: the loop is deleted, or stopped at once.
    pub(super) breaks: AtomicBool,
    /// There is more to do at the end of the outermost call.
    pub(super) has_end: AtomicBool,
    pub(super) wakeup: Wakeup,
    pub(super) embedding: Embedding,
    pub(super) signals: Signals,
    pub(super) children: Children,
    pub(super) requests: Requests,
    /// Being freed.
    pub(super) freeing: Cell<bool>,
    /// What the safe API keeps for the loop, NULL for others.
    owner: Cell<*mut c_void>,
    /// The program's own.
    data: Cell<*mut c_void>,
    /// What no other loop has or gets.
    pub(super) number: u64,
    /// The thread that uses it, as far as it is known: see `threads`.
    pub(super) user: Cell<u64>,
    #[cfg(feature = "tls")]
    asked: Asked,
}

/// What a loop's program does about data that no poll will announce; `connection::tls` keeps it.
#[cfg(feature = "tls")]
#[derive(Default)]
pub(crate) struct Asked {
    /// How often it has asked for such data.
    pub(crate) asks: Cell<u64>,
    /// How often it had when somebody last looked.
    pub(crate) seen: Cell<u64>,
    /// Whether a time event is to look.
    pub(crate) is_looked_after: Cell<bool>,
}

impl State {
    pub(super) fn new(
        backend: Backend,
        interest: InterestTable,
        events: Events,
        fired: FiredBuffer,
        number: u64,
        user: u64,
    ) -> Self {
        let wakeup = Wakeup::new(backend.poller());
        Self {
            events: events.into(),
            fired: fired.into(),
            backend: backend.into(),
            interest: interest.into(),
            timers: Timers::new().into(),
            calls: Calls::new().into(),
            polls: Polls::new(),
            polling: AtomicBool::new(false),
            deleted: Cell::new(false),
            breaks: AtomicBool::new(false),
            has_end: AtomicBool::new(false),
            wakeup,
            embedding: Embedding::new(),
            signals: Signals::default(),
            children: Children::default(),
            requests: Requests::default(),
            freeing: Cell::new(false),
            owner: Cell::new(ptr::null_mut()),
            data: Cell::new(ptr::null_mut()),
            number,
            user: Cell::new(user),
            #[cfg(feature = "tls")]
            asked: Asked::default(),
        }
    }
}

impl State {
    /// What waits for descriptors.
    ///
    /// # Safety
    /// The reference ends before a callback runs, and before this is called again. If another thread may poll the loop,
    /// its mutex is held meanwhile.
    #[inline(always)]
    #[allow(clippy::mut_from_ref)] // That is what the cell is for.
    pub(super) unsafe fn backend(&self) -> &mut Backend {
        // SAFETY: this is the only reference.
        unsafe { &mut *self.backend.get() }
    }

    /// Whether the backend is still to be told something.
    #[inline(always)]
    pub(super) fn has_changes(&self) -> bool {
        // SAFETY: the reference ends here.
        unsafe { &*self.interest.get() }.has_changes()
    }
}

/// The arrays that C sees. A reference to what owns one ends in the function here that makes it.
impl State {
    fn events(&self) -> &Events {
        // SAFETY: only `replace_events` changes it, and the reference ends before that.
        unsafe { &*self.events.get() }
    }

    /// How many entries there are.
    pub(super) fn event_count(&self) -> usize {
        self.events().len()
    }

    /// A copy of the entries up to `maxfd`, in an array of `count`.
    pub(super) fn resized_events(&self, count: usize, maxfd: c_int) -> Result<Events, Errno> {
        self.events().resized(count, (maxfd + 1) as usize)
    }

    /// The array that polls store in: where it is, and how many there is room for.
    pub(super) fn fired(&self) -> (*mut aeFiredEvent, usize) {
        // SAFETY: the reference ends here.
        let fired = unsafe { &*self.fired.get() };
        (fired.as_mut_ptr(), fired.len())
    }

    /// A copy of its first `count`.
    pub(super) fn copy_of_fired(&self, count: usize) -> Result<FiredBuffer, Errno> {
        // SAFETY: the reference ends here.
        unsafe { &*self.fired.get() }.resized(count, count)
    }
}

impl Loop {
    /// What is ours alone.
    #[inline(always)]
    pub(super) fn state(&self) -> &State {
        // SAFETY: `create` stored it there, and it lives as long as the loop.
        unsafe { &*self.state_ptr() }
    }

    /// Where that is: what it is freed by, for which a reference would not do.
    #[inline(always)]
    pub(super) fn state_ptr(self) -> *mut State {
        // SAFETY: the loop is live.
        unsafe { (*self.as_ptr()).apidata.cast() }
    }

    /// What the backend has been told, and is still to be told.
    ///
    /// # Safety
    /// The reference ends before a callback runs, and before this is called again.
    #[inline(always)]
    pub(super) unsafe fn interest<'a>(self) -> &'a mut InterestTable {
        // SAFETY: it lives as long as the loop, and this is the only reference.
        unsafe { &mut *self.state().interest.get() }
    }

    /// The time events.
    ///
    /// # Safety
    /// As for [`Loop::interest`].
    #[inline(always)]
    pub(super) unsafe fn timers<'a>(self) -> &'a mut Timers {
        // SAFETY: as for `interest`.
        unsafe { &mut *self.state().timers.get() }
    }

    /// Who is inside.
    ///
    /// # Safety
    /// As for [`Loop::interest`].
    #[inline(always)]
    pub(super) unsafe fn calls<'a>(self) -> &'a mut Calls {
        // SAFETY: as for `interest`.
        unsafe { &mut *self.state().calls.get() }
    }

    /// [`InterestTable::arm`] with the loop's backend.
    #[inline(always)]
    pub(super) fn arm(self, interest: &mut InterestTable, fd: c_int, mask: c_int, creates: bool) -> Result<(), Errno> {
        // SAFETY: the reference ends here, and whoever changes what is watched holds the mutex.
        interest.arm(unsafe { self.state().backend() }, &self.state().polls, fd, mask, creates)
    }

    /// How many calls are inside.
    #[inline(always)]
    pub(super) fn depth(self) -> u32 {
        // SAFETY: the reference ends here.
        unsafe { self.calls() }.depth()
    }

    /// The entry of a descriptor, None when there is none (yet). It is there until the array is replaced: until a
    /// callback runs, an event is created or the loop gets another size.
    #[inline(always)]
    pub(super) fn entry(self, fd: c_int) -> Option<*mut aeFileEvent> {
        let events = self.state().events();
        // Below zero becomes more than any array has.
        let index = fd as u32 as usize;
        // SAFETY: the array has that many elements.
        (index < events.len()).then(|| unsafe { events.as_mut_ptr().add(index) })
    }

    /// Makes this the array of entries. `fired` may be in use by a call that is running; it grows before the next poll.
    pub(super) fn replace_events(self, events: Events) {
        self.set_events(events.as_mut_ptr(), events.len());
        // SAFETY: no reference to it is alive: each ends in the function that makes it.
        drop(unsafe { replace(&mut *self.state().events.get(), events) });
    }

    /// Makes room for the entry of a descriptor below the set size.
    pub(super) fn make_entry(self, fd: c_int) -> Result<(), Errno> {
        let (now, needed) = (self.state().event_count(), fd as usize + 1);
        if needed > now {
            let count = (now * 2).max(needed).min(self.setsize() as usize);
            self.replace_events(self.state().resized_events(count, self.maxfd())?);
        }
        Ok(())
    }

    /// Makes this the loop's buffer for what fired; returns the one it had.
    pub(super) fn replace_fired(self, fired: FiredBuffer) -> FiredBuffer {
        self.set_fired(fired.as_mut_ptr());
        // SAFETY: no reference to it is alive: each ends in the function that makes it.
        unsafe { replace(&mut *self.state().fired.get(), fired) }
    }

    /// The loop's mutex, when another thread may poll it.
    pub(super) fn hold(self) -> Result<Option<Held>, Errno> {
        // SAFETY: `create` initialised it, and who holds it uses the loop.
        unsafe {
            match profile::poll_mutex(self.as_ptr()) {
                Some(mutex) if profile::is_poll_protected(self.as_ptr()) => Held::lock(mutex).map(Some),
                _ => Ok(None),
            }
        }
    }

    /// The name of its backend.
    pub(crate) fn backend_name(self) -> &'static CStr {
        // SAFETY: the reference ends here, and its name never changes.
        unsafe { (*self.state().backend.get()).name() }
    }

    /// Notes what the safe API keeps for it.
    pub(crate) fn set_owner(self, owner: *mut c_void) {
        self.state().owner.set(owner);
    }

    /// What the safe API keeps for it, NULL for others.
    pub(crate) fn owner(self) -> *mut c_void {
        self.state().owner.get()
    }

    /// What no other loop has or gets.
    pub(crate) fn number(self) -> u64 {
        self.state().number
    }

    /// Notes the program's own data.
    pub(crate) fn set_data(self, data: *mut c_void) {
        self.state().data.set(data);
    }

    /// The program's own data, NULL at first.
    pub(crate) fn data(self) -> *mut c_void {
        self.state().data.get()
    }

    /// What its program does about data that no poll will announce.
    #[cfg(feature = "tls")]
    pub(crate) fn asked(&self) -> &Asked {
        &self.state().asked
    }
}
