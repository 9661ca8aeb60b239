//! The calls that are inside a loop: of `run` and `process_events`, each in a callback of the one before.

use super::timers::pool::Slot;
use crate::abi::ae::aeFiredEvent;
use crate::host::memory::ZeroedArray;
use crate::sys::thread::{self, Thread};
use core::mem::{MaybeUninit, size_of};

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
    pub(super) fn address(&self) -> usize {
        self.0.as_ptr().addr()
    }
}

/// A call that is inside.
pub(super) struct Call {
    /// Where its [`Place`] is.
    pub(super) place: usize,
    pub(super) thread: Thread,
    /// The time event whose callback it runs.
    pub(super) timer: Option<Slot>,
    /// The loop's buffer, which this call reads, while an inner one has given the loop another.
    pub(super) lent: Option<FiredBuffer>,
    /// What this call reads in place of the loop's buffer.
    pub(super) copy: Option<FiredBuffer>,
}

impl Call {
    pub(super) fn new(place: usize, thread: Thread) -> Self {
        Self { place, thread, timer: None, lent: None, copy: None }
    }

    /// Whether the call is gone, for one that comes with its place `here`. Where that cannot be told it is not.
    pub(super) fn is_gone(&self, here: usize, thread: Thread) -> bool {
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
    pub(super) depth: u32,
    /// The innermost, when there are any.
    pub(super) innermost: Call,
    /// The others, the outermost first.
    pub(super) outer: Vec<Call>,
}

impl Calls {
    pub(super) fn new() -> Self {
        Self { depth: 0, innermost: Call::new(0, Thread::NOBODY), outer: Vec::new() }
    }

    #[inline(always)]
    pub(super) fn depth(&self) -> u32 {
        self.depth
    }

    /// Notes whose callback the innermost call is about to run.
    #[inline(always)]
    pub(super) fn begin_timer(&mut self, slot: Slot) {
        self.innermost.timer = Some(slot);
    }

    /// Notes that it has returned. False when the call was taken for gone, and the run has been ended.
    #[inline(always)]
    pub(super) fn end_timer(&mut self, slot: Slot) -> bool {
        self.innermost.timer.take() == Some(slot)
    }

    /// Keeps what the innermost call reads until it ends, or keeps something else.
    pub(super) fn keep(&mut self, copy: FiredBuffer) {
        self.innermost.copy = Some(copy);
    }
}
