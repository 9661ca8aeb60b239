//! Callback types of `libae.h`'s functions around a loop; see [`super::ae`] for how they are written.

use super::ae::aeEventLoop;
use core::ffi::{c_char, c_int, c_longlong, c_void};

/// The first of the descriptors that `libaeListenFds` counts.
pub const LIBAE_LISTEN_FDS_START: c_int = 3;
/// How many descriptors of ordinary priority are served until those of high priority are looked at again.
pub const LIBAE_ORDINARY_PER_LOOK: c_int = 4;

/// How many threads resolve names for `libaeResolve` and `libaeConnectName` at the same time, in the whole process.
pub const LIBAE_RESOLVE_THREADS: c_int = 4;
/// How many names may wait to be resolved, or for a loop to hear of them, in the whole process.
pub const LIBAE_RESOLVE_MAX: c_int = 1024;

/// What has come out of `libaeResolve`. All of it lives as long as the call that it is for.
#[repr(C)]
pub struct libaeResolved {
    /// 0; or why there is no address: an errno, the nearest to what the resolver says.
    pub error: c_int,
    /// How many addresses there are, 0 when there is an error.
    pub count: c_int,
    /// The addresses as text, in the order in which they are to be tried, and a NULL behind.
    pub addresses: *const *const c_char,
    /// What the resolver says, empty when there is no error.
    pub text: *const c_char,
}

/// The system's number of a process.
pub type pid_t = c_int;

/// Stands for the C function type `aeLoopProc`; see [`AeLoopProc`].
#[repr(C)]
pub struct aeLoopProc {
    _opaque: [u8; 0],
}

/// Stands for the C function type `aePeriodicProc`; see [`AePeriodicProc`].
#[repr(C)]
pub struct aePeriodicProc {
    _opaque: [u8; 0],
}

/// Stands for the C function type `aeSignalProc`; see [`AeSignalProc`].
#[repr(C)]
pub struct aeSignalProc {
    _opaque: [u8; 0],
}

/// Stands for the C function type `aeChildProc`; see [`AeChildProc`].
#[repr(C)]
pub struct aeChildProc {
    _opaque: [u8; 0],
}

/// Stands for the C function type `libaeResolveProc`; see [`LibaeResolveProc`].
#[repr(C)]
pub struct libaeResolveProc {
    _opaque: [u8; 0],
}

/// Stands for the C function type `libaeConnectProc`; see [`LibaeConnectProc`].
#[repr(C)]
pub struct libaeConnectProc {
    _opaque: [u8; 0],
}

/// Called once with what has come out of `libaeResolve`.
pub type LibaeResolveProc = unsafe extern "C" fn(*mut aeEventLoop, *const libaeResolved, *mut c_void);
/// Called once with the socket that `libaeConnectName` has connected; or with -1, an errno and what failed.
pub type LibaeConnectProc = unsafe extern "C" fn(*mut aeEventLoop, c_int, c_int, *const c_char, *mut c_void);
/// Called once with the loop and the data that came with it.
pub type AeLoopProc = unsafe extern "C" fn(*mut aeEventLoop, *mut c_void);
/// Called at even distances; returns `AE_NOMORE` to end that.
pub type AePeriodicProc = unsafe extern "C" fn(*mut aeEventLoop, c_longlong, *mut c_void) -> c_int;
/// Called in the loop when a signal has come.
pub type AeSignalProc = unsafe extern "C" fn(*mut aeEventLoop, c_int, *mut c_void);
/// Called once when a child has ended: the loop, its process id, its status as `waitpid` gives it.
pub type AeChildProc = unsafe extern "C" fn(*mut aeEventLoop, pid_t, c_int, *mut c_void);
