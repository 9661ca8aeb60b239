//! Configurations beside the process's own, for the connections that are given one.

use super::context::Context;
use super::settings::TlsConfig;
use crate::abi::tls::LIBAE_TLS_CLIENT_SESSION_CACHE_SIZE;
use crate::sys::mutex::Locked;
use core::ffi::c_int;
use core::fmt;
use rustls::pki_types::DnsName;
use std::collections::HashMap;
use std::sync::Arc;

/// A configuration that connections choose. It is used by any number of threads at once.
pub(crate) struct OwnContext {
    files: Arc<Files>,
    /// Others' settings, by the name of the server in lower case, `*.` before one of which the first part does not
    /// matter. They lead to no names of their own, so there can be no circle.
    names: Locked<HashMap<String, Arc<Files>>>,
}

/// Settings, and what their files held when they were last read.
struct Files {
    config: TlsConfig,
    current: Locked<Arc<Context>>,
    /// Held while the files are read, so that of two reloads the later one counts. Connections do not wait for it.
    reading: Locked<()>,
}

impl Files {
    fn current(&self) -> Arc<Context> {
        self.current.lock().clone()
    }
}

impl OwnContext {
    /// Reads the files that the settings name.
    pub(crate) fn new(mut config: TlsConfig) -> Result<Self, String> {
        if config.max_handshakes.is_some() {
            return Err("max_handshakes: it is of the whole process, and libaeTlsConfigure sets it".into());
        }
        config.client_session_cache_size.get_or_insert(LIBAE_TLS_CLIENT_SESSION_CACHE_SIZE as usize);
        let current = Locked::new(Arc::new(Context::new(&config.settings()?)?));
        let files = Arc::new(Files { config, current, reading: Locked::new(()) });
        Ok(Self { files, names: Locked::new(HashMap::new()) })
    }

    /// Reads the files anew, for new connections. If they cannot be used, nothing changes.
    pub(crate) fn reload(&self) -> Result<(), String> {
        let Files { config, current, reading } = &*self.files;
        let _reading = reading.lock();
        let context = Arc::new(Context::new(&config.settings()?)?);
        *current.lock() = context;
        Ok(())
    }

    /// Has those who ask for a name served with another's settings; None: no longer. Fails for what is no name of a
    /// host, nor one behind `*.`, and for settings without a certificate.
    pub(crate) fn set_name(&self, name: &str, other: Option<&Self>) -> Result<(), &'static str> {
        let name = name.to_ascii_lowercase();
        DnsName::try_from(name.strip_prefix("*.").unwrap_or(&name)).map_err(|_| "it is no name of a host")?;
        if let Some(other) = other {
            other.can_accept()?;
        }
        let mut names = self.names.lock();
        match other {
            Some(other) => _ = names.insert(name, other.files.clone()),
            None => _ = names.remove(&name),
        }
        Ok(())
    }

    /// Whether connections can be accepted with it; why not otherwise.
    pub(crate) fn can_accept(&self) -> Result<(), &'static str> {
        self.current().server(None).map(drop)
    }

    /// Whether there are names to choose by.
    pub(in crate::connection::tls) fn has_names(&self) -> bool {
        !self.names.lock().is_empty()
    }

    /// What is in force for those who ask for a name in lower case, if it is one of those that were set.
    pub(in crate::connection::tls) fn named(&self, name: &str) -> Option<Arc<Context>> {
        let names = self.names.lock();
        let any_first = || names.get(&format!("*.{}", name.split_once('.')?.1));
        names.get(name).or_else(any_first).map(|files| files.current())
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
