//! Types and constants of `libae.h`: the host's hook table.

use super::ae::aeEventLoop;
use super::connection::{connListener, connection};
use core::ffi::{c_char, c_int, c_longlong, c_void};

/// `libaeHost.log`: detail for debugging.
pub const LIBAE_LOG_DEBUG: c_int = 0;
/// `libaeHost.log`: detail.
pub const LIBAE_LOG_VERBOSE: c_int = 1;
/// `libaeHost.log`: normal events.
pub const LIBAE_LOG_NOTICE: c_int = 2;
/// `libaeHost.log`: something is wrong.
pub const LIBAE_LOG_WARNING: c_int = 3;

/// `libaeHost.accepted`: the connection came over a unix socket. The value of upstream's
/// `CLIENT_UNIX_SOCKET`, so that `acceptCommonHandler` takes the flags as they are.
pub const LIBAE_ACCEPTED_UNIX: c_int = 1 << 11;

/// How many connections one call of an accept handler takes at most when the host does not say.
pub const LIBAE_ACCEPTS_PER_CALL: c_int = 1000;
/// The listen backlog when the host does not say.
pub const LIBAE_TCP_BACKLOG: c_int = 511;
/// How long, in milliseconds, a listener rests after accept failed for a reason that stays, like a lack of descriptors.
pub const LIBAE_ACCEPT_RETRY_MS: c_int = 100;

/// `libaeHost.tls_certificate`: what this side shows as a server.
pub const LIBAE_TLS_CERTIFICATE_SERVER: c_int = 0;
/// `libaeHost.tls_certificate`: what it shows as a client, if that is another one.
pub const LIBAE_TLS_CERTIFICATE_CLIENT: c_int = 1;
/// `libaeHost.tls_certificate`: of those that peers are checked with, the one whose validity ends first.
pub const LIBAE_TLS_CERTIFICATE_CA: c_int = 2;

/// The program's memory functions, with the contracts of the C library's. All or none of `malloc`,
/// `realloc` and `free` are set; `calloc` is used for large zeroed arrays and may be NULL.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct libaeAllocator {
    /// Like `malloc`.
    pub malloc: Option<unsafe extern "C" fn(size: usize, context: *mut c_void) -> *mut c_void>,
    /// Like `calloc`; may be NULL.
    pub calloc: Option<unsafe extern "C" fn(count: usize, size: usize, context: *mut c_void) -> *mut c_void>,
    /// Like `realloc`.
    pub realloc: Option<unsafe extern "C" fn(ptr: *mut c_void, size: usize, context: *mut c_void) -> *mut c_void>,
    /// Like `free`.
    pub free: Option<unsafe extern "C" fn(ptr: *mut c_void, context: *mut c_void)>,
    /// Passed to each.
    pub context: *mut c_void,
}

/// What the library asks of the program around it. A member that is NULL keeps the library's default, so a
/// table filled with zero bytes (except `size`) changes nothing. Every function may be called from any
/// thread that uses the library, must return normally (no `longjmp`, no exception), and may call the
/// library.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct libaeHost {
    /// `sizeof(libaeHost)` as the program was compiled; later members keep their defaults.
    pub size: usize,
    /// The loop that connections register with, until their events are gone. Default: the loop that accepted them or
    /// had them last, if it was in this thread; else this thread's newest.
    pub current_loop: Option<unsafe extern "C" fn() -> *mut aeEventLoop>,
    /// A connection was accepted; the host now owns it. `flags` is 0 or `LIBAE_ACCEPTED_UNIX`; `ip` is the
    /// peer's address, valid during the call, NULL for unix sockets. Default: `connAccept(conn, NULL)`.
    pub accepted: Option<unsafe extern "C" fn(conn: *mut connection, flags: c_int, ip: *mut c_char)>,
    /// One line of log, valid during the call. Default: silent, or warnings to stderr when the environment
    /// variable `LIBAE_LOG` is set.
    pub log: Option<unsafe extern "C" fn(level: c_int, message: *const c_char)>,
    /// How many connections one call of an accept handler takes. Default: `LIBAE_ACCEPTS_PER_CALL`.
    pub accepts_per_call: Option<unsafe extern "C" fn() -> c_int>,
    /// Opens a TCP listener's sockets, returns 0 or -1. Default: binds every address of the listener.
    pub listen: Option<unsafe extern "C" fn(listener: *mut connListener) -> c_int>,
    /// The listen backlog. Default: `LIBAE_TCP_BACKLOG`.
    pub tcp_backlog: Option<unsafe extern "C" fn() -> c_int>,
    /// Permission bits for unix sockets whose listener names none, 0 leaves them alone. Default: 0.
    pub unix_permissions: Option<unsafe extern "C" fn() -> libc::mode_t>,
    /// The group for unix sockets, a name or a number as text, NULL leaves it alone. Default: NULL.
    pub unix_group: Option<unsafe extern "C" fn() -> *const c_char>,
    /// Whether TLS clients must show a certificate: 0 no, 1 yes, 2 optional. Default: what `libaeTlsConfigure` was
    /// told, else 0.
    pub tls_auth_clients: Option<unsafe extern "C" fn() -> c_int>,
    /// The configuration of TLS, a `redisTLSContextConfig`, asked for when a TLS connection is created and there is
    /// none yet. Default: none.
    pub tls_context_config: Option<unsafe extern "C" fn() -> *mut c_void>,
    /// A new string of `len` bytes that the caller of the library will own. Default: `malloc`ed, with a
    /// NUL byte behind, to be freed with `free`.
    pub new_string: Option<unsafe extern "C" fn(bytes: *const c_void, len: usize) -> *mut c_char>,
    /// The memory functions. They cannot change once the library has allocated.
    pub allocator: libaeAllocator,
    /// How many connections one call of a TLS accept handler takes. Default: 1 from redis-8.0 and valkey-8.0 on,
    /// `LIBAE_ACCEPTS_PER_CALL` before.
    pub tls_accepts_per_call: Option<unsafe extern "C" fn() -> c_int>,
    /// A setting of a `redisTLSContextConfig` that means nothing here (`tls-dh-params-file`: there is no such key
    /// exchange) has a value; `reason` says why. Both are valid during the call. Returns 0 to refuse the configuration,
    /// another number to go on without the setting. Default: 0.
    pub tls_meaningless: Option<unsafe extern "C" fn(setting: *const c_char, reason: *const c_char) -> c_int>,
    /// How many accepted TLS connections may be in their handshake at the same time. Default: what `libaeTlsConfigure`
    /// was told; with upstream's configuration `LIBAE_TLS_UPSTREAM_MAX_HANDSHAKES`.
    pub tls_max_handshakes: Option<unsafe extern "C" fn() -> c_int>,
    /// How many milliseconds a TLS handshake may take, below 0: no limit. Default: what `libaeTlsConfigure` was told;
    /// with upstream's configuration `LIBAE_TLS_UPSTREAM_HANDSHAKE_TIMEOUT`.
    pub tls_handshake_timeout: Option<unsafe extern "C" fn() -> c_int>,
    /// `sizeof` the program's own `redisTLSContextConfig`. A smaller one than the profile's is refused, except in
    /// redis-6.2 that of Redis 6.2.0 and 6.2.1, which has no passphrases. Default: the profile's.
    pub tls_config_size: Option<unsafe extern "C" fn() -> usize>,
    /// The path of the program's unix socket, NULL for none, which from valkey-9.0 on is the address of every
    /// connection over one. Default: the path that the connection's socket has.
    pub unix_socket: Option<unsafe extern "C" fn() -> *const c_char>,
    /// From valkey-9.1 on: the user of that name, a `struct user *` that stays the program's, or NULL when there is
    /// none or it is disabled. `name` holds `len` bytes, with a NUL behind. Default: there is none.
    pub enabled_user: Option<unsafe extern "C" fn(name: *const c_char, len: usize) -> *mut c_void>,
    /// From valkey-9.1 on: has `tlsConfigureAsync` called in another thread. Default: it is called at once.
    pub tls_reload: Option<unsafe extern "C" fn()>,
    /// From valkey-9.1 on: a certificate in use, for statistics. `which` is one of the `LIBAE_TLS_CERTIFICATE_` values,
    /// `expires` the end of its validity in seconds since 1970, `serial` its number in hexadecimal, valid during the
    /// call; 0 and NULL when there is none, or no longer one. Default: nothing.
    pub tls_certificate: Option<unsafe extern "C" fn(which: c_int, expires: c_longlong, serial: *const c_char)>,
}
