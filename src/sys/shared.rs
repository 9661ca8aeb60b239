//! The library's own data of the whole process. It is free in the child of a fork, whatever other threads were doing.
//!
//! They are not there in the child, and what they had locked would stay locked. So a fork waits until it has all of it
//! itself, in the order of a list, and then lets go of it in both processes. It need not wait for long, nor for itself,
//! because nobody who has one of them asks for another.

use super::mutex::{Guard, Locked};
use super::thread;
use core::cell::Cell;
use core::ops::{Deref, DerefMut};
use core::sync::atomic::{AtomicBool, AtomicI32, Ordering::Relaxed};
use std::sync::OnceLock;

trait Held: Sync {
    fn hold(&self);

    /// # Safety
    /// As for [`Locked::release`].
    unsafe fn release(&self);

    fn next(&self) -> Option<&'static dyn Held>;
}

/// What a fork holds; what has been used first comes last.
struct List {
    first: Option<&'static dyn Held>,
}

static LIST: Locked<List> = Locked::new(List { first: None });
/// Forks know of it.
static IS_TOLD: AtomicBool = AtomicBool::new(false);

/// Data that one thread at a time reaches, for moments in which nobody is called, and nothing else that is shared is
/// reached.
pub(crate) struct Shared<T: 'static> {
    data: Locked<T>,
    /// The process that has had it last with [`Self::lock_own`]. Who has the data may look.
    process: AtomicI32,
    /// What comes behind it in the list, once it is there.
    next: OnceLock<Option<&'static dyn Held>>,
}

impl<T: Send> Shared<T> {
    pub(crate) const fn new(data: T) -> Self {
        Self { data: Locked::new(data), process: AtomicI32::new(0), next: OnceLock::new() }
    }

    /// Waits for the data, which is this thread's until the result goes.
    pub(crate) fn lock(&'static self) -> Taken<T> {
        if self.next.get().is_none() {
            self.enlist();
        }
        let only = Only::one();
        Taken { data: self.data.lock(), _only: only }
    }

    /// The same for a call.
    pub(crate) fn with<R>(&'static self, body: impl FnOnce(&mut T) -> R) -> R {
        body(&mut self.lock())
    }

    /// Waits for the data of this process: in the child of a fork, `forget` first takes out what is its parent's. It
    /// does so before the first time of all, too.
    pub(crate) fn lock_own(&'static self, forget: impl FnOnce(&mut T)) -> Taken<T> {
        let mut taken = self.lock();
        let process = thread::process();
        if self.process.swap(process, Relaxed) != process {
            forget(&mut taken);
        }
        taken
    }

    #[cold]
    fn enlist(&'static self) {
        // Nothing is held meanwhile: the C library lets a fork that is under way end first, which does not know of this.
        // Several threads may come here at once; then forks know of it more than once. Without memory for that, whoever
        // comes next tries again.
        if !IS_TOLD.load(Relaxed) {
            IS_TOLD.store(thread::at_fork(hold, release, release).is_ok(), Relaxed);
        }
        if IS_TOLD.load(Relaxed) {
            LIST.with(|list| {
                if self.next.set(list.first).is_ok() {
                    list.first = Some(self);
                }
            });
        }
    }
}

impl<T: Send> Held for Shared<T> {
    fn hold(&self) {
        self.data.hold();
    }

    unsafe fn release(&self) {
        // SAFETY: as promised.
        unsafe { self.data.release() };
    }

    fn next(&self) -> Option<&'static dyn Held> {
        *self.next.get()?
    }
}

/// The data of a [`Shared`], which is this thread's as long as this is there.
pub(crate) struct Taken<T: 'static> {
    data: Guard<'static, T>,
    _only: Only,
}

impl<T> Deref for Taken<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.data
    }
}

impl<T> DerefMut for Taken<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.data
    }
}

thread_local! {
    static HAS_ONE: Cell<bool> = const { Cell::new(false) };
}

/// That a thread has one at a time, which builds for tests look at.
struct Only;

impl Only {
    fn one() -> Self {
        if cfg!(debug_assertions) {
            assert!(!HAS_ONE.replace(true), "a fork and this thread could wait for each other");
        }
        Self
    }
}

impl Drop for Only {
    fn drop(&mut self) {
        if cfg!(debug_assertions) {
            HAS_ONE.set(false);
        }
    }
}

/// Those in the list. It is held.
fn all(list: &List) -> impl Iterator<Item = &'static dyn Held> {
    core::iter::successors(list.first, |shared| shared.next())
}

thread_local! {
    /// How often `hold` has been called for the fork that this thread is in.
    static HELD: Cell<u32> = const { Cell::new(0) };
}

unsafe extern "C" fn hold() {
    if HELD.replace(HELD.get() + 1) > 0 {
        return;
    }
    let list = LIST.lock();
    all(&list).for_each(Held::hold);
    // `release` lets go of it.
    core::mem::forget(list);
}

unsafe extern "C" fn release() {
    HELD.set(HELD.get() - 1);
    if HELD.get() > 0 {
        return;
    }
    // SAFETY: `hold` ran before the fork, in this thread.
    let list = unsafe { LIST.held() };
    // SAFETY: as above.
    all(&list).for_each(|shared| unsafe { shared.release() });
}

#[cfg(all(test, not(miri)))]
mod tests {
    use super::*;
    use crate::sys::thread::holds_in_a_child;
    use std::process::Command;

    static FIRST: Shared<u32> = Shared::new(1);
    static SECOND: Shared<u32> = Shared::new(2);

    fn are_free() -> bool {
        FIRST.data.try_with(|first| *first) == Some(1) && SECOND.data.try_with(|second| *second) == Some(2)
    }

    /// Called when a fork has come so far that it would copy what another thread has locked.
    unsafe extern "C" fn look() {
        let is_held = |shared: &Shared<u32>| shared.data.try_with(|_| ()).is_none();
        WERE_HELD.store(is_held(&FIRST) && is_held(&SECOND), Relaxed);
    }

    unsafe extern "C" fn nothing() {}

    static WERE_HELD: AtomicBool = AtomicBool::new(false);

    /// This test twice: once more in a process in which nothing has been shared before.
    #[test]
    fn a_fork_holds_what_is_shared_and_leaves_it_free() {
        const STEP: &str = "LIBAE_TEST_STEP";
        if std::env::var_os(STEP).is_none() {
            let mut myself = Command::new(std::env::current_exe().unwrap());
            let name = "sys::shared::tests::a_fork_holds_what_is_shared_and_leaves_it_free";
            assert!(myself.args(["--exact", name]).env(STEP, "fork").status().unwrap().success());
            return;
        }
        // What is registered first is called last.
        assert_eq!(thread::at_fork(look, nothing, nothing), Ok(()));
        FIRST.with(|first| assert_eq!(*first, 1));
        SECOND.with(|second| assert_eq!(*second, 2));
        assert!(are_free());
        assert!(holds_in_a_child(are_free));
        assert!(WERE_HELD.load(Relaxed) && are_free());
    }

    #[test]
    #[should_panic = "wait for each other"]
    fn nobody_has_two() {
        let _first = FIRST.lock();
        let _second = SECOND.lock();
    }
}
