//! TLS configured by a server of upstream's, with its own structure.

use super::context::{self, is_configured};
use super::{reload, source};
use crate::abi::host::LIBAE_LOG_WARNING;
use crate::abi::tls_upstream::redisTLSContextConfig;
use crate::event_loop::log;
use crate::host;
use crate::sys::Errno;
use core::ptr::NonNull;

/// Takes the host's settings, if it has some and there are none yet.
pub(in crate::connection::tls) fn configure_from_host() {
    if !is_configured()
        && let Some(config) = NonNull::new(host::tls_context_config().cast())
    {
        // SAFETY: the hook gives a structure that stays, with its strings.
        let _ = unsafe { configure_upstream(config) };
    }
}

/// Puts the server's structure in force; why it cannot be is logged.
///
/// # Safety
/// It is as large as the host says and stays until TLS is configured with another or forgotten; the strings in it are
/// NULL or valid.
pub(crate) unsafe fn configure_upstream(config: NonNull<redisTLSContextConfig>) -> Result<(), Errno> {
    // SAFETY: as `read` and `remember` want it, by this function's own contract.
    let configured = unsafe { source::read(config, true) }.and_then(|settings| reload::configure(&settings));
    if let Err(error) = configured {
        log(LIBAE_LOG_WARNING, format_args!("{error}"));
        return Err(Errno::EINVAL);
    }
    // SAFETY: as above.
    unsafe { source::remember(config) };
    Ok(())
}

/// TLS is no longer wanted. Connections keep their settings.
pub(crate) fn forget() {
    source::forget();
    context::forget();
    reload::forget();
}
