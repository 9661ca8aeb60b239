//! What sessions are made from: the settings in force, as rustls's configurations.

use super::asked::Certificate;
use super::key_log::KeyLogFile;
use super::session_cache::Sessions;
use super::settings::{Settings, TlsConfig};
use super::suites::suites;
use super::verify::{Clients, Servers, Trust};
use super::{files, limits};
use crate::abi::tls::{LIBAE_TLS_AUTH_CLIENTS_NO, LIBAE_TLS_AUTH_CLIENTS_OPTIONAL};
use crate::sys::shared::Shared;
use core::ffi::c_int;
use rustls::client::Resumption;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::ServerName;
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, Error as TlsError, KeyLog, NoKeyLog, RootCertStore, ServerConfig};
use std::net::IpAddr;
use std::sync::Arc;

/// How many tickets a server sends to a client with TLS 1.3; as many as OpenSSL's.
const TICKETS: usize = 2;

/// A set of settings, read and checked as a whole.
pub(in crate::connection::tls) struct Context {
    /// For accepted connections, indexed by whether clients are asked for a certificate: no, yes, optional. All are
    /// None without an own certificate, the last two also without a CA.
    servers: [Option<Arc<ServerConfig>>; 3],
    /// None without a CA: no server could be checked.
    client: Option<Arc<ClientConfig>>,
    auth_clients: c_int,
    server_name: Option<ServerName<'static>>,
}

static CURRENT: Shared<Option<Arc<Context>>> = Shared::new(None);

/// The settings in force.
pub(in crate::connection::tls) fn current() -> Option<Arc<Context>> {
    CURRENT.lock().clone()
}

/// Puts settings in force for new connections. If they cannot be used, nothing changes.
pub(crate) fn configure(config: &TlsConfig) -> Result<(), String> {
    put(Context::new(&config.settings()?)?, config);
    Ok(())
}

/// Puts a context made of these settings in force for new connections.
pub(super) fn put(context: Context, config: &TlsConfig) {
    limits::set(config.limits());
    *CURRENT.lock() = Some(Arc::new(context));
}

/// Whether there are settings.
pub(crate) fn is_configured() -> bool {
    current().is_some()
}

/// Forgets the settings. Existing connections keep theirs.
pub(crate) fn forget() {
    *CURRENT.lock() = None;
}

impl Context {
    pub(super) fn new(settings: &Settings) -> Result<Self, String> {
        let mut provider = aws_lc_rs::default_provider();
        provider.cipher_suites = suites(settings, &provider.cipher_suites)?;
        let provider = Arc::new(provider);
        warm_up(&provider);
        let algorithms = provider.signature_verification_algorithms;
        let trusted = |(roots, certificates)| Arc::new(Trust { roots, certificates, algorithms });
        let trust = files::roots(settings)?.map(trusted);
        let load = |identity: &Option<_>| {
            identity.as_ref().map(|identity| files::load(identity, &provider).map(Arc::new)).transpose()
        };
        let identity = load(&settings.server)?;
        let client_identity = load(&settings.client)?.or_else(|| identity.clone());
        let server_name = match &settings.server_name {
            Some(name) => Some(
                ServerName::try_from(name.clone()).map_err(|_| format!("server_name: {name} is no name of a host"))?,
            ),
            None => None,
        };
        let key_log = match &settings.key_log_file {
            Some(path) => Arc::new(KeyLogFile::open(path)?) as Arc<dyn KeyLog>,
            None => Arc::new(NoKeyLog),
        };
        let mut servers = [None, None, None];
        if let Some(identity) = &identity {
            for (auth, server) in (LIBAE_TLS_AUTH_CLIENTS_NO..).zip(&mut servers) {
                *server = server_config(settings, &provider, identity, trust.as_ref(), auth, &key_log)?;
            }
        }
        // A client that checks nothing needs no CA.
        let nobody = || (!settings.check_certificate).then(|| trusted((RootCertStore::empty(), Vec::new())));
        let trust = trust.or_else(nobody);
        let client =
            trust.map(|trust| client_config(settings, &provider, client_identity, trust, key_log)).transpose()?;
        Ok(Self { servers, client, auth_clients: settings.auth_clients, server_name })
    }

    /// For a connection that is accepted; `auth` overrides whether the client is asked for its certificate.
    pub(in crate::connection::tls) fn server(&self, auth: Option<c_int>) -> Result<Arc<ServerConfig>, &'static str> {
        // As upstream: for an unknown value the client is asked.
        let index = usize::try_from(auth.unwrap_or(self.auth_clients)).unwrap_or(1);
        match self.servers.get(index).unwrap_or(&self.servers[1]) {
            Some(config) => Ok(config.clone()),
            None if self.servers[0].is_some() => Err("this side has no CA to check clients' certificates with"),
            None => Err("this side has no certificate to accept connections with"),
        }
    }

    /// For a connection to `address`, and the name that its server is known by.
    pub(in crate::connection::tls) fn client(
        &self,
        address: &str,
    ) -> Result<(Arc<ClientConfig>, ServerName<'static>), &'static str> {
        let config = self.client.clone().ok_or("this side has no CA to check the server's certificate with")?;
        let name = match &self.server_name {
            Some(name) => name.clone(),
            // What is not a host name cannot be in a certificate. An address is never sent.
            None => ServerName::try_from(address.to_owned())
                .unwrap_or(ServerName::IpAddress(IpAddr::from([0, 0, 0, 0]).into())),
        };
        Ok((config, name))
    }
}

/// The first random bytes of a process take the time of many handshakes: better here than in a loop. Whoever needs some
/// later finds out if there are none.
fn warm_up(provider: &CryptoProvider) {
    let _ = provider.secure_random.fill(&mut [0]);
}

fn text(error: TlsError) -> String {
    format!("TLS settings: {error}")
}

/// The configuration of a server that asks its clients for a certificate, or does not. None if it would have to ask but
/// there is no CA. Each has its own cache of sessions: else one that began without a certificate could be resumed where
/// one is required.
fn server_config(
    settings: &Settings,
    provider: &Arc<CryptoProvider>,
    identity: &Arc<CertifiedKey>,
    trust: Option<&Arc<Trust>>,
    auth: c_int,
    key_log: &Arc<dyn KeyLog>,
) -> Result<Option<Arc<ServerConfig>>, String> {
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&settings.protocols)
        .map_err(text)?;
    let builder = if auth == LIBAE_TLS_AUTH_CLIENTS_NO {
        builder.with_no_client_auth()
    } else {
        let Some(trust) = trust else { return Ok(None) };
        let mut webpki = WebPkiClientVerifier::builder_with_provider(trust.roots.clone().into(), provider.clone());
        if auth == LIBAE_TLS_AUTH_CLIENTS_OPTIONAL {
            webpki = webpki.allow_unauthenticated();
        }
        let webpki = webpki.build().map_err(|error| format!("tls-ca-cert-file: {error}"))?;
        builder.with_client_cert_verifier(Arc::new(Clients { trust: trust.clone(), webpki }))
    };
    let mut config = builder.with_cert_resolver(Arc::new(Certificate(identity.clone())));
    config.alpn_protocols = settings.alpn_protocols.clone();
    config.key_log = key_log.clone();
    config.ignore_client_order = settings.prefer_server_ciphers;
    match settings.sessions {
        Some((size, timeout)) => {
            config.session_storage = Arc::new(Sessions::new(size, timeout));
            config.send_tls13_tickets = TICKETS;
        }
        None => {
            config.session_storage = Arc::new(NoServerSessionStorage {});
            // rustls sends none that is not kept; so it does not begin one, either.
            config.send_tls13_tickets = 0;
        }
    }
    Ok(Some(Arc::new(config)))
}

fn client_config(
    settings: &Settings,
    provider: &Arc<CryptoProvider>,
    identity: Option<Arc<CertifiedKey>>,
    trust: Arc<Trust>,
    key_log: Arc<dyn KeyLog>,
) -> Result<Arc<ClientConfig>, String> {
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&settings.protocols)
        .map_err(text)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Servers {
            trust,
            check_name: settings.check_server_name,
            check_certificate: settings.check_certificate,
        }));
    let mut config = match identity {
        Some(identity) => builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(identity))),
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = settings.alpn_protocols.clone();
    config.key_log = key_log;
    config.resumption = match settings.client_sessions {
        // As upstream: certificates are shown and checked for every connection.
        0 => Resumption::disabled(),
        most => Resumption::in_memory_sessions(most),
    };
    Ok(Arc::new(config))
}
