//! The user that a TLS client's certificate names, in the profiles whose servers log clients in by it.

use super::border::{handle, member};
use crate::abi::connection::*;
use core::ffi::c_char;
use core::ptr;

/// The user's name in the certificate of a TLS client, as an owned string (see `libaeHost.new_string`): its first
/// common name, where `redisTLSContextConfig.client_auth_user` says so. NULL when there is none, when it has a NUL byte
/// inside (upstream cuts it there and takes the client for another user), before the handshake has ended, and for TCP
/// and unix sockets.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread.
#[cfg(abi_peer_username)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connGetPeerUsername(conn: *mut connection) -> *mut c_char {
    // SAFETY: NULL or live.
    let get = member(unsafe { handle(conn) }, None, |conn| conn.of_type(|ct| ct.get_peer_username));
    // SAFETY: live, and of this type.
    get.map_or(ptr::null_mut(), |get| unsafe { get(conn) })
}

/// The user that the certificate of a TLS client names, if `libaeHost.enabled_user` has it: by the first common name,
/// or by the first URI among the alternative names that is a user's, as `redisTLSContextConfig.client_auth_user` says.
/// NULL when there is none, before the handshake has ended, and for TCP and unix sockets. `cert_username`, when not
/// NULL, is set to the name that was looked for, or the last one, as an owned string (see `libaeHost.new_string`), and
/// left alone when there was none. A common name with a NUL byte inside is nobody's and has `\x00` in place of it; such
/// a URI does not count.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread; `cert_username` is NULL or valid.
#[cfg(abi_valkey_9_1)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connGetPeerUser(conn: *mut connection, cert_username: *mut *mut c_char) -> *mut user {
    // SAFETY: NULL or live.
    let get = member(unsafe { handle(conn) }, None, |conn| conn.of_type(|ct| ct.get_peer_user));
    // SAFETY: live, and of this type; NULL or valid.
    get.map_or(ptr::null_mut(), |get| unsafe { get(conn, cert_username) })
}
