//! The event loop.

use super::arguments::{c_string, io_error};
use super::border::{guarded, running};
use crate::abi::ae::*;
use crate::abi::embedding::{AeLoopProc, AePeriodicProc, aeLoopProc, aePeriodicProc};
use crate::abi::profile;
use crate::event_loop::{self as core_loop, Loop};
use crate::sys::Errno;
use core::ffi::{c_int, c_longlong, c_void};
use std::cell::RefCell;
use std::collections::HashMap;
use std::io;
use std::ops::ControlFlow;
use std::os::fd::{BorrowedFd, RawFd};
use std::process::ExitStatus;
use std::ptr::{self, NonNull};
use std::rc::{Rc, Weak};
use std::time::Duration;

/// What a descriptor is watched for, or what fired.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Interest(c_int);

impl Interest {
    /// Readable, or at its end.
    pub const READABLE: Self = Self(AE_READABLE);
    /// Writable.
    pub const WRITABLE: Self = Self(AE_WRITABLE);
    /// Beside one of these: the descriptor is served before others, and looked at again after every four of them, until
    /// this is unwatched, or all that it is watched for.
    pub const HIGH_PRIORITY: Self = Self(AE_HIGH_PRIORITY);

    /// Whether readable is part of it.
    pub fn is_readable(self) -> bool {
        self.0 & AE_READABLE != 0
    }

    /// Whether writable is part of it.
    pub fn is_writable(self) -> bool {
        self.0 & AE_WRITABLE != 0
    }
}

impl core::ops::BitOr for Interest {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// What a timer does next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Next {
    /// Run again so long after this run, in milliseconds rounded up.
    After(Duration),
    /// Never run again.
    Stop,
}

/// A timer of one loop.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TimerId(c_longlong);

type SleepHook = Rc<dyn Fn(&EventLoop)>;
type Watcher = Rc<dyn Fn(&EventLoop, Interest)>;
type TimerCallback = Box<dyn FnMut(&EventLoop) -> Next>;
type PeriodicCallback = Box<dyn FnMut(&EventLoop) -> ControlFlow<()>>;
pub(super) type SignalCallback = Rc<dyn Fn(&EventLoop)>;
pub(super) type ChildCallback = Box<dyn FnOnce(&EventLoop, Option<ExitStatus>)>;

/// The callbacks of a watched descriptor.
#[derive(Clone, Default)]
struct Watch {
    read: Option<Watcher>,
    write: Option<Watcher>,
}

/// What the handles of a loop share. The loop's owner pointer leads here.
pub(super) struct Inner {
    el: Loop,
    before_sleep: RefCell<Option<SleepHook>>,
    after_sleep: RefCell<Option<SleepHook>>,
    watches: RefCell<HashMap<RawFd, Watch>>,
    signals: RefCell<HashMap<c_int, SignalCallback>>,
    children: RefCell<HashMap<c_int, ChildCallback>>,
}

/// A handle of an event loop; the loop is freed with the last one.
#[derive(Clone)]
pub struct EventLoop(Rc<Inner>);

impl EventLoop {
    /// A loop for descriptors below `setsize`, on the platform's best backend or the one that the environment
    /// variable `LIBAE_BACKEND` names.
    pub fn new(setsize: usize) -> io::Result<Self> {
        Self::create(setsize, None)
    }

    /// A loop on the named backend: "epoll", "kqueue", "poll" or "select", as built in.
    pub fn with_backend(setsize: usize, backend: &str) -> io::Result<Self> {
        Self::create(setsize, Some(backend))
    }

    fn create(setsize: usize, backend: Option<&str>) -> io::Result<Self> {
        let backend = backend.map(c_string).transpose()?;
        let el = core_loop::create(set_size(setsize), backend.as_deref()).map_err(io_error)?;
        let inner = Rc::new(Inner {
            el,
            before_sleep: RefCell::default(),
            after_sleep: RefCell::default(),
            watches: RefCell::default(),
            signals: RefCell::default(),
            children: RefCell::default(),
        });
        el.set_owner(Rc::as_ptr(&inner).cast_mut().cast());
        Ok(Self(inner))
    }

    /// The handle of a loop that called us.
    ///
    /// # Safety
    /// `raw` is a live loop made by this type.
    pub(super) unsafe fn of(raw: *mut aeEventLoop) -> Self {
        // SAFETY: a live loop. Its owner is the Inner of a loop that still runs, so a handle of it is alive.
        unsafe {
            let inner: *const Inner = Loop::new(NonNull::new_unchecked(raw)).owner().cast();
            Rc::increment_strong_count(inner);
            Self(Rc::from_raw(inner))
        }
    }

    /// The core's handle, which is live as long as this one.
    pub(super) fn core(&self) -> Loop {
        self.0.el
    }

    /// What is called when a signal has come.
    pub(super) fn signals(&self) -> &RefCell<HashMap<c_int, SignalCallback>> {
        &self.0.signals
    }

    /// What is called when a child has ended.
    pub(super) fn children(&self) -> &RefCell<HashMap<c_int, ChildCallback>> {
        &self.0.children
    }

    pub(super) fn downgrade(&self) -> WeakLoop {
        WeakLoop(Rc::downgrade(&self.0))
    }

    /// The backend's name.
    pub fn backend(&self) -> &'static str {
        self.core().backend_name().to_str().unwrap_or_default()
    }

    /// Descriptors below this number can be watched.
    pub fn set_size(&self) -> usize {
        self.core().setsize() as usize
    }

    /// Changes the set size; fails, with nothing changed, when that would cut a watched descriptor off.
    pub fn resize(&self, setsize: usize) -> io::Result<()> {
        core_loop::resize(self.core(), set_size(setsize)).map_err(io_error)
    }

    /// Runs until [`stop`](Self::stop); fails when the backend does. A panic of a callback comes out here, and in
    /// [`run_once`](Self::run_once) and [`poll_files`](Self::poll_files): the loop has stopped at once, and goes on
    /// when it is run again. A timer whose callback has panicked is gone.
    ///
    /// ```
    /// use ae::{EventLoop, Next};
    /// use std::panic::{AssertUnwindSafe, catch_unwind};
    /// use std::time::Duration;
    ///
    /// let el = EventLoop::new(64)?;
    /// el.add_timer(Duration::ZERO, |_| panic!("it went wrong"))?;
    /// let panic = catch_unwind(AssertUnwindSafe(|| el.run())).unwrap_err();
    /// assert_eq!(panic.downcast_ref(), Some(&"it went wrong"));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn run(&self) -> io::Result<()> {
        running(self.core(), core_loop::run).map_err(io_error)
    }

    /// Runs one iteration with both hooks, waiting for the first event or not; returns how many events there
    /// were. That may be none when it waits, too: when a signal comes, and when what a cancelled timer held is freed.
    pub fn run_once(&self, wait: bool) -> io::Result<usize> {
        let flags = AE_ALL_EVENTS | AE_CALL_BEFORE_SLEEP | AE_CALL_AFTER_SLEEP;
        let flags = if wait { flags } else { flags | AE_DONT_WAIT };
        self.process(flags)
    }

    fn process(&self, flags: c_int) -> io::Result<usize> {
        let count = running(self.core(), |el| core_loop::process_events(el, flags));
        count.map(|count| count as usize).map_err(io_error)
    }

    /// Handles the descriptors' events that there are, without waiting, hooks or timers; also in the midst of another
    /// event. Returns how many there were.
    pub fn poll_files(&self) -> io::Result<usize> {
        self.process(AE_FILE_EVENTS | AE_DONT_WAIT)
    }

    /// Ends [`run`](Self::run) after the current iteration.
    pub fn stop(&self) {
        self.core().set_stop(1);
    }

    /// The same as soon as the callback that is running returns; what is left fires again in the next run.
    pub fn stop_now(&self) -> io::Result<()> {
        core_loop::stop_now(self.core()).map_err(io_error)
    }

    /// A descriptor that is readable whenever [`run_once`](Self::run_once) has something to do without waiting, be it
    /// for a descriptor, a timer or what other threads have posted: for programs that wait elsewhere. It must only be
    /// waited for. Fails with `EOPNOTSUPP` on systems with neither epoll nor kqueue.
    pub fn backend_fd(&self) -> io::Result<BorrowedFd<'_>> {
        let fd = core_loop::descriptor(self.core()).map_err(io_error)?;
        // SAFETY: it is open as long as the loop is there.
        Ok(unsafe { BorrowedFd::borrow_raw(fd) })
    }

    /// How long a program that waits in place of the loop may wait: until the first timer is due; None without a limit.
    pub fn timeout(&self) -> Option<Duration> {
        core_loop::timeout(self.core()).map(Duration::from_micros)
    }

    /// Whether [`run`](Self::run) ends when no descriptor is watched, no timer is there and nothing is posted.
    pub fn set_stop_when_idle(&self, on: bool) {
        core_loop::set_stops_when_idle(self.core(), on);
    }

    /// Whether the following iterations poll without waiting.
    pub fn set_dont_wait(&self, on: bool) {
        self.core().set_flag(AE_DONT_WAIT, on);
    }

    /// Runs `hook` before each sleep, in place of the one before.
    pub fn before_sleep(&self, hook: impl Fn(&Self) + 'static) {
        let before = self.0.before_sleep.replace(Some(Rc::new(hook)));
        self.core().set_before_sleep(before_sleep as AeBeforeSleepProc as *mut aeBeforeSleepProc);
        // Only now: a closure's destructor may call the loop.
        drop(before);
    }

    /// Runs `hook` after each sleep, in place of the one before.
    pub fn after_sleep(&self, hook: impl Fn(&Self) + 'static) {
        let before = self.0.after_sleep.replace(Some(Rc::new(hook)));
        // SAFETY: live as long as the handle.
        unsafe { profile::set_after_sleep::<AfterSleep>(self.core().as_ptr()) };
        // Only now: a closure's destructor may call the loop.
        drop(before);
    }

    /// Runs `callback` so long from now, in milliseconds rounded up, never earlier.
    ///
    /// ```
    /// use ae::{EventLoop, Next};
    /// use std::time::Duration;
    ///
    /// let el = EventLoop::new(64)?;
    /// let mut ticks = 0;
    /// el.add_timer(Duration::from_millis(1), move |el| {
    ///     ticks += 1;
    ///     if ticks == 3 {
    ///         el.stop();
    ///         return Next::Stop;
    ///     }
    ///     Next::After(Duration::from_millis(1))
    /// })?;
    /// el.run()?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn add_timer(&self, after: Duration, callback: impl FnMut(&Self) -> Next + 'static) -> io::Result<TimerId> {
        let callback: Box<TimerCallback> = Box::new(Box::new(callback));
        let data = Box::into_raw(callback);
        let proc = run_timer as AeTimeProc as *mut aeTimeProc;
        let finalizer = free_timer as AeEventFinalizerProc as *mut aeEventFinalizerProc;
        let created =
            // SAFETY: functions for such data, which lives until the finalizer runs.
            unsafe { core_loop::create_time_event(self.core(), milliseconds(after), proc, data.cast(), finalizer) };
        created.map(TimerId).map_err(|errno| {
            // SAFETY: not taken over.
            drop(unsafe { Box::from_raw(data) });
            io_error(errno)
        })
    }

    /// Runs `callback` so long from now, and then at even distances of `period`, both in milliseconds rounded up,
    /// however late a run is, until it breaks. Runs that a busy loop has missed are left out. A period of 0 is an
    /// error.
    ///
    /// ```
    /// use ae::EventLoop;
    /// use std::ops::ControlFlow;
    /// use std::time::Duration;
    ///
    /// let el = EventLoop::new(64)?;
    /// let mut ticks = 0;
    /// el.add_periodic_timer(Duration::ZERO, Duration::from_millis(1), move |_| {
    ///     ticks += 1;
    ///     if ticks == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    /// })?;
    /// el.set_stop_when_idle(true);
    /// el.run()?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn add_periodic_timer(
        &self,
        after: Duration,
        period: Duration,
        callback: impl FnMut(&Self) -> ControlFlow<()> + 'static,
    ) -> io::Result<TimerId> {
        let callback: Box<PeriodicCallback> = Box::new(Box::new(callback));
        let data = Box::into_raw(callback);
        let proc = run_periodic as AePeriodicProc as *mut aePeriodicProc;
        let finalizer = free_periodic as AeLoopProc as *mut aeLoopProc;
        let (after, period) = (milliseconds(after), milliseconds(period));
        let el = self.core();
        // SAFETY: functions for such data, which lives until the finalizer runs.
        let created = unsafe { core_loop::create_periodic_time_event(el, after, period, proc, data.cast(), finalizer) };
        created.map(TimerId).map_err(|errno| {
            // SAFETY: not taken over.
            drop(unsafe { Box::from_raw(data) });
            io_error(errno)
        })
    }

    /// Lets a timer run so long from now, in milliseconds rounded up, in place of when it would have. False when it is
    /// gone, or its callback is running: what that returns decides.
    pub fn reset_timer(&self, id: TimerId, after: Duration) -> io::Result<bool> {
        match core_loop::reset_time_event(self.core(), id.0, milliseconds(after)) {
            Err(Errno::ENOENT | Errno::EBUSY) => Ok(false),
            result => result.map(|()| true).map_err(io_error),
        }
    }

    /// Deletes a timer; false when it is gone already.
    pub fn cancel_timer(&self, id: TimerId) -> bool {
        core_loop::delete_time_event(self.core(), id.0).is_ok()
    }

    /// Calls `callback` whenever `fd` is ready for a part of `interest`, in place of the callback there was for
    /// it. The descriptor stays the caller's and has to be unwatched before it is closed.
    ///
    /// ```
    /// use ae::{EventLoop, Interest};
    /// use std::io::Write;
    /// use std::os::{fd::AsRawFd, unix::net::UnixStream};
    ///
    /// let el = EventLoop::new(64)?;
    /// let (a, mut b) = UnixStream::pair()?;
    /// el.watch(a.as_raw_fd(), Interest::READABLE, |el, _| el.stop())?;
    /// b.write_all(b"x")?;
    /// el.run()?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn watch(&self, fd: RawFd, interest: Interest, callback: impl Fn(&Self, Interest) + 'static) -> io::Result<()> {
        let proc = watched as AeFileProc as *mut aeFileProc;
        // SAFETY: it needs no data, but finds its closure by the descriptor.
        unsafe { core_loop::create_file_event(self.core(), fd, interest.0, proc, ptr::null_mut()) }
            .map_err(io_error)?;
        let callback: Watcher = Rc::new(callback);
        let mut watches = self.0.watches.borrow_mut();
        let watch = watches.entry(fd).or_default();
        let read = interest.is_readable().then(|| watch.read.replace(callback.clone()));
        let write = interest.is_writable().then(|| watch.write.replace(callback));
        drop(watches);
        // Only now: a closure's destructor may call the loop.
        drop((read, write));
        Ok(())
    }

    /// Stops watching `fd` for `interest`.
    pub fn unwatch(&self, fd: RawFd, interest: Interest) {
        core_loop::delete_file_event(self.core(), fd, interest.0);
        let mut watches = self.0.watches.borrow_mut();
        let Some(watch) = watches.get_mut(&fd) else { return };
        let read = interest.is_readable().then(|| watch.read.take());
        let write = interest.is_writable().then(|| watch.write.take());
        if watch.read.is_none() && watch.write.is_none() {
            watches.remove(&fd);
        }
        drop(watches);
        // Only now: a closure's destructor may call the loop.
        drop((read, write));
    }

    fn watch_of(&self, fd: RawFd) -> Watch {
        self.0.watches.borrow().get(&fd).cloned().unwrap_or_default()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // The finalizers of our timers run when the loop is deleted, those of timers that are not deleted would not.
        core_loop::delete_time_events(self.el);
        // Closures that own connections drop them while the loop is still there.
        drop((self.watches.take(), self.signals.take(), self.children.take()));
        drop((self.before_sleep.take(), self.after_sleep.take()));
        // SAFETY: with the last handle nobody uses it.
        unsafe { core_loop::delete(self.el) };
    }
}

/// A loop that may be gone.
pub(super) struct WeakLoop(Weak<Inner>);

impl WeakLoop {
    /// A handle of it, if there still is one.
    pub(super) fn upgrade(&self) -> Option<EventLoop> {
        self.0.upgrade().map(EventLoop)
    }
}

fn set_size(setsize: usize) -> c_int {
    setsize.try_into().unwrap_or(c_int::MAX)
}

fn milliseconds(after: Duration) -> c_longlong {
    after.as_nanos().div_ceil(1_000_000).try_into().unwrap_or(c_longlong::MAX)
}

unsafe extern "C" fn before_sleep(raw: *mut aeEventLoop) {
    // SAFETY: called by a loop of this type.
    let el = unsafe { EventLoop::of(raw) };
    let hook = el.0.before_sleep.borrow().clone();
    if let Some(hook) = hook {
        guarded((), || hook(&el));
    }
}

struct AfterSleep;

impl profile::SleepHook for AfterSleep {
    unsafe fn call(raw: *mut aeEventLoop) {
        // SAFETY: called by a loop of this type.
        let el = unsafe { EventLoop::of(raw) };
        let hook = el.0.after_sleep.borrow().clone();
        if let Some(hook) = hook {
            guarded((), || hook(&el));
        }
    }
}

unsafe extern "C" fn watched(raw: *mut aeEventLoop, fd: c_int, _data: *mut c_void, mask: c_int) {
    // SAFETY: called by a loop of this type.
    let el = unsafe { EventLoop::of(raw) };
    guarded((), || call_watchers(&el, fd, Interest(mask)));
}

fn call_watchers(el: &EventLoop, fd: RawFd, fired: Interest) {
    let Watch { read, write } = el.watch_of(fd);
    let (read, write) = (read.filter(|_| fired.is_readable()), write.filter(|_| fired.is_writable()));
    match (read, write) {
        (Some(read), Some(write)) if Rc::ptr_eq(&read, &write) => read(el, fired),
        (read, write) => {
            if let Some(read) = read {
                read(el, Interest::READABLE);
            }
            if let Some(write) = write
                && el.watch_of(fd).write.is_some_and(|now| Rc::ptr_eq(&now, &write))
            {
                write(el, Interest::WRITABLE);
            }
        }
    }
}

unsafe extern "C" fn run_timer(raw: *mut aeEventLoop, _id: c_longlong, data: *mut c_void) -> AeTimeResult {
    // SAFETY: called by a loop of this type with the closure that `add_timer` made; the loop runs a timer once
    // at a time and frees it after its last run.
    let (el, callback) = unsafe { (EventLoop::of(raw), &mut *data.cast::<TimerCallback>()) };
    match guarded(Next::Stop, || callback(&el)) {
        Next::After(after) => profile::run_again(milliseconds(after)),
        Next::Stop => profile::DO_NOT_RUN_AGAIN,
    }
}

unsafe extern "C" fn free_timer(_raw: *mut aeEventLoop, data: *mut c_void) {
    // SAFETY: the closure that `add_timer` made, after its last run.
    drop(unsafe { Box::from_raw(data.cast::<TimerCallback>()) });
}

unsafe extern "C" fn run_periodic(raw: *mut aeEventLoop, _id: c_longlong, data: *mut c_void) -> c_int {
    // SAFETY: called by a loop of this type with the closure that `add_periodic_timer` made; the loop runs a timer once
    // at a time and frees it after its last run.
    let (el, callback) = unsafe { (EventLoop::of(raw), &mut *data.cast::<PeriodicCallback>()) };
    if guarded(ControlFlow::Break(()), || callback(&el)).is_break() { AE_NOMORE } else { 0 }
}

unsafe extern "C" fn free_periodic(_raw: *mut aeEventLoop, data: *mut c_void) {
    // SAFETY: the closure that `add_periodic_timer` made, after its last run.
    drop(unsafe { Box::from_raw(data.cast::<PeriodicCallback>()) });
}
