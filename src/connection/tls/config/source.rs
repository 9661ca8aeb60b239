//! A server's own structure with the configuration of TLS. It stays the server's, which may change it without
//! configuring anew: what is read later is read there.

use super::settings::TlsConfig;
use crate::abi::tls_upstream::{AuthUser, redisTLSContextConfig};
use crate::host;
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicPtr, Ordering::Relaxed};

/// The server's structure; NULL before it has configured TLS, and after it has forgotten it.
static SOURCE: AtomicPtr<redisTLSContextConfig> = AtomicPtr::new(ptr::null_mut());

fn source() -> Option<NonNull<redisTLSContextConfig>> {
    NonNull::new(SOURCE.load(Relaxed))
}

/// Remembers the structure with which TLS has been configured.
///
/// # Safety
/// It is as large as the host says and stays until TLS is configured with another or forgotten; the strings in it are
/// NULL or valid.
pub(super) unsafe fn remember(config: NonNull<redisTLSContextConfig>) {
    SOURCE.store(config.as_ptr(), Relaxed);
}

/// The structure is no longer read.
pub(super) fn forget() {
    SOURCE.store(ptr::null_mut(), Relaxed);
}

/// The settings in the server's structure; `asks` whether to go on with those that mean nothing.
///
/// # Safety
/// As for [`remember`].
pub(super) unsafe fn read(config: NonNull<redisTLSContextConfig>, asks: bool) -> Result<TlsConfig, String> {
    let own = size_of::<redisTLSContextConfig>();
    let size = host::tls_config_size().unwrap_or(own);
    // SAFETY: as large as the host says.
    let Some(mut config) = (unsafe { redisTLSContextConfig::copy(config.as_ptr(), size) }) else {
        let profile = env!("LIBAE_ABI_PROFILE");
        return Err(format!("The server's TLS configuration has {size} bytes, that of {profile} {own}"));
    };
    if !asks {
        config.dh_params_file = ptr::null_mut();
    }
    // SAFETY: NULL or valid.
    unsafe { TlsConfig::from_upstream(&config) }
}

/// What the server's structure says now, if it has configured TLS.
///
/// # Safety
/// In the thread that changes it.
#[allow(dead_code)] // Only some profiles look for changed files.
pub(super) unsafe fn settings_now() -> Option<Result<TlsConfig, String>> {
    // SAFETY: whoever called `remember` has promised that it stays, and this is the thread that changes it.
    source().map(|source| unsafe { read(source, false) })
}

/// Which part of a client's certificate names its user.
#[allow(dead_code)] // Only some profiles have users by certificate.
pub(in crate::connection::tls) fn auth_user() -> AuthUser {
    // SAFETY: whoever called `remember` has promised that it stays.
    source().map_or(AuthUser::Nothing, |source| unsafe { redisTLSContextConfig::auth_user(source.as_ptr()) })
}

/// After how many seconds to look for changed files, 0 for never.
#[allow(dead_code)] // Only some profiles look for them.
pub(super) fn reload_interval() -> u64 {
    // SAFETY: whoever called `remember` has promised that it stays.
    source().map_or(0, |source| unsafe { redisTLSContextConfig::reload_interval(source.as_ptr()) })
}
