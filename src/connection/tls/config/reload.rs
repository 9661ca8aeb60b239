//! Reloads certificates and keys when their files change, and tells the host about its certificates.
//!
//! The server's main thread finds that it is time ([`begin`]). Another thread reads the files ([`prepare`]), so that no
//! loop waits. The main thread puts the result in force ([`apply`]).

#![allow(dead_code)] // Only valkey-9.1 and later do.

use super::certificate::Fields;
use super::context::{self, Context};
use super::files::certificates;
use super::settings::TlsConfig;
use super::source;
use crate::abi::host::*;
use crate::abi::profile;
use crate::host;
use crate::host::log;
use crate::sys::shared::Shared;
use core::ffi::{c_int, c_longlong};
use rustls::pki_types::CertificateDer;
use std::collections::VecDeque;
use std::ffi::CString;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::time::Instant;

/// The contents of a configuration's files: the certificates themselves; for keys and folders only what shows a change.
#[derive(PartialEq, Eq)]
struct Materials {
    server: Vec<CertificateDer<'static>>,
    client: Vec<CertificateDer<'static>>,
    ca: Vec<CertificateDer<'static>>,
    stamps: [Option<Stamp>; 3],
}

/// A file's inode, and the seconds and nanoseconds of its last change.
type Stamp = (u64, i64, i64);

/// What is in force.
struct Active {
    materials: Materials,
    ca_dir: Option<String>,
    /// When the files were last known to hold the same.
    checked: Instant,
}

/// What has been read and is not in force yet.
struct Pending {
    context: Context,
    config: TlsConfig,
    materials: Materials,
}

static ACTIVE: Shared<Option<Active>> = Shared::new(None);
static PENDING: Shared<Option<Pending>> = Shared::new(None);
/// The settings for each requested call of [`prepare`], whose thread must not read the server's structure.
static REQUESTED: Shared<VecDeque<Result<TlsConfig, String>>> = Shared::new(VecDeque::new());

impl Materials {
    fn read(config: &TlsConfig) -> Result<Self, String> {
        let read = |setting, path: &Option<String>| match path {
            Some(path) => certificates(setting, path),
            None => Ok(Vec::new()),
        };
        let stamp = |path: &Option<String>| -> Result<Option<Stamp>, String> {
            let Some(path) = path else { return Ok(None) };
            let metadata = fs::metadata(path).map_err(|error| format!("{path}: {error}"))?;
            Ok(Some((metadata.ino(), metadata.mtime(), metadata.mtime_nsec())))
        };
        Ok(Self {
            server: read("tls-cert-file", &config.cert_file)?,
            client: read("tls-client-cert-file", &config.client_cert_file)?,
            ca: read("tls-ca-cert-file", &config.ca_cert_file)?,
            stamps: [stamp(&config.key_file)?, stamp(&config.client_key_file)?, stamp(&config.ca_cert_dir)?],
        })
    }
}

/// Puts a server's settings in force.
pub(super) fn configure(config: &TlsConfig) -> Result<(), String> {
    if !profile::RELOADS_TLS {
        return context::configure(config);
    }
    // Read before the context is made, so that a change in between is found later rather than lost.
    let materials = Materials::read(config);
    context::configure(config)?;
    activate(materials?, config);
    Ok(())
}

fn activate(materials: Materials, config: &TlsConfig) {
    *ACTIVE.lock() = Some(Active { materials, ca_dir: config.ca_cert_dir.clone(), checked: Instant::now() });
    tell();
}

/// TLS is no longer wanted.
pub(super) fn forget() {
    if profile::RELOADS_TLS {
        *PENDING.lock() = None;
        *ACTIVE.lock() = None;
        tell();
    }
}

/// Has the files checked, if it is time.
///
/// # Safety
/// In the thread that changes the server's structure.
pub(crate) unsafe fn begin() {
    let interval = source::reload_interval();
    let is_time = || ACTIVE.lock().as_ref().is_some_and(|active| active.checked.elapsed().as_secs() >= interval);
    if interval == 0 || !is_time() {
        return;
    }
    // SAFETY: this is the thread that changes the structure. The host is called without a lock held.
    let settings = unsafe { source::settings_now() };
    REQUESTED.lock().extend(settings);
    if !host::tls_reload() {
        // SAFETY: the settings are there already.
        unsafe { prepare() };
    }
}

/// Reads the files if they have changed.
///
/// # Safety
/// Asked for by [`begin`], or called while nobody changes the server's structure.
pub(crate) unsafe fn prepare() {
    let requested = REQUESTED.lock().pop_front();
    // SAFETY: nobody has asked, so nobody changes the structure meanwhile.
    let Some(config) = requested.or_else(|| unsafe { source::settings_now() }) else { return };
    match config.and_then(read_changed) {
        Ok(true) => log(LIBAE_LOG_DEBUG, format_args!("TLS materials changed, new ones are ready")),
        Ok(false) => log(LIBAE_LOG_DEBUG, format_args!("TLS materials unchanged")),
        Err(error) => log(LIBAE_LOG_WARNING, format_args!("TLS materials are not reloaded: {error}")),
    }
}

/// Reads the files; if they have changed, the new contents are pending. Returns whether.
fn read_changed(config: TlsConfig) -> Result<bool, String> {
    let materials = Materials::read(&config)?;
    let is_active = |active: &Option<Active>| active.as_ref().is_some_and(|active| active.materials == materials);
    let has_changed = !is_active(&ACTIVE.lock());
    if has_changed {
        let context = Context::new(&config.settings()?)?;
        *PENDING.lock() = Some(Pending { context, config, materials });
    }
    if let Some(active) = &mut *ACTIVE.lock() {
        active.checked = Instant::now();
    }
    Ok(has_changed)
}

/// Puts what is pending in force, for new connections.
pub(crate) fn apply() {
    let Some(Pending { context, config, materials }) = PENDING.lock().take() else { return };
    let is_wanted = ACTIVE.lock().as_ref().is_some_and(|active| active.materials != materials);
    if !is_wanted {
        log(LIBAE_LOG_DEBUG, format_args!("TLS materials have been configured meanwhile"));
        return;
    }
    context::put(context, &config);
    activate(materials, &config);
    log(LIBAE_LOG_NOTICE, format_args!("TLS materials reloaded successfully"));
}

/// Tells the host about the certificates in force, or that there are none.
pub(crate) fn tell() {
    let mut found: [Option<Described>; 3] = [None, None, None];
    if let Some(active) = &*ACTIVE.lock() {
        let materials = &active.materials;
        let folder = active.ca_dir.as_deref().map(certificates_in).unwrap_or_default();
        found = [
            materials.server.first().and_then(describe),
            materials.client.first().and_then(describe),
            materials.ca.iter().chain(&folder).filter_map(describe).min_by_key(|(expires, _)| *expires),
        ];
    }
    // The host is called without a lock held.
    for (which, described) in
        [LIBAE_TLS_CERTIFICATE_SERVER, LIBAE_TLS_CERTIFICATE_CLIENT, LIBAE_TLS_CERTIFICATE_CA].into_iter().zip(found)
    {
        let which: c_int = which;
        host::tls_certificate(which, described.as_ref().map(|(expires, serial)| (*expires, serial.as_c_str())));
    }
}

/// When a certificate expires, and its serial number.
type Described = (c_longlong, CString);

fn describe(certificate: &CertificateDer<'static>) -> Option<Described> {
    let fields = Fields::of(certificate)?;
    Some((c_longlong::try_from(fields.not_after).ok()?, CString::new(fields.serial()).ok()?))
}

/// The certificates in a folder's files, except hidden and unreadable ones.
fn certificates_in(folder: &str) -> Vec<CertificateDer<'static>> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter(|entry| !entry.file_name().as_encoded_bytes().starts_with(b"."))
        .map(|entry| entry.path())
        .filter(|path| path.is_file())
        .flat_map(|path| certificates("tls-ca-cert-dir", path).unwrap_or_default())
        .collect()
}
