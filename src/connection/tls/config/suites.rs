//! Which cipher suites connections may use, and how many records one key protects.

use super::ahead::AheadCipher;
use super::ciphers::{self, Choice};
use super::settings::Settings;
use crate::abi::host::LIBAE_LOG_WARNING;
use crate::host;
use crate::sys::shared::Shared;
use rustls::{
    CipherSuite, CipherSuiteCommon, SupportedCipherSuite, SupportedProtocolVersion, Tls12CipherSuite, Tls13CipherSuite,
    version,
};
use std::collections::BTreeMap;

/// The provider's suites that the settings choose, in the settings' order. Names of suites that rustls lacks are
/// logged.
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
            host::log(LIBAE_LOG_WARNING, format_args!("{setting}: {missing}: not supported, left out"));
        }
    }
    let is_strong = |id: &&CipherSuite| ciphers::strength(**id) >= of_12.least_strength;
    let wanted = of_13.suites.iter().filter(is_strong).chain(&of_12.suites);
    let found = wanted.filter_map(|id| all.iter().find(|suite| suite.suite() == *id));
    Ok(found.map(|suite| adapted(*suite, settings.records_per_key)).collect())
}

/// The suite with ciphers that can look ahead, and with a limit of records per key. With TLS 1.2 the default is no
/// limit, as in OpenSSL: that version cannot change keys, so rustls would end the connection. With TLS 1.3 the keys are
/// changed, at rustls's limit at the latest.
fn adapted(suite: SupportedCipherSuite, records: Option<u64>) -> SupportedCipherSuite {
    /// rustls wants suites that live forever, so each is made once.
    static MADE: Shared<BTreeMap<(u16, u64), SupportedCipherSuite>> = Shared::new(BTreeMap::new());
    let mut made = MADE.lock();
    *made.entry((suite.suite().into(), records.unwrap_or(u64::MAX))).or_insert_with(|| match suite {
        SupportedCipherSuite::Tls12(suite) => {
            let aead_alg = Box::leak(Box::new(AheadCipher(suite.aead_alg)));
            let confidentiality_limit = records.unwrap_or(u64::MAX);
            let common = CipherSuiteCommon { confidentiality_limit, ..suite.common };
            SupportedCipherSuite::Tls12(Box::leak(Box::new(Tls12CipherSuite { common, aead_alg, ..*suite })))
        }
        SupportedCipherSuite::Tls13(suite) => {
            let aead_alg = Box::leak(Box::new(AheadCipher(suite.aead_alg)));
            let confidentiality_limit = suite.common.confidentiality_limit.min(records.unwrap_or(u64::MAX));
            let common = CipherSuiteCommon { confidentiality_limit, ..suite.common };
            SupportedCipherSuite::Tls13(Box::leak(Box::new(Tls13CipherSuite { common, aead_alg, ..*suite })))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::crypto::aws_lc_rs::cipher_suite::*;

    fn limit(suite: SupportedCipherSuite) -> u64 {
        match suite {
            SupportedCipherSuite::Tls12(suite) => suite.common.confidentiality_limit,
            SupportedCipherSuite::Tls13(suite) => suite.common.confidentiality_limit,
        }
    }

    #[test]
    fn records_are_limited_where_that_is_asked_for() {
        let of_12 = TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256;
        assert!(limit(of_12) < u64::MAX);
        assert_eq!(limit(adapted(of_12, None)), u64::MAX);
        assert_eq!(limit(adapted(of_12, Some(7))), 7);
        let of_13 = TLS13_AES_128_GCM_SHA256;
        assert_eq!(limit(adapted(of_13, None)), limit(of_13));
        assert_eq!(limit(adapted(of_13, Some(u64::MAX))), limit(of_13));
        assert_eq!(limit(adapted(of_13, Some(7))), 7);
    }
}
