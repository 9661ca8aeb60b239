//! Lists of protocol versions and cipher suites, as configuration files for OpenSSL have them.

use rustls::{CipherSuite, SupportedProtocolVersion, version};

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

/// A cipher suite of TLS 1.2 as OpenSSL sees it: its name, and the words that lists use for groups it belongs to.
struct Cipher {
    suite: CipherSuite,
    name: &'static str,
    groups: &'static [&'static str],
}

#[rustfmt::skip]
const CIPHERS: [Cipher; 6] = [
    Cipher { suite: CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, name: "ECDHE-ECDSA-AES256-GCM-SHA384",
        groups: &["ECDSA", "aECDSA", "AES", "AES256", "AESGCM", "SHA384"] },
    Cipher { suite: CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, name: "ECDHE-RSA-AES256-GCM-SHA384",
        groups: &["RSA", "aRSA", "AES", "AES256", "AESGCM", "SHA384"] },
    Cipher { suite: CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, name: "ECDHE-ECDSA-CHACHA20-POLY1305",
        groups: &["ECDSA", "aECDSA", "CHACHA20"] },
    Cipher { suite: CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256, name: "ECDHE-RSA-CHACHA20-POLY1305",
        groups: &["RSA", "aRSA", "CHACHA20"] },
    Cipher { suite: CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, name: "ECDHE-ECDSA-AES128-GCM-SHA256",
        groups: &["ECDSA", "aECDSA", "AES", "AES128", "AESGCM", "SHA256"] },
    Cipher { suite: CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, name: "ECDHE-RSA-AES128-GCM-SHA256",
        groups: &["RSA", "aRSA", "AES", "AES128", "AESGCM", "SHA256"] },
];

/// Groups that hold every suite there is here.
const EVERY: [&str; 9] = ["ALL", "DEFAULT", "COMPLEMENTOFALL", "HIGH", "ECDHE", "EECDH", "kECDHE", "kEECDH", "TLSv1.2"];

impl Cipher {
    /// Whether a word of a list, or several with `+` between them, mean this suite.
    fn is_meant(&self, word: &str) -> bool {
        let is_in = |group: &str| {
            (EVERY.contains(&group) && group != "COMPLEMENTOFALL") || self.groups.contains(&group) || group == self.name
        };
        word.split('+').all(is_in)
    }
}

/// The cipher suites of TLS 1.2 that a list in OpenSSL's language names, in its order: words with colons, commas or
/// spaces between them, `!` and `-` in front to take suites out, `+` to put them last.
pub(super) fn tls12_suites(list: &str) -> Result<Vec<CipherSuite>, String> {
    let mut chosen: Vec<&Cipher> = Vec::new();
    let mut banned: Vec<&str> = Vec::new();
    for item in list.split([':', ',', ' ', ';']).filter(|item| !item.is_empty()) {
        let (sign, word) = match item.split_at_checked(1) {
            Some((sign @ ("!" | "-" | "+" | "@"), word)) => (sign, word),
            _ => ("", item),
        };
        let meant = CIPHERS.iter().filter(|cipher| cipher.is_meant(word) && !banned.contains(&cipher.name));
        match sign {
            // All suites are of one strength here, and every one is strong enough for any level.
            "@" if word == "STRENGTH" || word.starts_with("SECLEVEL=") => {}
            "@" => return Err(format!("tls-ciphers: {item} is not known")),
            "!" | "-" => {
                let names: Vec<_> = meant.map(|cipher| cipher.name).collect();
                chosen.retain(|cipher| !names.contains(&cipher.name));
                if sign == "!" {
                    banned.extend(names);
                }
            }
            "+" => {
                let (last, first): (Vec<_>, Vec<_>) = chosen.into_iter().partition(|cipher| cipher.is_meant(word));
                chosen = first.into_iter().chain(last).collect();
            }
            _ => {
                let before = CIPHERS.iter().any(|cipher| cipher.is_meant(word));
                if !before && !EVERY.contains(&word) {
                    return Err(format!("tls-ciphers: {word} is not supported; there are {}", names()));
                }
                for cipher in meant {
                    if !chosen.iter().any(|other| other.name == cipher.name) {
                        chosen.push(cipher);
                    }
                }
            }
        }
    }
    if chosen.is_empty() {
        return Err(format!("tls-ciphers: {list} leaves no cipher suite; there are {}", names()));
    }
    Ok(chosen.into_iter().map(|cipher| cipher.suite).collect())
}

fn names() -> String {
    CIPHERS.map(|cipher| cipher.name).join(", ")
}

/// The cipher suites of TLS 1.3 that a list names.
pub(super) fn tls13_suites(list: &str) -> Result<Vec<CipherSuite>, String> {
    let mut chosen = Vec::new();
    for name in list.split([':', ',', ' ']).filter(|name| !name.is_empty()) {
        chosen.push(match name {
            "TLS_AES_128_GCM_SHA256" => CipherSuite::TLS13_AES_128_GCM_SHA256,
            "TLS_AES_256_GCM_SHA384" => CipherSuite::TLS13_AES_256_GCM_SHA384,
            "TLS_CHACHA20_POLY1305_SHA256" => CipherSuite::TLS13_CHACHA20_POLY1305_SHA256,
            _ => return Err(format!("tls-ciphersuites: {name} is not supported")),
        });
    }
    if chosen.is_empty() { Err("tls-ciphersuites: no cipher suite is named".into()) } else { Ok(chosen) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(list: &str) -> Vec<&'static str> {
        let suites = tls12_suites(list).unwrap_or_else(|error| panic!("{list}: {error}"));
        suites.iter().map(|id| CIPHERS.iter().find(|cipher| cipher.suite == *id).unwrap().name).collect()
    }

    #[test]
    fn lists_of_ciphers_mean_what_they_mean_to_openssl() {
        let all = CIPHERS.map(|cipher| cipher.name).to_vec();
        assert_eq!(chosen("DEFAULT"), all);
        assert_eq!(chosen("HIGH:!aNULL:!MD5"), all);
        assert_eq!(chosen("DEFAULT:-AES128-SHA256"), all);
        assert_eq!(chosen("ALL:@SECLEVEL=2"), all);
        assert_eq!(
            chosen("ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384"),
            ["ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384"]
        );
        assert_eq!(chosen("ECDHE+AESGCM+aRSA"), ["ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-AES128-GCM-SHA256"]);
        assert_eq!(chosen("DEFAULT:!CHACHA20:!ECDSA:+AES256").last(), Some(&"ECDHE-RSA-AES256-GCM-SHA384"));
        assert_eq!(chosen("CHACHA20:!CHACHA20:AES256:CHACHA20").len(), 2);
    }

    #[test]
    fn what_is_not_there_is_refused_by_name() {
        for (list, word) in [
            ("AES128-SHA256", "AES128-SHA256"),
            ("DHE-RSA-AES256-GCM-SHA384:DEFAULT", "DHE-RSA-AES256-GCM-SHA384"),
            ("DEFAULT:!ALL", "leaves no cipher"),
            ("@NONSENSE", "@NONSENSE"),
        ] {
            let error = tls12_suites(list).unwrap_err();
            assert!(error.starts_with("tls-ciphers: ") && error.contains(word), "{list}: {error}");
        }
        assert!(tls13_suites("TLS_AES_128_CCM_SHA256").unwrap_err().starts_with("tls-ciphersuites: TLS_AES_128_CCM"));
        assert_eq!(tls13_suites("TLS_AES_256_GCM_SHA384").unwrap().len(), 1);
    }

    #[test]
    fn protocols_are_named() {
        assert_eq!(protocols(None).unwrap().len(), 2);
        assert_eq!(protocols(Some("tlsv1.3")).unwrap(), [&version::TLS13]);
        assert!(protocols(Some("TLSv1.1 TLSv1.2")).unwrap_err().contains("TLSv1.1"));
        assert!(protocols(Some("SSLv3")).unwrap_err().contains("SSLv3"));
        assert!(protocols(Some(" ")).is_err());
    }
}
