//! Who a registered type is: a name up to valkey-8.1, a number from valkey-9.0 on. Headers spell the numbers as
//! upstream's enumeration.

use super::connection::ConnectionType;
use core::ffi::CStr;
#[cfg(abi_valkey_9)]
use core::ffi::c_int;

/// The number of no type.
#[cfg(abi_valkey_9)]
pub const CONN_TYPE_INVALID: c_int = -1;
/// The number of the built-in type for TCP sockets.
#[cfg(abi_valkey_9)]
pub const CONN_TYPE_SOCKET: c_int = 0;
/// The number of the built-in type for unix sockets.
#[cfg(abi_valkey_9)]
pub const CONN_TYPE_UNIX: c_int = 1;
/// The number of the TLS type.
#[cfg(abi_valkey_9)]
pub const CONN_TYPE_TLS: c_int = 2;
/// The number of the RDMA type, which a program can bring.
#[cfg(abi_valkey_9)]
pub const CONN_TYPE_RDMA: c_int = 3;
/// How many connection types there are.
#[cfg(abi_valkey_9)]
pub const CONN_TYPE_MAX: usize = 4;

/// A type's name, and its place in the table of types where the type says it.
pub(crate) struct Identity<'a> {
    pub(crate) name: &'a CStr,
    pub(crate) place: Option<usize>,
}

/// Who a type is; None when it does not say, or says a number that there is not.
///
/// # Safety
/// `ct` is a connection type that stays.
pub(crate) unsafe fn identity<'a>(ct: *mut ConnectionType) -> Option<Identity<'a>> {
    #[cfg(not(abi_valkey_9))]
    // SAFETY: a type that stays; its name is a static string.
    unsafe {
        let name = (*ct).get_type?(core::ptr::null_mut());
        (!name.is_null()).then(|| Identity { name: CStr::from_ptr(name), place: None })
    }
    #[cfg(abi_valkey_9)]
    {
        // SAFETY: a type that stays.
        let id = unsafe { (*ct).get_type?() };
        let place = usize::try_from(id).ok().filter(|place| *place < CONN_TYPE_MAX)?;
        Some(Identity { name: type_name(id), place: Some(place) })
    }
}

/// The name of a numbered type.
#[cfg(abi_valkey_9)]
pub(crate) fn type_name(id: c_int) -> &'static CStr {
    match id {
        CONN_TYPE_SOCKET => c"tcp",
        CONN_TYPE_UNIX => c"unix",
        CONN_TYPE_TLS => c"tls",
        CONN_TYPE_RDMA => c"rdma",
        _ => c"invalid type",
    }
}
