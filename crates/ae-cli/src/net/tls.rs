//! TLS as a client speaks it.

use crate::options::Tls;
use crate::text::without_number;
use ae::TlsConfig;
use std::net::IpAddr;
use std::path::Path;

/// Where systems keep the certificates of those whom they trust.
const SYSTEM_CAS: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// Puts the options in force for the connections to come. As with redis-cli, a server's certificate is checked, but not
/// whether it was made out for the name that was connected to.
pub fn apply(tls: &Tls, host: &str) -> Result<(), String> {
    let has_own_ca = tls.ca_file.is_some() || tls.ca_folder.is_some();
    let name = Some(host).filter(|host| host.parse::<IpAddr>().is_err());
    TlsConfig {
        client_cert_file: tls.cert.clone(),
        client_key_file: tls.key.clone(),
        ca_cert_file: if has_own_ca { tls.ca_file.clone() } else { system_cas() },
        ca_cert_dir: tls.ca_folder.clone(),
        ciphers: tls.ciphers.clone(),
        ciphersuites: tls.ciphersuites.clone(),
        server_name: tls.sni.clone().or_else(|| name.map(String::from)),
        any_server_name: true,
        any_certificate: tls.insecure,
        ..TlsConfig::default()
    }
    .apply()
    .map_err(with_options)
}

/// The settings' names, which errors name, and the options that set them.
const NAMES: [(&str, &str); 6] = [
    ("tls-client-cert-file", "--cert"),
    ("tls-client-key-file", "--key"),
    ("tls-ca-cert-file", "--cacert"),
    ("tls-ca-cert-dir", "--cacertdir"),
    ("tls-ciphersuites", "--tls-ciphersuites"),
    ("tls-ciphers", "--tls-ciphers"),
];

fn with_options(error: String) -> String {
    let setting = |c: char| c.is_ascii_lowercase() || c == '-';
    let error = without_number(&error);
    let end = error.find(|c| !setting(c)).unwrap_or(error.len());
    match NAMES.iter().find(|(name, _)| *name == &error[..end]) {
        Some((_, option)) => format!("{option}{}", &error[end..]),
        None => error.into(),
    }
}

fn system_cas() -> Option<String> {
    let named = std::env::var("SSL_CERT_FILE").ok();
    named.or_else(|| SYSTEM_CAS.iter().find(|path| Path::new(path).exists()).map(|path| (*path).into()))
}
