//! The configuration as the program gave it, owned and checked for what TLS here cannot do.

use crate::abi::tls::*;
use crate::abi::tls_upstream::redisTLSContextConfig;
use crate::host;
use core::ffi::{CStr, c_char, c_int};
use core::mem::{offset_of, size_of};
use core::time::Duration;
use rustls::{CipherSuite, SupportedCipherSuite, SupportedProtocolVersion, version};

/// A certificate and its key.
#[derive(Debug)]
pub(crate) struct Identity {
    /// What the settings of this identity are called in messages.
    pub(crate) names: [&'static str; 3],
    pub(crate) cert_file: String,
    pub(crate) key_file: String,
    pub(crate) key_file_pass: Option<Vec<u8>>,
}

const SERVER_NAMES: [&str; 3] = ["tls-cert-file", "tls-key-file", "tls-key-file-pass"];
const CLIENT_NAMES: [&str; 3] = ["tls-client-cert-file", "tls-client-key-file", "tls-client-key-file-pass"];

/// Whether a server asks its clients for their certificates.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum AuthClients {
    /// It does not.
    #[default]
    No,
    /// Clients must show a certificate that the CA has signed.
    Yes,
    /// Clients may show a certificate; the CA must have signed one that is shown.
    Optional,
}

/// The configuration of TLS. What is None or false has the default said with it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TlsConfig {
    /// The certificate, with the chain below the CA behind it, as PEM: the server's, and the client's if it has none of
    /// its own. Default: none, and then connections can be made but not accepted.
    pub cert_file: Option<String>,
    /// Its private key, as PEM.
    pub key_file: Option<String>,
    /// The passphrase of an encrypted key.
    pub key_file_pass: Option<Vec<u8>>,
    /// The certificate to show as a client. Default: `cert_file`.
    pub client_cert_file: Option<String>,
    /// Its private key.
    pub client_key_file: Option<String>,
    /// The passphrase of an encrypted key.
    pub client_key_file_pass: Option<Vec<u8>>,
    /// The certificates of the CAs that peers' certificates are checked with, as PEM.
    pub ca_cert_file: Option<String>,
    /// A folder of such certificates, under the names that `openssl rehash` gives them.
    pub ca_cert_dir: Option<String>,
    /// "TLSv1.2", "TLSv1.3" or both with a space between. Default: both.
    pub protocols: Option<String>,
    /// The cipher suites of TLS 1.2, as OpenSSL writes such a list. Default: all that there are.
    pub ciphers: Option<String>,
    /// The cipher suites of TLS 1.3, with colons between them. Default: all that there are.
    pub ciphersuites: Option<String>,
    /// The name to send to servers (SNI) and to look for in their certificates. Default: the address to connect to.
    pub server_name: Option<String>,
    /// Whether clients are asked for their certificates.
    pub auth_clients: AuthClients,
    /// A server's certificate is checked, but not whether it has been made out for the server's name.
    pub any_server_name: bool,
    /// The server's order of cipher suites decides instead of the client's.
    pub prefer_server_ciphers: bool,
    /// No session can be resumed.
    pub no_session_cache: bool,
    /// How many sessions a server keeps. Default: 20480.
    pub session_cache_size: Option<usize>,
    /// For how long. Default: 300 seconds.
    pub session_cache_timeout: Option<Duration>,
    /// How many accepted connections may be in their handshake at the same time; listeners accept no more meanwhile.
    /// Default: 1000.
    pub max_handshakes: Option<usize>,
    /// How long a handshake may take, [`Duration::MAX`] for any time. Default: 10 seconds.
    pub handshake_timeout: Option<Duration>,
}

/// The same, checked.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) server: Option<Identity>,
    pub(crate) client: Option<Identity>,
    pub(crate) ca_cert_file: Option<String>,
    pub(crate) ca_cert_dir: Option<String>,
    pub(crate) protocols: Vec<&'static SupportedProtocolVersion>,
    pub(crate) ciphers: Option<String>,
    pub(crate) ciphersuites: Option<String>,
    pub(crate) prefer_server_ciphers: bool,
    /// How many sessions a server keeps, for how long; None: none.
    pub(crate) sessions: Option<(usize, Duration)>,
    /// One of the `LIBAE_TLS_AUTH_CLIENTS_` values.
    pub(crate) auth_clients: c_int,
    /// Whether a server's certificate has to be made out for its name.
    pub(crate) check_server_name: bool,
    pub(crate) server_name: Option<String>,
}

/// Limits of handshakes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Limits {
    /// How many may be under way on the accepting side.
    pub(crate) handshakes: usize,
    /// How many milliseconds one may take, below 0: as many as it likes.
    pub(crate) milliseconds: c_int,
}

impl TlsConfig {
    /// From upstream's structure. Its programs do not check servers' names.
    ///
    /// # Safety
    /// The strings are NULL or valid.
    pub(crate) unsafe fn from_upstream(config: &redisTLSContextConfig) -> Result<Self, String> {
        // SAFETY: the caller vouches for the strings.
        unsafe {
            let reason = c"there is no key exchange with DH parameters here, only with elliptic curves";
            if text("tls-dh-params-file", config.dh_params_file)?.is_some()
                && !host::tls_meaningless(c"tls-dh-params-file", reason)
            {
                return Err(format!("tls-dh-params-file: {}", reason.to_string_lossy()));
            }
            let cert_file = text(SERVER_NAMES[0], config.cert_file)?;
            if cert_file.is_none() {
                return Err("No tls-cert-file configured!".into());
            }
            Ok(Self {
                cert_file,
                key_file: text(SERVER_NAMES[1], config.key_file)?,
                key_file_pass: secret(config.key_file_pass),
                client_cert_file: text(CLIENT_NAMES[0], config.client_cert_file)?,
                client_key_file: text(CLIENT_NAMES[1], config.client_key_file)?,
                client_key_file_pass: secret(config.client_key_file_pass),
                ca_cert_file: text("tls-ca-cert-file", config.ca_cert_file)?,
                ca_cert_dir: text("tls-ca-cert-dir", config.ca_cert_dir)?,
                protocols: text("tls-protocols", config.protocols)?,
                ciphers: text("tls-ciphers", config.ciphers)?,
                ciphersuites: text("tls-ciphersuites", config.ciphersuites)?,
                server_name: None,
                auth_clients: auth_clients(host::tls_auth_clients().unwrap_or(LIBAE_TLS_AUTH_CLIENTS_NO))
                    .unwrap_or(AuthClients::Yes),
                any_server_name: true,
                prefer_server_ciphers: config.prefer_server_ciphers != 0,
                no_session_cache: config.session_caching == 0,
                // 0 is no limit to OpenSSL.
                session_cache_size: positive(config.session_cache_size).or(Some(usize::MAX)),
                session_cache_timeout: Some(Duration::from_secs(config.session_cache_timeout.max(0) as u64)),
                max_handshakes: positive(LIBAE_TLS_UPSTREAM_MAX_HANDSHAKES),
                handshake_timeout: Some(Duration::from_millis(LIBAE_TLS_UPSTREAM_HANDSHAKE_TIMEOUT as u64)),
            })
        }
    }

    /// From libae's own structure.
    ///
    /// # Safety
    /// `config` points to `config.size` bytes; the strings in them are NULL or valid.
    pub(crate) unsafe fn from_libae(config: *const libaeTlsConfig) -> Result<Self, String> {
        // SAFETY: the caller vouches for the structure and its strings; all zero is a value of it.
        unsafe {
            let size = (*config).size;
            if size < offset_of!(libaeTlsConfig, key_file_pass) {
                return Err(format!("size: {size} is not that of a libaeTlsConfig"));
            }
            let mut known: libaeTlsConfig = core::mem::zeroed();
            let count = size.min(size_of::<libaeTlsConfig>());
            core::ptr::copy_nonoverlapping(config.cast::<u8>(), (&raw mut known).cast(), count);
            let config = known;
            for (name, value) in [
                ("session_cache_size", config.session_cache_size),
                ("session_cache_timeout", config.session_cache_timeout),
                ("max_handshakes", config.max_handshakes),
            ] {
                if value < 0 {
                    return Err(format!("{name}: {value} is below 0"));
                }
            }
            Ok(Self {
                cert_file: text(SERVER_NAMES[0], config.cert_file)?,
                key_file: text(SERVER_NAMES[1], config.key_file)?,
                key_file_pass: secret(config.key_file_pass),
                client_cert_file: text(CLIENT_NAMES[0], config.client_cert_file)?,
                client_key_file: text(CLIENT_NAMES[1], config.client_key_file)?,
                client_key_file_pass: secret(config.client_key_file_pass),
                ca_cert_file: text("tls-ca-cert-file", config.ca_cert_file)?,
                ca_cert_dir: text("tls-ca-cert-dir", config.ca_cert_dir)?,
                protocols: text("tls-protocols", config.protocols)?,
                ciphers: text("tls-ciphers", config.ciphers)?,
                ciphersuites: text("tls-ciphersuites", config.ciphersuites)?,
                server_name: text("server_name", config.server_name)?,
                auth_clients: auth_clients(config.auth_clients)
                    .ok_or_else(|| format!("auth_clients: {} is not one of its values", config.auth_clients))?,
                any_server_name: config.any_server_name != 0,
                prefer_server_ciphers: config.prefer_server_ciphers != 0,
                no_session_cache: config.no_session_cache != 0,
                session_cache_size: positive(config.session_cache_size),
                session_cache_timeout: positive(config.session_cache_timeout)
                    .map(|seconds| Duration::from_secs(seconds as u64)),
                max_handshakes: positive(config.max_handshakes),
                handshake_timeout: match config.handshake_timeout {
                    0 => None,
                    milliseconds => Some(u64::try_from(milliseconds).map_or(Duration::MAX, Duration::from_millis)),
                },
            })
        }
    }

    /// The settings, if they make sense together.
    pub(crate) fn settings(&self) -> Result<Settings, String> {
        let identity = |names: [&'static str; 3],
                        cert_file: &Option<String>,
                        key_file: &Option<_>,
                        pass: &Option<_>| match (cert_file, key_file) {
            (Some(cert_file), Some(key_file)) => Ok(Some(Identity {
                names,
                cert_file: cert_file.clone(),
                key_file: String::clone(key_file),
                key_file_pass: Option::clone(pass),
            })),
            (None, None) => Ok(None),
            (Some(_), None) => Err(format!("No {} configured!", names[1])),
            (None, Some(_)) => Err(format!("No {} configured!", names[0])),
        };
        if self.auth_clients != AuthClients::No && self.ca_cert_file.is_none() && self.ca_cert_dir.is_none() {
            let needed =
                "Either tls-ca-cert-file or tls-ca-cert-dir must be specified when tls-auth-clients is enabled!";
            return Err(needed.into());
        }
        let size = self.session_cache_size.unwrap_or(LIBAE_TLS_SESSION_CACHE_SIZE as usize);
        let timeout = Duration::from_secs(LIBAE_TLS_SESSION_CACHE_TIMEOUT as u64);
        Ok(Settings {
            server: identity(SERVER_NAMES, &self.cert_file, &self.key_file, &self.key_file_pass)?,
            client: identity(CLIENT_NAMES, &self.client_cert_file, &self.client_key_file, &self.client_key_file_pass)?,
            ca_cert_file: self.ca_cert_file.clone(),
            ca_cert_dir: self.ca_cert_dir.clone(),
            protocols: protocols(self.protocols.as_deref())?,
            ciphers: self.ciphers.clone(),
            ciphersuites: self.ciphersuites.clone(),
            prefer_server_ciphers: self.prefer_server_ciphers,
            sessions: (!self.no_session_cache).then(|| (size, self.session_cache_timeout.unwrap_or(timeout))),
            auth_clients: match self.auth_clients {
                AuthClients::No => LIBAE_TLS_AUTH_CLIENTS_NO,
                AuthClients::Yes => LIBAE_TLS_AUTH_CLIENTS_YES,
                AuthClients::Optional => LIBAE_TLS_AUTH_CLIENTS_OPTIONAL,
            },
            check_server_name: !self.any_server_name,
            server_name: self.server_name.clone(),
        })
    }

    pub(crate) fn limits(&self) -> Limits {
        let default = Duration::from_millis(LIBAE_TLS_HANDSHAKE_TIMEOUT as u64);
        Limits {
            handshakes: self.max_handshakes.unwrap_or(LIBAE_TLS_MAX_HANDSHAKES as usize),
            milliseconds: self.handshake_timeout.unwrap_or(default).as_millis().try_into().unwrap_or(-1),
        }
    }
}

fn auth_clients(value: c_int) -> Option<AuthClients> {
    match value {
        LIBAE_TLS_AUTH_CLIENTS_NO => Some(AuthClients::No),
        LIBAE_TLS_AUTH_CLIENTS_YES => Some(AuthClients::Yes),
        LIBAE_TLS_AUTH_CLIENTS_OPTIONAL => Some(AuthClients::Optional),
        _ => None,
    }
}

fn positive(value: c_int) -> Option<usize> {
    usize::try_from(value).ok().filter(|value| *value > 0)
}

/// A setting that is text. What a configuration file leaves empty is not set.
///
/// # Safety
/// `pointer` is NULL or a string.
unsafe fn text(name: &str, pointer: *const c_char) -> Result<Option<String>, String> {
    if pointer.is_null() {
        return Ok(None);
    }
    // SAFETY: not NULL, and the caller vouches for the rest.
    match unsafe { CStr::from_ptr(pointer) }.to_str() {
        Ok("") => Ok(None),
        Ok(text) => Ok(Some(text.into())),
        Err(_) => Err(format!("{name}: not UTF-8")),
    }
}

/// # Safety
/// `pointer` is NULL or a string.
unsafe fn secret(pointer: *const c_char) -> Option<Vec<u8>> {
    // SAFETY: not NULL, and the caller vouches for the rest.
    (!pointer.is_null()).then(|| unsafe { CStr::from_ptr(pointer) }.to_bytes().to_vec())
}

/// The protocol versions of a list with spaces between them.
pub(crate) fn protocols(list: Option<&str>) -> Result<Vec<&'static SupportedProtocolVersion>, String> {
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
fn tls12_suites(list: &str) -> Result<Vec<CipherSuite>, String> {
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
fn tls13_suites(list: &str) -> Result<Vec<CipherSuite>, String> {
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

impl Settings {
    /// The provider's suites that the settings leave, in their order.
    pub(crate) fn suites(&self, all: &[SupportedCipherSuite]) -> Result<Vec<SupportedCipherSuite>, String> {
        let in_order = |wanted: Vec<CipherSuite>| -> Vec<SupportedCipherSuite> {
            wanted.iter().filter_map(|id| all.iter().find(|suite| suite.suite() == *id)).copied().collect()
        };
        let of_version = |version: &SupportedProtocolVersion| -> Vec<SupportedCipherSuite> {
            all.iter().filter(|suite| suite.version() == version).copied().collect()
        };
        let mut suites = match &self.ciphersuites {
            Some(list) => in_order(tls13_suites(list)?),
            None => of_version(&version::TLS13),
        };
        suites.extend(match &self.ciphers {
            Some(list) => in_order(tls12_suites(list)?),
            None => of_version(&version::TLS12),
        });
        Ok(suites)
    }
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
