//! What other threads do with a loop.

use super::arguments::io_error;
use super::border::guarded;
use super::event_loop::EventLoop;
use crate::abi::ae::aeEventLoop;
use crate::abi::embedding::{AeLoopProc, aeLoopProc};
use crate::event_loop::{self as core_loop, Loop, with_loop};
use crate::sys::Errno;
use core::ffi::c_void;
use std::io;

type Posted = Box<dyn FnOnce(&EventLoop) + Send>;

/// A handle by which any thread may wake a loop, leave it work and stop it. It does not keep the loop: when that is
/// gone, everything here fails with `ECANCELED`.
///
/// ```
/// use ae::EventLoop;
/// use std::thread;
///
/// let el = EventLoop::new(64)?;
/// let waker = el.waker();
/// let worker = thread::spawn(move || {
///     let answer = 6 * 7;
///     waker.post(move |el| {
///         assert_eq!(answer, 42);
///         el.stop();
///     })
/// });
/// el.run()?;
/// worker.join().unwrap()?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Waker {
    /// The loop's number, which no other loop gets.
    number: u64,
}

impl EventLoop {
    /// What other threads may have, to wake the loop, leave it work and stop it.
    pub fn waker(&self) -> Waker {
        Waker { number: self.core().number() }
    }
}

impl Waker {
    /// Makes the poll that is under way return, or the next one not wait. Many calls before the loop has heard of the
    /// first are one.
    pub fn wake(&self) -> io::Result<()> {
        self.with(core_loop::wake)
    }

    /// Has the loop call `work` once, in its own thread, behind what has been posted before. If the loop goes first,
    /// `work` is dropped.
    pub fn post(&self, work: impl FnOnce(&EventLoop) + Send + 'static) -> io::Result<()> {
        let work: Box<Posted> = Box::new(Box::new(work));
        let data = Box::into_raw(work);
        let (run, forget) = (run as AeLoopProc as *mut aeLoopProc, forget as AeLoopProc as *mut aeLoopProc);
        // SAFETY: functions for such data, of which one is called once, in whatever thread the loop is used or freed.
        let posted = self.with(|el| unsafe { core_loop::post(el, run, data.cast(), forget) });
        posted.inspect_err(|_| {
            // SAFETY: not taken over.
            drop(unsafe { Box::from_raw(data) });
        })
    }

    /// Ends [`EventLoop::run`] and its like as soon as the callback that is running returns; when none is, the next
    /// call. What is left fires again then.
    pub fn stop_now(&self) -> io::Result<()> {
        self.with(core_loop::stop_now)
    }

    fn with(&self, body: impl FnOnce(Loop) -> Result<(), Errno>) -> io::Result<()> {
        with_loop(self.number, body).unwrap_or(Err(Errno::ECANCELED)).map_err(io_error)
    }
}

unsafe extern "C" fn run(raw: *mut aeEventLoop, data: *mut c_void) {
    // SAFETY: called once by a loop of this type, with the closure that `post` made.
    let (el, work) = unsafe { (EventLoop::of(raw), Box::from_raw(data.cast::<Posted>())) };
    guarded((), || work(&el));
}

unsafe extern "C" fn forget(_raw: *mut aeEventLoop, data: *mut c_void) {
    // SAFETY: the closure that `post` made, which is not called any more.
    drop(unsafe { Box::from_raw(data.cast::<Posted>()) });
}
