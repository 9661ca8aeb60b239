//! Signals, and children that end.

use super::EventLoop;
use super::arguments::io_error;
use super::border::guarded;
use crate::abi::ae::aeEventLoop;
use crate::abi::embedding::{AeChildProc, AeSignalProc, aeChildProc, aeSignalProc, pid_t};
use crate::event_loop as core_loop;
use crate::sys::Errno;
use core::ffi::{c_int, c_void};
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::ptr;
use std::rc::Rc;

impl EventLoop {
    /// Calls `callback` after a signal has come, in the loop, where it may do anything; in place of the callback that
    /// there was for it, and of what the process did with the signal before. Signals that come before the loop has
    /// heard of one are one. Fails with `EBUSY` when another loop watches it, and `EINVAL` when it cannot be handled.
    ///
    /// ```
    /// use ae::EventLoop;
    ///
    /// let el = EventLoop::new(64)?;
    /// el.watch_signal(libc::SIGTERM, |el| el.stop())?;
    /// // SAFETY: the signal has a handler.
    /// unsafe { libc::raise(libc::SIGTERM) };
    /// el.run()?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn watch_signal(&self, signal: i32, callback: impl Fn(&Self) + 'static) -> io::Result<()> {
        let proc = came as AeSignalProc as *mut aeSignalProc;
        // SAFETY: it needs no data, but finds its closure by the signal.
        unsafe { core_loop::create_signal_event(self.core(), signal, proc, ptr::null_mut()) }.map_err(io_error)?;
        let before = self.signals().borrow_mut().insert(signal, Rc::new(callback));
        // Only now: a closure's destructor may call the loop.
        drop(before);
        Ok(())
    }

    /// Leaves a signal to what the process did with it before; false when it is not watched.
    pub fn unwatch_signal(&self, signal: i32) -> bool {
        let deleted = core_loop::delete_signal_event(self.core(), signal);
        let before = self.signals().borrow_mut().remove(&signal);
        drop(before);
        deleted.is_ok()
    }

    /// Calls `callback` once when a child of this process has ended, whose number is that of
    /// [`std::process::Child::id`]. The loop waits for it: others need not, and get no status. The callback gets None
    /// when another has been first. Fails with `ESRCH` when there is no such process, `EEXIST` when the loop waits for
    /// it already, and `ENOSYS` where the system cannot.
    ///
    /// ```
    /// use ae::EventLoop;
    /// use std::process::Command;
    ///
    /// let el = EventLoop::new(64)?;
    /// let child = Command::new("sh").args(["-c", "exit 3"]).spawn()?;
    /// el.watch_child(child.id(), |el, status| {
    ///     assert_eq!(status.and_then(|status| status.code()), Some(3));
    ///     el.stop();
    /// })?;
    /// el.run()?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn watch_child(&self, pid: u32, callback: impl FnOnce(&Self, Option<ExitStatus>) + 'static) -> io::Result<()> {
        let pid = pid_t::try_from(pid).map_err(|_| io_error(Errno::EINVAL))?;
        let proc = ended as AeChildProc as *mut aeChildProc;
        // SAFETY: it needs no data, but finds its closure by the process.
        unsafe { core_loop::create_child_event(self.core(), pid, proc, ptr::null_mut()) }.map_err(io_error)?;
        self.children().borrow_mut().insert(pid, Box::new(callback));
        Ok(())
    }

    /// Waits for a child no more, which is the program's to wait for again; false when the loop does not.
    pub fn unwatch_child(&self, pid: u32) -> bool {
        let Ok(pid) = pid_t::try_from(pid) else { return false };
        let deleted = core_loop::delete_child_event(self.core(), pid);
        let before = self.children().borrow_mut().remove(&pid);
        drop(before);
        deleted.is_ok()
    }
}

unsafe extern "C" fn came(raw: *mut aeEventLoop, signal: c_int, _data: *mut c_void) {
    // SAFETY: called by a loop of this type.
    let el = unsafe { EventLoop::of(raw) };
    let callback = el.signals().borrow().get(&signal).cloned();
    if let Some(callback) = callback {
        guarded((), || callback(&el));
    }
}

unsafe extern "C" fn ended(raw: *mut aeEventLoop, pid: pid_t, status: c_int, _data: *mut c_void) {
    // SAFETY: called by a loop of this type.
    let el = unsafe { EventLoop::of(raw) };
    let callback = el.children().borrow_mut().remove(&pid);
    let status = (status != -1).then(|| ExitStatus::from_raw(status));
    if let Some(callback) = callback {
        guarded((), || callback(&el, status));
    }
}
