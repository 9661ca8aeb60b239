//! Certificates and keys that are read anew when their files change, from valkey-9.1 on. libae.a has these functions as
//! weak symbols, so that a fork's own tls.o takes their place. Without TLS they do nothing, but `tlsResetCertInfo` says
//! that there are no certificates.

#[cfg(feature = "tls")]
use crate::connection::tls::reload;
#[cfg(not(feature = "tls"))]
use crate::host;
use crate::sys::errno::quietly;

/// Looks whether `auto_reload_interval` seconds have passed since the files were last known to be what is in force, and
/// then has `tlsConfigureAsync` called (see `libaeHost.tls_reload`). Call it now and then, once a second for example,
/// in the thread that changes the `redisTLSContextConfig` with which TLS was configured.
#[unsafe(no_mangle)]
pub extern "C" fn tlsReconfigureIfNeeded() {
    #[cfg(feature = "tls")]
    // SAFETY: called in the thread that changes the structure.
    quietly(|| unsafe { reload::begin() });
}

/// Reads certificates and keys anew if their files have changed: certificates by what they are, keys and the folder of
/// CAs by inode and time. What was read waits for `tlsApplyPendingReload`. When it cannot be used, the log says why,
/// and what is in force stays. Any thread may call it for `tlsReconfigureIfNeeded`; without having been asked for, it
/// reads the `redisTLSContextConfig`, which nobody may change meanwhile.
#[unsafe(no_mangle)]
pub extern "C" fn tlsConfigureAsync() {
    #[cfg(feature = "tls")]
    // SAFETY: asked for, or called while the structure does not change.
    quietly(|| unsafe { reload::prepare() });
}

/// Puts what `tlsConfigureAsync` has read in force for new connections, unless the same has been configured meanwhile.
#[unsafe(no_mangle)]
pub extern "C" fn tlsApplyPendingReload() {
    #[cfg(feature = "tls")]
    quietly(reload::apply);
}

/// Calls `libaeHost.tls_certificate` for each kind of certificate, as after each change of the configuration.
#[unsafe(no_mangle)]
pub extern "C" fn tlsResetCertInfo() {
    #[cfg(feature = "tls")]
    quietly(reload::tell);
    #[cfg(not(feature = "tls"))]
    quietly(|| (0..3).for_each(|which| host::tls_certificate(which, None)));
}
