//! Which protocols and cipher suites connections may use.

use super::ciphers::{self, Choice};
use super::settings::Settings;
use crate::abi::host::LIBAE_LOG_WARNING;
use crate::event_loop;
use rustls::{CipherSuite, SupportedCipherSuite, SupportedProtocolVersion, version};

/// The protocol versions of a list with spaces between them.
pub(super) fn protocols(list: Option<&str>) -> Result<Vec<&'static SupportedProtocolVersion>, String> {
    let mut wanted = Vec::new();
    for name in list.unwrap_or("TLSv1.2 TLSv1.3").split_whitespace() {
        let version = match name.to_ascii_lowercase().as_str() {
            "tlsv1.2" => &version::TLS12,
            "tlsv1.3" => &version::TLS13,
            "tlsv1" | "tlsv1.1" => return Err(format!("tls-protocols: {name} is too old and not supported")),
            _ => return Err(format!("tls-protocols: {name} is none of 'TLSv1.2' and 'TLSv1.3'")),
        };
        if !wanted.contains(&version) {
            wanted.push(version);
        }
    }
    if wanted.is_empty() { Err("tls-protocols: no protocol is named".into()) } else { Ok(wanted) }
}

/// The provider's suites that the settings leave, in their order. What they name and is not there is logged.
pub(super) fn suites(settings: &Settings, all: &[SupportedCipherSuite]) -> Result<Vec<SupportedCipherSuite>, String> {
    let of_version = |version: &SupportedProtocolVersion| {
        let suites = all.iter().filter(|suite| suite.version() == version).map(|suite| suite.suite());
        Choice { suites: suites.collect(), missing: Vec::new(), least_strength: 0 }
    };
    let of_13 = settings.ciphersuites.as_deref().map(ciphers::tls13_suites).transpose()?;
    let of_12 = settings.ciphers.as_deref().map(ciphers::tls12_suites).transpose()?;
    let of_13 = of_13.unwrap_or_else(|| of_version(&version::TLS13));
    let of_12 = of_12.unwrap_or_else(|| of_version(&version::TLS12));
    for (setting, missing) in [("tls-ciphers", &of_12.missing), ("tls-ciphersuites", &of_13.missing)] {
        if !missing.is_empty() {
            let missing = missing.join(", ");
            event_loop::log(LIBAE_LOG_WARNING, format_args!("{setting}: {missing}: not supported, left out"));
        }
    }
    let is_strong = |id: &&CipherSuite| ciphers::strength(**id) >= of_12.least_strength;
    let wanted = of_13.suites.iter().filter(is_strong).chain(&of_12.suites);
    let found = wanted.filter_map(|id| all.iter().find(|suite| suite.suite() == *id));
    Ok(found.copied().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protocols_are_named() {
        assert_eq!(protocols(None).unwrap().len(), 2);
        assert_eq!(protocols(Some("tlsv1.3")).unwrap(), [&version::TLS13]);
        assert!(protocols(Some("TLSv1.1 TLSv1.2")).unwrap_err().contains("TLSv1.1"));
        assert!(protocols(Some("SSLv3")).unwrap_err().contains("SSLv3"));
        assert!(protocols(Some(" ")).is_err());
    }
}
