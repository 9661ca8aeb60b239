//! What other threads and signal handlers may do with a loop: wake it, leave it work, stop it.
//!
//! They touch only what is here, and what is atomic. The waker is a descriptor of the loop's own, made when it is first
//! needed where the kernel's poller can be told at any time. It is no file event, so that it takes no place in what C
//! sees: when it fires there is no handler for it, and the loop looks here.

use super::handle::Loop;
use super::{backend, requests, signals};
use crate::abi::embedding::{AeLoopProc, aeLoopProc};
use crate::host::memory;
use crate::sys::Errno;
use crate::sys::mutex::Locked;
use crate::sys::waker::Waker;
use core::cell::Cell;
use core::ffi::{c_int, c_void};
use core::mem::{take, transmute};
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// What has been left for the loop to do.
struct Post {
    proc: *mut aeLoopProc,
    data: *mut c_void,
    /// Called in place of `proc` when the loop ends first; may be NULL.
    drop: *mut aeLoopProc,
    next: *mut Post,
}

/// Posts in their order; each is in one list.
#[derive(Clone, Copy)]
struct Posts {
    first: *mut Post,
    last: *mut Post,
}

// SAFETY: whoever has the list has its posts.
unsafe impl Send for Posts {}

impl Default for Posts {
    fn default() -> Self {
        Self { first: ptr::null_mut(), last: ptr::null_mut() }
    }
}

impl Posts {
    fn is_empty(&self) -> bool {
        self.first.is_null()
    }

    fn append(&mut self, more: Posts) {
        // SAFETY: the last post is in this list.
        match unsafe { self.last.as_mut() } {
            Some(last) => last.next = more.first,
            None => self.first = more.first,
        }
        if !more.is_empty() {
            self.last = more.last;
        }
    }

    fn pop(&mut self) -> Option<Post> {
        let first = NonNull::new(self.first)?;
        // SAFETY: it came from `boxed`, and nothing else leads to it.
        let post = unsafe {
            let post = first.read();
            memory::release(first);
            post
        };
        self.first = post.next;
        if self.is_empty() {
            self.last = ptr::null_mut();
        }
        Some(post)
    }
}

#[derive(Default)]
struct Inbox {
    posts: Posts,
    /// The loop is being freed.
    closed: bool,
}

/// A loop's part in this.
pub(super) struct Wakeup {
    /// The kernel's poller, -1 where there is none that can be told at any time.
    poller: c_int,
    /// The waker's two ends, `NO_WAKER` before there is one.
    waker: AtomicU64,
    /// The waker has been told, and the loop has not heard of it yet.
    told: AtomicBool,
    inbox: Locked<Inbox>,
    /// What has been taken out, and not been run yet.
    taken: Cell<Posts>,
}

const NO_WAKER: u64 = u64::MAX;

impl Wakeup {
    pub(super) fn new(poller: Option<c_int>) -> Self {
        Self {
            poller: poller.unwrap_or(-1),
            waker: AtomicU64::new(NO_WAKER),
            told: AtomicBool::new(false),
            inbox: Locked::new(Inbox::default()),
            taken: Cell::default(),
        }
    }

    /// Sets the waker of a loop that nobody else has yet.
    pub(super) fn set_waker(&self, waker: Waker) {
        self.waker.store(packed(waker), Ordering::Relaxed);
    }

    fn known_waker(&self) -> Option<Waker> {
        match self.waker.load(Ordering::Acquire) {
            NO_WAKER => None,
            ends => Some(Waker { read: (ends >> 32) as c_int, write: ends as c_int }),
        }
    }

    /// The waker, made if need be, under a number from `least` on if one is left: that two threads, or a signal handler and
    /// what it has interrupted, do so at the same time is put right.
    pub(super) fn waker(&self, least: c_int) -> Result<Waker, Errno> {
        if let Some(waker) = self.known_waker() {
            return Ok(waker);
        }
        let waker = Waker::new()?.numbered_from(least);
        let watched = backend::watch(self.poller, waker.read);
        watched.inspect_err(|_| waker.close())?;
        match self.waker.compare_exchange(NO_WAKER, packed(waker), Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => Ok(waker),
            Err(_) => {
                // With it goes what the poller knows of it.
                waker.close();
                self.known_waker().ok_or(Errno::EBADF)
            }
        }
    }
}

impl Drop for Wakeup {
    fn drop(&mut self) {
        if let Some(waker) = self.known_waker() {
            waker.close();
        }
    }
}

fn packed(waker: Waker) -> u64 {
    u64::from(waker.read as u32) << 32 | u64::from(waker.write as u32)
}

/// A loop's waker, made if need be.
fn waker(el: Loop) -> Result<Waker, Errno> {
    el.state().wakeup.waker(el.unwatched_number())
}

/// Makes the poll that is under way return, or the next one not wait. Any thread and any signal handler may.
pub(crate) fn wake(el: Loop) -> Result<(), Errno> {
    let waker = waker(el)?;
    if el.state().wakeup.told.swap(true, Ordering::AcqRel) { Ok(()) } else { waker.wake() }
}

/// Has the loop call `proc` once, behind what has been posted before; `drop`, unless it is NULL, in its place if the
/// loop is freed first. Any thread may. `ECANCELED` when the loop is being freed.
///
/// # Safety
/// Both are functions of their type, which the thread that uses the loop may call with `data`.
pub(crate) unsafe fn post(
    el: Loop,
    proc: *mut aeLoopProc,
    data: *mut c_void,
    drop: *mut aeLoopProc,
) -> Result<(), Errno> {
    waker(el)?;
    let post = memory::boxed(Post { proc, data, drop, next: ptr::null_mut() })?;
    let taken_in = el.state().wakeup.inbox.with(|inbox| {
        if !inbox.closed {
            inbox.posts.append(Posts { first: post.as_ptr(), last: post.as_ptr() });
        }
        !inbox.closed
    });
    if !taken_in {
        // SAFETY: it came from `boxed`, and nothing leads to it.
        unsafe { memory::unbox(post) };
        return Err(Errno::ECANCELED);
    }
    // It would fail for a descriptor that the program has closed, which is not its own. The post is there.
    let _ = wake(el);
    Ok(())
}

/// Ends the calls that are inside the loop as soon as the callbacks return that they are in; when there are none, the
/// next one. What has not been served fires again. Any thread and any signal handler may.
pub(crate) fn stop_now(el: Loop) -> Result<(), Errno> {
    // First: a call that fails has not stopped the loop.
    waker(el)?;
    break_off(el);
    el.set_stop(1);
    // As in `post`: the loop is stopped.
    let _ = wake(el);
    Ok(())
}

/// Whether the calls inside are to deliver nothing more: the loop is deleted, or stopped at once.
pub(crate) fn breaks_off(el: Loop) -> bool {
    el.state().breaks.load(Ordering::Relaxed)
}

/// Sees to it that the calls inside deliver nothing more.
pub(super) fn break_off(el: Loop) {
    let state = el.state();
    state.breaks.store(true, Ordering::SeqCst);
    state.has_end.store(true, Ordering::SeqCst);
    state.polls.settle_all();
}

/// Takes [`break_off`] back when the outermost call ends.
pub(super) fn go_on(el: Loop) {
    if el.state().breaks.swap(false, Ordering::SeqCst) {
        el.state().polls.go_on();
    }
}

/// Whether a wake-up, a post, a signal or what a request has found waits to be heard.
pub(super) fn is_told(el: Loop) -> bool {
    el.state().wakeup.told.load(Ordering::Acquire) || signals::are_waiting(el) || requests::are_waiting(el)
}

/// Delivers the signals that have come and what requests have found, and runs what has been posted, if this is the
/// waker's descriptor; says whether it is.
///
/// # Safety
/// A call is inside the loop, so that no callback frees it.
#[cold]
pub(super) unsafe fn fired(el: Loop, fd: c_int) -> bool {
    let wakeup = &el.state().wakeup;
    let Some(waker) = wakeup.known_waker().filter(|waker| waker.read == fd) else { return false };
    // In this order: what comes now tells the waker again.
    waker.clear();
    wakeup.told.swap(false, Ordering::AcqRel);
    if !el.state().signals.is_empty() {
        // SAFETY: a call is inside.
        unsafe { signals::deliver(el) };
    }
    if !el.state().requests.is_empty() {
        // SAFETY: a call is inside.
        unsafe { requests::deliver(el) };
    }
    let mut taken = wakeup.taken.get();
    taken.append(wakeup.inbox.with(|inbox| take(&mut inbox.posts)));
    wakeup.taken.set(taken);
    while !el.state().breaks.load(Ordering::Relaxed)
        && let Some(Post { proc, data, .. }) = next(wakeup)
    {
        // SAFETY: whoever has posted it lets it be called with its data; no reference is alive.
        unsafe { transmute::<*mut aeLoopProc, AeLoopProc>(proc)(el.as_ptr(), data) };
    }
    resume(el);
    true
}

fn next(wakeup: &Wakeup) -> Option<Post> {
    let mut taken = wakeup.taken.get();
    let post = taken.pop();
    wakeup.taken.set(taken);
    post
}

/// Has the next poll go on with what has been taken out and not been run: its call is gone, or is an outer one.
pub(super) fn resume(el: Loop) {
    if !el.state().wakeup.taken.get().is_empty() || signals::are_waiting(el) || requests::are_waiting(el) {
        // There is a waker, or nothing would have been taken.
        let _ = wake(el);
    }
}

/// Lets go of what has been posted, and takes nothing more.
///
/// # Safety
/// The loop is being freed: no function that is called here frees it.
pub(super) unsafe fn drop_posts(el: Loop) {
    let wakeup = &el.state().wakeup;
    // In the child of a fork another thread may have been at it, and is not there any more.
    let posts = wakeup.inbox.try_with(|inbox| {
        inbox.closed = true;
        take(&mut inbox.posts)
    });
    let mut left = wakeup.taken.take();
    left.append(posts.unwrap_or_default());
    while let Some(Post { drop, data, .. }) = left.pop() {
        if !drop.is_null() {
            // SAFETY: whoever has posted it lets it be called with its data; no reference is alive.
            unsafe { transmute::<*mut aeLoopProc, AeLoopProc>(drop)(el.as_ptr(), data) };
        }
    }
}
