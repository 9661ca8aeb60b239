//! What a loop knows of its time events; `events` keeps it true.

use super::heap::Heap;
use super::index::TimerIndex;
use super::moved::Moved;
use super::pool::{Slot, TimerPool};
use crate::abi::ae::*;
use crate::event_loop::handle::Loop;
use crate::sys::Errno;
use core::ffi::{c_longlong, c_void};
use core::mem::replace;
use core::ptr;

/// The time events of a loop.
///
/// What is kept once there have been many: 8 MB of the pool, 2 MB of the heap, and about 10 bytes for each of the most
/// that were alive at once.
pub(in crate::event_loop) struct Timers {
    pub(super) pool: TimerPool,
    pub(super) index: TimerIndex,
    pub(super) heap: Heap,
    pub(super) moved: Moved,
    /// Deadlines have been changed, or a program that waits elsewhere is to hear of them: what most loops do without.
    pub(in crate::event_loop) is_watched: bool,
    /// How many there are that are not deleted.
    pub(in crate::event_loop) live: usize,
    /// How many calls of `timeProc` are running.
    pub(super) running: usize,
    /// Deleted, to be finalized; linked by `next`, with their slots in `when`.
    retired: *mut aeTimeEvent,
    /// Of these, those whose turn it is.
    finalizing: *mut aeTimeEvent,
    /// When the next pass has something to do, as it was before `changed`.
    next: Option<monotime>,
    pub(super) changed: bool,
}

impl Timers {
    pub(in crate::event_loop) fn new() -> Self {
        Self {
            pool: TimerPool::default(),
            index: TimerIndex::new(),
            heap: Heap::default(),
            moved: Moved::default(),
            is_watched: false,
            live: 0,
            running: 0,
            retired: ptr::null_mut(),
            finalizing: ptr::null_mut(),
            next: None,
            changed: false,
        }
    }

    /// When the next pass has something to do; 0 when it has already.
    ///
    /// # Safety
    /// These are the timers of `el`.
    pub(in crate::event_loop) unsafe fn next_deadline(&mut self, el: Loop) -> Option<monotime> {
        if self.changed {
            // SAFETY: these are its timers.
            unsafe { self.look(el) };
        }
        self.next
    }

    /// The same for a program that asks. Between two callbacks of a pass what has come due meanwhile stays out of the
    /// pass.
    ///
    /// # Safety
    /// As for [`Timers::next_deadline`].
    pub(in crate::event_loop) unsafe fn deadline_to_tell(&mut self, el: Loop) -> Option<monotime> {
        if self.running == 0 {
            // SAFETY: these are its timers.
            return unsafe { self.next_deadline(el) };
        }
        // SAFETY: these are its timers.
        unsafe { self.unlink_deleted(el) };
        let first = self.heap.peek(|key| slot_of(&self.index, &self.moved, key).is_some());
        if self.has_retired() { Some(0) } else { first }
    }

    /// Does what has been put off, and finds the first deadline.
    ///
    /// # Safety
    /// As for [`Timers::next_deadline`].
    #[inline(never)]
    unsafe fn look(&mut self, el: Loop) {
        // SAFETY: these are its timers.
        unsafe { self.unlink_deleted(el) };
        let first = self.heap.first(|key| slot_of(&self.index, &self.moved, key).is_some());
        self.next = if self.has_retired() { Some(0) } else { first };
        self.changed = false;
    }

    /// Whether finalizers are waiting.
    ///
    /// # Safety
    /// As for [`Timers::next_deadline`].
    pub(in crate::event_loop) unsafe fn has_deleted(&mut self, el: Loop) -> bool {
        // SAFETY: these are its timers.
        unsafe { self.next_deadline(el) };
        self.has_retired()
    }

    fn has_retired(&self) -> bool {
        !self.retired.is_null() || !self.finalizing.is_null()
    }

    /// Takes the deleted events out of the list, to free them or to have their finalizers run in the next pass.
    ///
    /// # Safety
    /// As for [`Timers::next_deadline`].
    pub(super) unsafe fn unlink_deleted(&mut self, el: Loop) {
        let retired = &mut self.retired;
        // SAFETY: these are its timers. What is condemned is in the list, and nothing in the list has been freed.
        self.pool.take_condemned(|slot, event| unsafe {
            // One that runs is condemned once more when it has.
            if (*event).refcount > 0 {
                return false;
            }
            let (prev, next) = ((*event).prev, (*event).next);
            match prev.as_mut() {
                Some(prev) => prev.next = next,
                None => el.set_timer_list(next),
            }
            if let Some(next) = next.as_mut() {
                next.prev = prev;
            }
            if (*event).finalizerProc.is_null() {
                return true;
            }
            (*event).when = slot.into();
            (*event).next = replace(retired, event);
            false
        });
    }

    /// Makes it the turn of the events that are waiting for their finalizers, unless earlier ones are left whose turn
    /// it was.
    pub(super) fn begin_finalizing(&mut self) {
        self.changed |= self.has_retired();
        if self.finalizing.is_null() {
            self.finalizing = replace(&mut self.retired, ptr::null_mut());
        }
    }

    /// Frees one of those whose turn it is; returns its finalizer, and what that is called with.
    pub(super) fn next_to_finalize(&mut self) -> Option<(*mut aeEventFinalizerProc, *mut c_void)> {
        // SAFETY: those in the list are in use, and nothing else leads to them.
        let event = unsafe { self.finalizing.as_ref() }?;
        let (finalizer, slot) = ((event.finalizerProc, event.clientData), event.when as Slot);
        self.finalizing = event.next;
        self.pool.free(slot);
        Some(finalizer)
    }

    /// Ends a run of an event. It waits for its next one, at this time or at the one it waited for, unless it is
    /// deleted.
    pub(in crate::event_loop) fn end_run(&mut self, slot: Slot, again: Option<monotime>) {
        self.running -= 1;
        // SAFETY: its refcount has kept it in use, and no reference to it is alive.
        let event = unsafe { &mut *self.pool.get(slot) };
        event.refcount -= 1;
        if event.id == c_longlong::from(AE_DELETED_EVENT_ID) {
            self.pool.condemn(slot);
            self.changed = true;
        } else {
            event.when = again.unwrap_or(event.when);
            let key = if self.is_watched { self.moved.key_of(event.id) } else { event.id };
            self.wait(event.when, key);
        }
    }

    /// Gives an event in the heap another deadline.
    pub(super) fn move_to(&mut self, slot: Slot, when: monotime) -> Result<(), Errno> {
        self.moved.make_room()?;
        self.is_watched = true;
        // What it has there until now is in the way.
        self.heap.forget();
        let room = if self.heap.has_room(self.live) {
            Ok(())
        } else {
            self.heap.make_room(self.live, |key| slot_of(&self.index, &self.moved, key).is_some())
        };
        room.inspect_err(|_| self.heap.remember())?;
        // SAFETY: the slot is that of an event in use, and no reference to it is alive.
        let event = unsafe { &mut *self.pool.get(slot) };
        event.when = when;
        let key = self.moved.give(event.id);
        self.wait(when, key);
        Ok(())
    }

    /// Whether there is room for one more, with this id. Then there is for every live event in the heap, so that
    /// putting one back after its callback cannot fail.
    pub(super) fn has_room(&self, id: c_longlong) -> bool {
        self.pool.has_room() && self.heap.has_room(self.live + 1) && self.index.has_room(id)
    }

    /// Makes that room.
    ///
    /// # Safety
    /// As for [`Timers::next_deadline`].
    #[cold]
    pub(super) unsafe fn make_room(&mut self, el: Loop, id: c_longlong) -> Result<(), Errno> {
        // A program may create and delete for long before it returns to the loop.
        if self.heap.is_mostly_dead() {
            // SAFETY: these are its timers.
            unsafe { self.unlink_deleted(el) };
        }
        if !self.pool.has_room() {
            self.pool.make_room()?;
        }
        if !self.heap.has_room(self.live + 1) {
            self.heap.make_room(self.live + 1, |key| slot_of(&self.index, &self.moved, key).is_some())?;
        }
        if self.index.has_room(id) { Ok(()) } else { self.index.make_room(id) }
    }

    /// Makes an event wait for its time. The pass under way does not see it, though its time may have come already.
    pub(super) fn wait(&mut self, when: monotime, key: c_longlong) {
        self.heap.push(when, key);
        self.changed = true;
    }

    /// Takes the first event that is due, of those that the last look has seen.
    pub(super) fn pop_due(&mut self, now: monotime) -> Option<Slot> {
        self.changed = true;
        if self.is_watched { self.pop_due_of_moved(now) } else { self.heap.pop_due(now, |id| self.index.get(id)) }
    }

    #[cold]
    fn pop_due_of_moved(&mut self, now: monotime) -> Option<Slot> {
        self.heap.pop_due(now, |key| slot_of(&self.index, &self.moved, key))
    }
}

/// When so many milliseconds have passed.
pub(super) fn deadline(now: monotime, milliseconds: c_longlong) -> monotime {
    now.saturating_add((milliseconds.max(0) as u64).saturating_mul(1000))
}

/// The event that a key in the heap stands for.
fn slot_of(index: &TimerIndex, moved: &Moved, key: c_longlong) -> Option<Slot> {
    if moved.is_unused() { index.get(key) } else { moved.id_of(key).and_then(|id| index.get(id)) }
}
