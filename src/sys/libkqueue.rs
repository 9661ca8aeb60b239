//! kqueue(2) on Linux, where a library has to offer it: the declarations of libkqueue, which the libc crate lacks. For
//! tests alone (`LIBAE_KQUEUE` in build.rs).

use core::ffi::{c_int, c_uint, c_ushort, c_void};

#[allow(non_camel_case_types)] // As where the system has it.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct kevent {
    pub(crate) ident: usize,
    pub(crate) filter: i16,
    pub(crate) flags: c_ushort,
    pub(crate) fflags: c_uint,
    pub(crate) data: isize,
    pub(crate) udata: *mut c_void,
}

pub(crate) const EVFILT_READ: i16 = -1;
pub(crate) const EVFILT_WRITE: i16 = -2;
pub(crate) const EVFILT_TIMER: i16 = -7;
pub(crate) const EV_ADD: c_ushort = 0x1;
pub(crate) const EV_DELETE: c_ushort = 0x2;
pub(crate) const EV_ENABLE: c_ushort = 0x4;
pub(crate) const EV_DISABLE: c_ushort = 0x8;
pub(crate) const EV_ONESHOT: c_ushort = 0x10;
pub(crate) const EV_ERROR: c_ushort = 0x4000;
pub(crate) const EV_EOF: c_ushort = 0x8000;

unsafe extern "C" {
    pub(crate) fn kqueue() -> c_int;
    pub(crate) fn kevent(
        queue: c_int,
        changes: *const kevent,
        change_count: c_int,
        events: *mut kevent,
        capacity: c_int,
        limit: *const libc::timespec,
    ) -> c_int;
}
