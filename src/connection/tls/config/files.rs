//! Certificates and keys from files.

use super::settings::{CertAndKey, Settings};
use crate::abi::host::LIBAE_LOG_WARNING;
use crate::host;
use pkcs8::der::pem::{self, LineEnding};
use pkcs8::pkcs5::Error as Pkcs5Error;
use pkcs8::{EncryptedPrivateKeyInfoRef, Error as Pkcs8Error};
use rustls::RootCertStore;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;
use rustls::{Error as TlsError, InconsistentKeys};
use std::fs;
use std::path::Path;

/// Reads a file; messages name the setting.
fn read(setting: &str, path: impl AsRef<Path>) -> Result<Vec<u8>, String> {
    let path = path.as_ref();
    fs::read(path).map_err(|error| format!("{setting}: {}: {error}", path.display()))
}

pub(super) fn certificates(setting: &str, path: impl AsRef<Path>) -> Result<Vec<CertificateDer<'static>>, String> {
    let path = path.as_ref();
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&read(setting, path)?).collect();
    match certificates {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        Ok(_) => Err(format!("{setting}: {}: there is no certificate in it", path.display())),
        Err(error) => Err(format!("{setting}: {}: {error}", path.display())),
    }
}

/// A certificate with its key.
pub(super) fn load(identity: &CertAndKey, provider: &CryptoProvider) -> Result<CertifiedKey, String> {
    let [cert_setting, key_setting, _] = identity.names;
    let chain = certificates(cert_setting, &identity.cert_file)?;
    let key = private_key(identity)?;
    let key = provider
        .key_provider
        .load_private_key(key)
        .map_err(|error| format!("{key_setting}: {}: {error}", identity.key_file))?;
    let certified = CertifiedKey::new(chain, key);
    match certified.keys_match() {
        Err(TlsError::InconsistentKeys(InconsistentKeys::KeyMismatch)) => {
            Err(format!("{key_setting}: {} is not the key of {}", identity.key_file, identity.cert_file))
        }
        // Certificates of X.509 version 1 cannot be compared with a key; they are used anyway.
        _ => Ok(certified),
    }
}

fn private_key(identity: &CertAndKey) -> Result<PrivateKeyDer<'static>, String> {
    const ENCRYPTED: [&str; 2] = ["-----BEGIN ENCRYPTED PRIVATE KEY-----", "-----END ENCRYPTED PRIVATE KEY-----"];
    let [_, setting, pass_setting] = identity.names;
    let fail = |error: &dyn core::fmt::Display| format!("{setting}: {}: {error}", identity.key_file);
    let content = read(setting, &identity.key_file)?;
    let text = String::from_utf8_lossy(&content);
    if text.contains("Proc-Type: 4,ENCRYPTED") {
        return Err(fail(&"encrypted in the old way of PEM; `openssl pkcs8 -topk8` makes a file that can be read"));
    }
    let Some(start) = text.find(ENCRYPTED[0]) else {
        return PrivateKeyDer::from_pem_slice(&content).map_err(|error| fail(&error));
    };
    let end = text[start..].find(ENCRYPTED[1]).ok_or_else(|| fail(&"the key does not end"))?;
    let section = &text[start..start + end + ENCRYPTED[1].len()];
    let (_, der) = pem::decode_vec(section.as_bytes()).map_err(|error| fail(&error))?;
    let Some(pass) = &identity.key_file_pass else {
        return Err(fail(&format_args!("it is encrypted, and there is no {pass_setting}")));
    };
    let not_supported = |what: &dyn core::fmt::Display| {
        fail(&format_args!("{what}; `openssl pkcs8 -topk8 -v2 aes-256-cbc` makes a file that can be read"))
    };
    let encrypted = EncryptedPrivateKeyInfoRef::try_from(der.as_slice())
        .map_err(|error| not_supported(&format_args!("how it is encrypted is not supported ({error})")))?;
    match encrypted.decrypt(pass) {
        Ok(key) => Ok(PrivatePkcs8KeyDer::from(key.as_bytes().to_vec()).into()),
        Err(Pkcs8Error::EncryptedPrivateKey(Pkcs5Error::NoPbes1CryptSupport)) => {
            Err(not_supported(&"it is encrypted with PBES1, which is not supported"))
        }
        Err(Pkcs8Error::EncryptedPrivateKey(
            error @ (Pkcs5Error::UnsupportedAlgorithm { .. } | Pkcs5Error::AlgorithmParametersInvalid { .. }),
        )) => Err(not_supported(&format_args!("how it is encrypted is not supported ({error})"))),
        Err(error) => Err(fail(&format_args!("{pass_setting} does not open it ({error})"))),
    }
}

/// The CAs that peers are checked with, as rustls's store and as certificates; None if there are none.
pub(super) fn roots(settings: &Settings) -> Result<Option<(RootCertStore, Vec<CertificateDer<'static>>)>, String> {
    if settings.ca_cert_file.is_none() && settings.ca_cert_dir.is_none() {
        return Ok(None);
    }
    let mut trusted = (RootCertStore::empty(), Vec::new());
    if let Some(file) = &settings.ca_cert_file {
        trust("tls-ca-cert-file", file, &mut trusted)?;
    }
    if let Some(dir) = &settings.ca_cert_dir {
        for entry in fs::read_dir(dir).map_err(|error| format!("tls-ca-cert-dir: {dir}: {error}"))?.flatten() {
            if is_hashed_name(entry.file_name().as_encoded_bytes())
                && let Err(error) = trust("tls-ca-cert-dir", entry.path(), &mut trusted)
            {
                // OpenSSL opens such a file only when it looks for that certificate, and goes on without it.
                host::log(LIBAE_LOG_WARNING, format_args!("{error}: left out"));
            }
        }
        if trusted.1.is_empty() {
            let text = "there is no certificate in it under a name that `openssl rehash` gives";
            return Err(format!("tls-ca-cert-dir: {dir}: {text}"));
        }
    }
    Ok(Some(trusted))
}

/// Adds the certificates of a file to those that are trusted.
fn trust(
    setting: &str,
    path: impl AsRef<Path>,
    (roots, found): &mut (RootCertStore, Vec<CertificateDer<'static>>),
) -> Result<(), String> {
    for certificate in certificates(setting, &path)? {
        let fail = |error| format!("{setting}: {}: {error}", path.as_ref().display());
        roots.add(certificate.clone()).map_err(fail)?;
        found.push(certificate);
    }
    Ok(())
}

/// Whether a file in a folder of CAs has a name like `1a2b3c4d.0`, by which OpenSSL finds it.
fn is_hashed_name(name: &[u8]) -> bool {
    // Of a shorter one there is no rest.
    let (hash, rest) = name.split_at(name.len().min(8));
    hash.iter().all(u8::is_ascii_hexdigit)
        && matches!(rest, [b'.', digits @ ..] if !digits.is_empty() && digits.iter().all(u8::is_ascii_digit))
}

/// A certificate as PEM.
pub(in crate::connection::tls) fn to_pem(certificate: &CertificateDer<'_>) -> Option<String> {
    pem::encode_string("CERTIFICATE", LineEnding::LF, certificate).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashed_names() {
        for name in ["1a2b3c4d.0", "00000000.12", "DEADBEEF.3"] {
            assert!(is_hashed_name(name.as_bytes()), "{name}");
        }
        for name in ["1a2b3c4.0", "1a2b3c4d", "1a2b3c4d.", "1a2b3c4d.r0", "ca.crt", "1a2b3c4g.0", ""] {
            assert!(!is_hashed_name(name.as_bytes()), "{name}");
        }
    }
}
