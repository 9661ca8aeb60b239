//! What an operator writes into a TLS configuration, and files that are no certificates: they are refused or used.
#![no_main]

use ae::TlsConfig;
use libae_fuzz::memory::limited;
use libfuzzer_sys::fuzz_target;
use std::fs;
use std::sync::LazyLock;
use testkit::Certificates;

static CERTIFICATES: LazyLock<Certificates> = LazyLock::new(|| Certificates::make().expect("openssl"));

fn configured(kind: u8, input: &[u8]) -> TlsConfig {
    let path = |name: &str| Some(CERTIFICATES.path(name));
    let config = TlsConfig {
        cert_file: path("server.crt"),
        key_file: path("server.key"),
        ca_cert_file: path("ca.crt"),
        ..TlsConfig::default()
    };
    let text = Some(String::from_utf8_lossy(input).into_owned());
    match kind % 7 {
        0 => return TlsConfig { ciphers: text, ..config },
        1 => return TlsConfig { ciphersuites: text, ..config },
        2 => return TlsConfig { protocols: text, ..config },
        3 => return TlsConfig { server_name: text, ..config },
        _ => {}
    }
    let place = CERTIFICATES.path("ca.crt").replace("ca.crt", "input");
    fs::write(&place, input).expect("a file");
    match kind % 7 {
        4 => TlsConfig { cert_file: Some(place), ..config },
        5 => TlsConfig { key_file: Some(place), key_file_pass: Some(b"password".to_vec()), ..config },
        _ => TlsConfig { ca_cert_file: Some(place), ..config },
    }
}

fuzz_target!(|bytes: &[u8]| {
    let [kind, input @ ..] = bytes else { return };
    let config = configured(*kind, input);
    limited((16 << 20) + 100 * input.len(), || {
        if let Err(reason) = config.apply() {
            assert!(!reason.is_empty());
        }
    });
});
