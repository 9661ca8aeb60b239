//! Children whose end is told in the loop: a descriptor of each is a file event.

use super::file_events::{create_file_event, delete_file_event};
use super::handle::Loop;
use crate::abi::ae::*;
use crate::abi::embedding::{AeChildProc, aeChildProc, pid_t};
use crate::sys::{Errno, fd, signal};
use core::cell::Cell;
use core::ffi::{c_int, c_void};
use core::mem::transmute;
use core::ptr::NonNull;

struct Child {
    pid: pid_t,
    fd: c_int,
    proc: *mut aeChildProc,
    data: *mut c_void,
}

/// A loop's children.
#[derive(Default)]
pub(super) struct Children(Cell<Vec<Child>>);

impl Children {
    /// Nobody is called in `body`.
    fn with<R>(&self, body: impl FnOnce(&mut Vec<Child>) -> R) -> R {
        let mut children = self.0.take();
        let result = body(&mut children);
        self.0.set(children);
        result
    }

    fn take(&self, is_it: impl Fn(&Child) -> bool) -> Option<Child> {
        self.with(|children| children.iter().position(is_it).map(|index| children.swap_remove(index)))
    }
}

impl Drop for Children {
    fn drop(&mut self) {
        self.0.take().iter().for_each(|child| _ = fd::close(child.fd));
    }
}

/// Has the loop wait for a child and call `proc` once with its status, -1 when it has been waited for elsewhere. `EINVAL`
/// for what is no process, `EEXIST` when it does already, `ENOSYS` where the system cannot.
///
/// # Safety
/// `proc` is a function of its type that may be called with `data`.
pub(crate) unsafe fn create_child_event(
    el: Loop,
    pid: pid_t,
    proc: *mut aeChildProc,
    data: *mut c_void,
) -> Result<(), Errno> {
    if pid < 1 {
        return Err(Errno::EINVAL);
    }
    let children = &el.state().children;
    children.with(|children| {
        let is_there = children.iter().any(|child| child.pid == pid);
        if is_there { Err(Errno::EEXIST) } else { children.try_reserve(1).map_err(|_| Errno::ENOMEM) }
    })?;
    let fd = signal::child_fd(pid)?;
    let ended = ended as AeFileProc as *mut aeFileProc;
    // SAFETY: it needs no data, but finds its child by the descriptor.
    let created = unsafe { create_file_event(el, fd, AE_READABLE, ended, core::ptr::null_mut()) };
    created.inspect_err(|_| _ = fd::close(fd))?;
    children.with(|children| children.push(Child { pid, fd, proc, data }));
    Ok(())
}

/// Waits for a child no more; `ENOENT` when the loop does not.
pub(crate) fn delete_child_event(el: Loop, pid: pid_t) -> Result<(), Errno> {
    let child = el.state().children.take(|child| child.pid == pid).ok_or(Errno::ENOENT)?;
    forget(el, &child);
    Ok(())
}

fn forget(el: Loop, child: &Child) {
    delete_file_event(el, child.fd, AE_READABLE);
    let _ = fd::close(child.fd);
}

unsafe extern "C" fn ended(raw: *mut aeEventLoop, fd: c_int, _data: *mut c_void, _mask: c_int) {
    // SAFETY: called by a loop, which is not NULL.
    let el = unsafe { Loop::new(NonNull::new_unchecked(raw)) };
    let pid = el.state().children.with(|children| children.iter().find(|child| child.fd == fd).map(|child| child.pid));
    let Some(pid) = pid else { return };
    let status = match signal::status_of_child(pid) {
        Ok(None) => return,
        Ok(Some(status)) => status,
        Err(_) => -1,
    };
    if let Some(child) = el.state().children.take(|child| child.fd == fd) {
        forget(el, &child);
        // SAFETY: whoever has created it lets it be called with its data; no reference is alive.
        unsafe { transmute::<*mut aeChildProc, AeChildProc>(child.proc)(raw, pid, status, child.data) };
    }
}
