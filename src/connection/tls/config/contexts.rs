//! Configurations beside the process's own, for the connections that are given one.

use super::context::Context;
use super::settings::TlsConfig;
use crate::abi::tls::LIBAE_TLS_CLIENT_SESSION_CACHE_SIZE;
use core::ffi::c_int;
use core::fmt;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// A configuration that connections choose. It is used by any number of threads at once.
pub(crate) struct OwnContext {
    files: Arc<Files>,
}

/// Settings, and what their files held when they were last read.
struct Files {
    config: TlsConfig,
    current: RwLock<Arc<Context>>,
    /// Held while the files are read, so that of two reloads the later one counts. Connections do not wait for it.
    reading: Mutex<()>,
}

impl Files {
    fn current(&self) -> Arc<Context> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl OwnContext {
    /// Reads the files that the settings name.
    pub(crate) fn new(mut config: TlsConfig) -> Result<Self, String> {
        if config.max_handshakes.is_some() {
            return Err("max_handshakes: it is of the whole process, and libaeTlsConfigure sets it".into());
        }
        config.client_session_cache_size.get_or_insert(LIBAE_TLS_CLIENT_SESSION_CACHE_SIZE as usize);
        let current = RwLock::new(Arc::new(Context::new(&config.settings()?)?));
        Ok(Self { files: Arc::new(Files { config, current, reading: Mutex::new(()) }) })
    }

    /// Reads the files anew, for new connections. If they cannot be used, nothing changes.
    pub(crate) fn reload(&self) -> Result<(), String> {
        let Files { config, current, reading } = &*self.files;
        let _reading = reading.lock().unwrap_or_else(PoisonError::into_inner);
        let context = Arc::new(Context::new(&config.settings()?)?);
        *current.write().unwrap_or_else(PoisonError::into_inner) = context;
        Ok(())
    }

    /// What is in force for new connections.
    pub(in crate::connection::tls) fn current(&self) -> Arc<Context> {
        self.files.current()
    }

    /// How many milliseconds a handshake may take, below 0 for any time; None when the process's limit holds.
    pub(in crate::connection::tls) fn handshake_timeout(&self) -> Option<c_int> {
        self.files.config.handshake_timeout.map(|_| self.files.config.limits().milliseconds)
    }
}

/// The settings may hold a passphrase.
impl fmt::Debug for OwnContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsContext").finish_non_exhaustive()
    }
}
