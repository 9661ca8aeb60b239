//! TLS configured by a server of upstream's, with its own structure.
//!
//! The structure stays the server's, which may change it without configuring anew: what is read later is read there.

use super::context::{self, is_configured};
use super::reload;
use super::settings::TlsConfig;
use crate::abi::host::LIBAE_LOG_WARNING;
use crate::abi::tls_upstream::{AuthUser, redisTLSContextConfig};
use crate::event_loop::log;
use crate::host;
use crate::sys::Errno;
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicPtr, Ordering::Relaxed};

/// The server's structure; NULL before it has configured TLS, and after it has forgotten it.
static SOURCE: AtomicPtr<redisTLSContextConfig> = AtomicPtr::new(ptr::null_mut());

fn source() -> Option<NonNull<redisTLSContextConfig>> {
    NonNull::new(SOURCE.load(Relaxed))
}

/// Takes the host's settings, if it has some and there are none yet.
pub(in crate::connection::tls) fn configure_from_host() {
    if !is_configured()
        && let Some(config) = NonNull::new(host::tls_context_config().cast())
    {
        // SAFETY: the host vouches for its hook.
        let _ = unsafe { configure_upstream(config) };
    }
}

/// Puts the server's structure in force; why it cannot be is logged.
///
/// # Safety
/// It is as large as the host says and stays until TLS is configured with another or forgotten; the strings in it are
/// NULL or valid.
pub(crate) unsafe fn configure_upstream(config: NonNull<redisTLSContextConfig>) -> Result<(), Errno> {
    // SAFETY: the caller vouches for the structure and its strings.
    let result = unsafe { read(config, true) }.and_then(|config| reload::configure(&config));
    result.map(|()| SOURCE.store(config.as_ptr(), Relaxed)).map_err(|error| {
        log(LIBAE_LOG_WARNING, format_args!("{error}"));
        Errno::EINVAL
    })
}

/// The settings in the server's structure; `asks` whether to go on with those that mean nothing.
///
/// # Safety
/// As for [`configure_upstream`].
unsafe fn read(config: NonNull<redisTLSContextConfig>, asks: bool) -> Result<TlsConfig, String> {
    let own = size_of::<redisTLSContextConfig>();
    let size = host::tls_config_size().unwrap_or(own);
    // SAFETY: the caller vouches for the structure.
    let Some(mut config) = (unsafe { redisTLSContextConfig::copy(config.as_ptr(), size) }) else {
        let profile = env!("LIBAE_ABI_PROFILE");
        return Err(format!("The server's TLS configuration has {size} bytes, that of {profile} {own}"));
    };
    if !asks {
        config.dh_params_file = ptr::null_mut();
    }
    // SAFETY: the caller vouches for the strings.
    unsafe { TlsConfig::from_upstream(&config) }
}

/// What the server's structure says now, if it has configured TLS.
///
/// # Safety
/// In the thread that changes it.
#[allow(dead_code)] // Only some profiles look for changed files.
pub(super) unsafe fn settings_now() -> Option<Result<TlsConfig, String>> {
    // SAFETY: `configure_upstream` was called with it, and it stays; the caller vouches that nobody changes it
    // meanwhile.
    source().map(|source| unsafe { read(source, false) })
}

/// TLS is no longer wanted. Connections keep their settings.
pub(crate) fn forget() {
    SOURCE.store(ptr::null_mut(), Relaxed);
    context::forget();
    reload::forget();
}

/// Which part of a client's certificate names its user.
#[allow(dead_code)] // Only some profiles have users by certificate.
pub(in crate::connection::tls) fn auth_user() -> AuthUser {
    // SAFETY: `configure_upstream` was called with it, and it stays.
    source().map_or(AuthUser::Nothing, |source| unsafe { redisTLSContextConfig::auth_user(source.as_ptr()) })
}

/// After how many seconds to look for changed files, 0 for never.
#[allow(dead_code)] // Only some profiles look for them.
pub(super) fn reload_interval() -> u64 {
    // SAFETY: `configure_upstream` was called with it, and it stays.
    source().map_or(0, |source| unsafe { redisTLSContextConfig::reload_interval(source.as_ptr()) })
}
