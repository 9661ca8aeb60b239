//! Configures TLS from a server's own structure, as upstream's servers do.

use super::context::{self, is_configured};
use super::{reload, source};
use crate::abi::host::LIBAE_LOG_WARNING;
use crate::abi::tls_upstream::redisTLSContextConfig;
use crate::host;
use crate::host::log;
use crate::sys::Errno;
use core::ptr::NonNull;

/// Configures TLS from the host's structure, if the host has one and TLS is not configured yet.
pub(in crate::connection::tls) fn configure_from_host() {
    if !is_configured()
        && let Some(config) = NonNull::new(host::tls_context_config().cast())
    {
        // SAFETY: the hook gives a structure that stays, with its strings.
        let _ = unsafe { configure_upstream(config) };
    }
}

/// Puts the server's structure in force. A failure is logged with its reason.
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
