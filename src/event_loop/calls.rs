//! The calls that are inside a loop: of `run` and `process_events`, each in a callback of the one before.

use super::timers::pool::Slot;
use crate::abi::ae::aeFiredEvent;
use crate::host::memory::ZeroedArray;
use crate::sys::Errno;
use crate::sys::thread::{self, Thread};
use core::mem::{MaybeUninit, replace, size_of};

pub(super) type FiredBuffer = ZeroedArray<aeFiredEvent>;

/// A stretch of the stack that a call has for itself. Those of two calls that are both inside do not overlap; where one
/// would, or comes before the other, the other call is gone.
pub(super) struct Place(MaybeUninit<[u8; 512]>);

impl Place {
    #[inline(always)]
    pub(super) fn new() -> Self {
        Self(MaybeUninit::uninit())
    }

    #[inline(always)]
    fn address(&self) -> usize {
        self.0.as_ptr().addr()
    }
}

/// A call that is inside.
struct Call {
    /// Where its [`Place`] is.
    place: usize,
    thread: Thread,
    /// The time event whose callback it runs.
    timer: Option<Slot>,
    /// The loop's buffer, which this call reads, while an inner one has given the loop another.
    lent: Option<FiredBuffer>,
    /// What this call reads in place of the loop's buffer.
    copy: Option<FiredBuffer>,
}

impl Call {
    fn new(place: usize, thread: Thread) -> Self {
        Self { place, thread, timer: None, lent: None, copy: None }
    }

    /// Whether the call is gone, for one that comes with its place `here`. Where that cannot be told it is not.
    fn is_gone(&self, here: usize, thread: Thread) -> bool {
        if self.thread != thread {
            return self.thread.has_ended();
        }
        // Stacks grow downwards. On a coroutine's, the addresses tell nothing.
        here + size_of::<Place>() > self.place
            && thread::stack().is_some_and(|stack| stack.contains(&here) && stack.contains(&self.place))
    }
}

/// The calls that are inside a loop.
pub(super) struct Calls {
    /// How many there are.
    depth: u32,
    /// The innermost, when there are any.
    innermost: Call,
    /// The others, the outermost first.
    outer: Vec<Call>,
}

impl Calls {
    pub(super) fn new() -> Self {
        Self { depth: 0, innermost: Call::new(0, Thread::NOBODY), outer: Vec::new() }
    }

    #[inline(always)]
    pub(super) fn depth(&self) -> u32 {
        self.depth
    }

    /// Adds the outermost call; false when there is one, or the last was in another thread.
    #[inline(always)]
    pub(super) fn enter_first(&mut self, place: &Place) -> bool {
        let is_first = self.depth == 0 && self.innermost.thread == Thread::known();
        if is_first {
            self.innermost.place = place.address();
            self.depth = 1;
        }
        is_first
    }

    /// Adds any call.
    pub(super) fn enter(&mut self, place: &Place) -> Result<(), Errno> {
        let call = Call::new(place.address(), Thread::this());
        if self.depth == 0 {
            self.innermost = call;
        } else {
            self.outer.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
            self.outer.push(replace(&mut self.innermost, call));
        }
        self.depth += 1;
        Ok(())
    }

    /// Takes out the outermost call, if the one that is `depth` deep is that, and has none inside.
    #[inline(always)]
    pub(super) fn leave_first(&mut self, depth: u32) -> bool {
        let is_first = self.depth == 1 && depth == 1;
        if is_first {
            self.depth = 0;
        }
        is_first
    }

    /// Takes out the innermost call; returns the buffer that it owes to the one it was in.
    pub(super) fn leave(&mut self) -> Option<FiredBuffer> {
        self.depth -= 1;
        if let Some(outer) = self.outer.pop() {
            self.innermost = outer;
        }
        self.innermost.lent.take()
    }

    /// How many calls there still are when one comes with this place.
    pub(super) fn still_there(&self, place: &Place) -> u32 {
        let (here, thread) = (place.address(), Thread::this());
        let gone = |call: &Call| call.is_gone(here, thread);
        // An outer call that is gone takes the inner ones with it.
        match self.outer.iter().position(gone) {
            Some(index) => index as u32,
            None if self.depth > 0 && gone(&self.innermost) => self.depth - 1,
            None => self.depth,
        }
    }

    /// Notes whose callback the innermost call is about to run.
    #[inline(always)]
    pub(super) fn begin_timer(&mut self, slot: Slot) {
        self.innermost.timer = Some(slot);
    }

    /// Notes that it has returned. False when the call was taken for gone, and the run has been ended.
    #[inline(always)]
    pub(super) fn end_timer(&mut self, slot: Slot) -> bool {
        self.take_timer() == Some(slot)
    }

    /// Whose callback the innermost call was running.
    #[inline(always)]
    pub(super) fn take_timer(&mut self) -> Option<Slot> {
        self.innermost.timer.take()
    }

    /// Keeps what the innermost call reads until it ends, or keeps something else.
    pub(super) fn keep(&mut self, copy: FiredBuffer) {
        self.innermost.copy = Some(copy);
    }

    /// Whether the innermost call would write into the buffer that the one it is in still reads.
    pub(super) fn needs_buffer(&self) -> bool {
        self.outer.last().is_some_and(|outer| outer.lent.is_none())
    }

    /// Keeps the buffer that the outer call reads, until it goes on.
    pub(super) fn lend(&mut self, buffer: FiredBuffer) {
        if let Some(outer) = self.outer.last_mut() {
            outer.lent = Some(buffer);
        }
    }
}
