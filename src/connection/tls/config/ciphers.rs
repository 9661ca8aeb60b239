//! OpenSSL's language for lists of cipher suites of TLS 1.2, applied to the suites that rustls has.
//!
//! OpenSSL keeps all its suites in one order and marks those that a list has chosen; each rule of the list marks suites
//! or moves them. The rules hardly ever look at suites besides those that they name, so that the same is done here with
//! few.

use core::ffi::CStr;
use rustls::CipherSuite;

/// A cipher suite as OpenSSL sees it: its name, and the words for groups that only some of ours belong to.
struct Cipher {
    suite: CipherSuite,
    name: &'static CStr,
    groups: &'static [&'static str],
}

impl Cipher {
    fn name(&self) -> &'static str {
        self.name.to_str().unwrap_or_default()
    }
}

/// In OpenSSL's order.
#[rustfmt::skip]
const CIPHERS: [Cipher; 6] = [
    Cipher { suite: CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, name: c"ECDHE-ECDSA-AES256-GCM-SHA384",
        groups: &["aECDSA", "ECDSA", "AES", "AES256", "AESGCM", "FIPS"] },
    Cipher { suite: CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, name: c"ECDHE-RSA-AES256-GCM-SHA384",
        groups: &["aRSA", "AES", "AES256", "AESGCM", "FIPS"] },
    Cipher { suite: CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, name: c"ECDHE-ECDSA-CHACHA20-POLY1305",
        groups: &["aECDSA", "ECDSA", "CHACHA20"] },
    Cipher { suite: CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256, name: c"ECDHE-RSA-CHACHA20-POLY1305",
        groups: &["aRSA", "CHACHA20"] },
    Cipher { suite: CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, name: c"ECDHE-ECDSA-AES128-GCM-SHA256",
        groups: &["aECDSA", "ECDSA", "AES", "AES128", "AESGCM", "FIPS"] },
    Cipher { suite: CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, name: c"ECDHE-RSA-AES128-GCM-SHA256",
        groups: &["aRSA", "AES", "AES128", "AESGCM", "FIPS"] },
];

/// The suites of TLS 1.3, which have one name.
const CIPHERS_13: [(CipherSuite, &CStr); 3] = [
    (CipherSuite::TLS13_AES_128_GCM_SHA256, c"TLS_AES_128_GCM_SHA256"),
    (CipherSuite::TLS13_AES_256_GCM_SHA384, c"TLS_AES_256_GCM_SHA384"),
    (CipherSuite::TLS13_CHACHA20_POLY1305_SHA256, c"TLS_CHACHA20_POLY1305_SHA256"),
];

/// OpenSSL's name of a suite.
pub(in crate::connection::tls) fn name(suite: CipherSuite) -> Option<&'static CStr> {
    let of_12 = CIPHERS.iter().find(|cipher| cipher.suite == suite).map(|cipher| cipher.name);
    of_12.or_else(|| CIPHERS_13.iter().find(|(id, _)| *id == suite).map(|(_, name)| *name))
}

/// Groups that all of ours belong to. Not among them are `RSA`, which is key exchange *and* signature, and `SHA256` and
/// `SHA384`, which are hashes that protect records: these suites have another protection.
const OF_ALL: [&str; 8] = ["ALL", "HIGH", "TLSv1.2", "kECDHE", "kEECDH", "ECDH", "ECDHE", "EECDH"];

/// Lists that stand for others, at the beginning alone.
const SUITE_B: [(&str, &str); 4] = [
    ("SUITEB128ONLY", "ECDHE-ECDSA-AES128-GCM-SHA256"),
    ("SUITEB128C2", "ECDHE-ECDSA-AES256-GCM-SHA384"),
    ("SUITEB128", "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384"),
    ("SUITEB192", "ECDHE-ECDSA-AES256-GCM-SHA384"),
];

/// Some of [`CIPHERS`], a bit each.
type Set = u8;
const EVERY: Set = (1 << CIPHERS.len()) - 1;

fn set(is_in: impl Fn(&Cipher) -> bool) -> Set {
    (0..).zip(&CIPHERS).filter(|(_, cipher)| is_in(cipher)).map(|(bit, _)| 1 << bit).sum()
}

/// The suites that a word means.
fn meant(word: &str) -> Set {
    if OF_ALL.contains(&word) {
        return EVERY;
    }
    set(|cipher| cipher.name() == word || cipher.groups.contains(&word))
}

/// How many bits a suite's key has.
pub(super) fn strength(suite: CipherSuite) -> u16 {
    match suite {
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
        | CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
        | CipherSuite::TLS13_AES_128_GCM_SHA256 => 128,
        _ => 256,
    }
}

/// The least strength at each of OpenSSL's security levels.
const LEVELS: [u16; 6] = [0, 80, 112, 128, 192, 256];

/// What a list says.
pub(super) struct Choice {
    pub(super) suites: Vec<CipherSuite>,
    /// What the list would add and is not there.
    pub(super) missing: Vec<String>,
    /// Suites of TLS 1.3 have to have as much, too.
    pub(super) least_strength: u16,
}

/// Suites in an order, some of them chosen.
struct Order(Vec<(usize, bool)>);

impl Order {
    fn take(&mut self, set: Set, chosen: bool) -> Vec<usize> {
        let is_meant = |(index, is): &(usize, bool)| set & 1 << index != 0 && *is == chosen;
        let taken = self.0.iter().filter(|entry| is_meant(entry)).map(|(index, _)| *index).collect();
        self.0.retain(|entry| !is_meant(entry));
        taken
    }

    /// Chooses them, behind those that are.
    fn add(&mut self, set: Set) {
        let taken = self.take(set, false);
        self.0.extend(taken.into_iter().map(|index| (index, true)));
    }

    /// Puts chosen ones behind all others.
    fn move_back(&mut self, set: Set) {
        let taken = self.take(set, true);
        self.0.extend(taken.into_iter().map(|index| (index, true)));
    }

    /// Chooses them no longer; when they are added again they come first.
    fn delete(&mut self, set: Set) {
        let taken = self.take(set, true);
        self.0.splice(0..0, taken.into_iter().map(|index| (index, false)));
    }

    /// Deletes them for good.
    fn kill(&mut self, set: Set) {
        self.0.retain(|(index, _)| set & 1 << index == 0);
    }

    fn sort_by_strength(&mut self) {
        for strong in [256, 128] {
            self.move_back(set(|cipher| strength(cipher.suite) == strong));
        }
    }
}

fn is_separator(byte: char) -> bool {
    matches!(byte, ':' | ',' | ' ' | ';')
}

/// What the list has left, cut off after its first word.
fn word<'a>(rest: &mut &'a str) -> Option<&'a str> {
    let is_end = |c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '=' | '_'));
    let (word, behind) = rest.split_at(rest.find(is_end).unwrap_or(rest.len()));
    *rest = behind;
    (!word.is_empty()).then_some(word)
}

/// What several words with `+` between them mean together; nothing when one means nothing.
fn intersection(rest: &mut &str) -> Option<Set> {
    let mut set = meant(word(rest)?);
    while set != 0
        && let Some(behind) = rest.strip_prefix('+')
    {
        *rest = behind;
        set &= meant(word(rest)?);
    }
    Some(set)
}

/// The suites of TLS 1.2 that a list chooses, in its order.
pub(super) fn tls12_suites(list: &str) -> Result<Choice, String> {
    let suite_b = SUITE_B.iter().find(|(name, _)| list.starts_with(name));
    let mut rest = suite_b.map_or(list, |(_, meaning)| meaning);
    let mut order = Order((0..CIPHERS.len()).map(|index| (index, false)).collect());
    let (mut missing, mut least_strength) = (Vec::new(), 0);
    if let Some(behind) = rest.strip_prefix("DEFAULT") {
        rest = behind;
        order.add(EVERY);
    }
    while let Some(first) = rest.chars().next() {
        let item = rest.split(is_separator).next().unwrap_or(rest);
        if is_separator(first) || matches!(first, '!' | '-' | '+' | '@') {
            rest = &rest[1..];
        }
        let malformed = || format!("tls-ciphers: {list} makes no sense at {item}");
        match first {
            _ if is_separator(first) => continue,
            '@' => match word(&mut rest).ok_or_else(malformed)? {
                "STRENGTH" => order.sort_by_strength(),
                level => {
                    let level = level.strip_prefix("SECLEVEL=").and_then(|level| level.parse().ok());
                    let strength = level.and_then(|level: usize| LEVELS.get(level));
                    least_strength = *strength.ok_or_else(malformed)?;
                }
            },
            _ => {
                let set = intersection(&mut rest).ok_or_else(malformed)?;
                match first {
                    '!' => order.kill(set),
                    '-' => order.delete(set),
                    '+' => order.move_back(set),
                    _ if set == 0 => missing.push(item.to_owned()),
                    _ => order.add(set),
                }
                if set != 0 {
                    continue;
                }
            }
        }
        // What is left of a word that means nothing means nothing either.
        rest = rest.find(is_separator).map_or("", |separator| &rest[separator..]);
    }
    let chosen = order.0.iter().filter(|(_, chosen)| *chosen).map(|(index, _)| CIPHERS[*index].suite);
    let suites: Vec<_> = chosen.filter(|suite| strength(*suite) >= least_strength).collect();
    if suites.is_empty() {
        let names = CIPHERS.map(|cipher| cipher.name()).join(", ");
        return Err(format!("tls-ciphers: {list} leaves no cipher suite of TLS 1.2; there are {names}"));
    }
    Ok(Choice { suites, missing, least_strength })
}

/// The suites of TLS 1.3 that a list names.
pub(super) fn tls13_suites(list: &str) -> Result<Choice, String> {
    let (mut suites, mut missing) = (Vec::new(), Vec::new());
    for name in list.split([':', ',', ' ']).filter(|name| !name.is_empty()) {
        match CIPHERS_13.iter().find(|(_, known)| known.to_bytes() == name.as_bytes()) {
            Some((suite, _)) => suites.push(*suite),
            None => missing.push(name.to_owned()),
        }
    }
    if suites.is_empty() {
        return Err(format!("tls-ciphersuites: {list} names no cipher suite of TLS 1.3 that is here"));
    }
    Ok(Choice { suites, missing, least_strength: 0 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::ErrorKind;
    use std::process::Command;

    fn names(list: &str) -> Vec<&'static str> {
        let suites = tls12_suites(list).map_or(Vec::new(), |choice| choice.suites);
        suites.iter().map(|id| CIPHERS.iter().find(|cipher| cipher.suite == *id).unwrap().name()).collect()
    }

    /// What `openssl ciphers` makes of a list, without what is not here; None where it is not installed.
    fn by_openssl(list: &str) -> Option<Vec<&'static str>> {
        let mut command = Command::new("openssl");
        command.arg("ciphers");
        if list.contains("SECLEVEL=") {
            // Levels count where a connection is made.
            command.args(["-s", "-tls1_2"]);
        }
        // Not to be taken for an option.
        let list = if list.starts_with('-') { format!(":{list}") } else { list.to_owned() };
        let output = match command.arg(list).output() {
            Err(error) if error.kind() == ErrorKind::NotFound => return None,
            output => output.unwrap(),
        };
        let text = String::from_utf8(output.stdout).unwrap();
        let all = text.trim().split(':').filter(|_| output.status.success());
        Some(all.filter_map(|name| Some(CIPHERS.iter().find(|cipher| cipher.name() == name)?.name())).collect())
    }

    #[rustfmt::skip]
    const LISTS: &[&str] = &[
        // As people write them.
        "DEFAULT", "ALL", "HIGH", "HIGH:!RSA", "HIGH:!aNULL:!MD5", "HIGH:!aNULL:!kRSA", "HIGH:MEDIUM:!RC4",
        "HIGH:!SHA256",
        "HIGH:!SHA384", "HIGH:!SHA1:!SHA256:!SHA384", "DEFAULT@SECLEVEL=1", "DEFAULT:@SECLEVEL=2", "HIGH@STRENGTH",
        "HIGH:@STRENGTH", "ECDH+AESGCM", "EECDH+AESGCM:EDH+AESGCM", "ECDHE+AESGCM:ECDHE+CHACHA20",
        "ECDH+AESGCM:DH+AESGCM:ECDH+AES256:DH+AES256:ECDH+AES128:DH+AES:RSA+AESGCM:RSA+AES:!aNULL:!MD5:!DSS",
        "EECDH+CHACHA20:EECDH+AES128:RSA+AES128:EECDH+AES256:RSA+AES256:EECDH+3DES:RSA+3DES:!MD5",
        "EECDH+ECDSA+AESGCM:EECDH+aRSA+AESGCM:EECDH+ECDSA+SHA384:EECDH+ECDSA+SHA256:EECDH+aRSA+SHA384:EECDH:EDH+aRSA:!RC4",
        "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:\
         ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384:\
         DHE-RSA-CHACHA20-POLY1305",
        "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-SHA256:AES128-SHA:DES-CBC3-SHA:!DSS",
        "HIGH:!kEDH:!ADH:!DH:!SRP:!PSK:!DSS", "ALL:!COMPLEMENTOFDEFAULT:!eNULL", "ALL:COMPLEMENTOFALL", "TLSv1.2:!NULL",
        "DEFAULT:!CAMELLIA:!ARIA:!AESCCM", "ALL:!LOW:!EXP:!MD5:@STRENGTH", "ECDHE:!AES256", "!aNULL:HIGH",
        "DEFAULT:!CHACHA20",
        "kEECDH+ECDSA:kEECDH+aRSA", "AES256+EECDH:AES256+EDH", "ALL:!aECDSA", "ALL:!ECDSA", "ALL:!aRSA",
        "DEFAULT:!AESGCM",
        "FIPS", "FIPS:!aNULL:!eNULL", "AES:ALL:!aNULL:!eNULL:+RC4:@STRENGTH", "HIGH:!EDH", "HIGH:!ECDHE", "HIGH:!ECDH",
        "HIGH:!kEECDH",
        // One word each.
        "MEDIUM", "LOW", "COMPLEMENTOFALL", "COMPLEMENTOFDEFAULT", "aRSA", "kRSA", "RSA", "aECDSA", "ECDSA", "kECDHE",
        "kEECDH",
        "ECDHE", "EECDH", "ECDH", "AES", "AES128", "AES256", "AESGCM", "AESCCM", "CHACHA20", "SHA", "SHA1", "SHA256",
        "SHA384",
        "TLSv1.2", "TLSv1.0", "TLSv1", "SSLv3", "PSK", "SRP", "eNULL", "aNULL", "NULL", "ADH", "AECDH", "DH", "DHE",
        "kDHE", "DSS",
        "CAMELLIA", "ARIA", "3DES", "RC4", "MD5", "GCM", "AEAD", "high", "Default", "TLSv1.3", "NONSENSE",
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256", "ECDHE-RSA-CHACHA20-POLY1305",
        // Where DEFAULT stands.
        "DEFAULT+AESGCM", "DEFAULT-AES128", "DEFAULTX", "DEFAULT:DEFAULT", "AES128:DEFAULT", "!AES256:DEFAULT",
        "DEFAULT!AES",
        // Order.
        "AES128:AES256", "ALL:-AES256:ALL", "ALL:-AES128:-AES256:ALL", "ALL:-ECDSA:ALL", "ALL:+aRSA",
        "ALL:+AES256:+CHACHA20",
        "AES128:+AES128:AES256", "+AES:ALL", "aRSA:AES128", "CHACHA20:ALL:@STRENGTH", "AES128:CHACHA20@STRENGTH",
        "AES128:CHACHA20:@STRENGTH:AES256", "AES128:ALL", "-AES128:ALL", "ALL:!AES128:AES128",
        "ALL:-AES128:-AES128:AES128",
        "ALL:-ALL:AES128", "ALL:+ECDSA+AESGCM:+aRSA+CHACHA20", "aRSA+AES128:ECDSA+AES256:CHACHA20:ALL",
        "@STRENGTH:AES128:AES256",
        // Separators and what is between them.
        "AES128,AES256", "AES128 AES256", "AES128;CHACHA20", "::AES128::", " AES128 ", "AES128\tAES256",
        "AES128!AES256",
        "AES128@STRENGTH", "ALL:RC4+AES:AES+RC4", "AES+AES256+aRSA", "AES128+AES256", "TLSv1.2+TLSv1", "AESGCM+ALL",
        "ALL+ALL",
        "ECDHE-RSA-AES128-GCM-SHA256+AES128", "ECDHE-RSA-AES128-GCM-SHA256+AES256",
        "ALL:!ECDHE-RSA-AES128-GCM-SHA256+AES",
        "NONSENSE:ALL", "ALL:NONSENSE@STRENGTH", "NONSENSE+?:ALL", "ALL:!NONSENSE", "RSA+AES:AES128",
        "AES128+RSA:AES256", "AES128.",
        // What makes no sense.
        "!", "ALL:!", "ALL:@", "ALL:?", "ALL/AES", "ECDHE+", "ECDHE+:ALL", "ALL:@NONSENSE", "ALL:@SECLEVEL=",
        "ALL@STRENGTHX",
        "@SECLEVEL=9", "ALL:@SECLEVEL=6", "ALL:@SECLEVEL=2X", "ALL:!!AES", "ALL:+-AES", ":", "@STRENGTH", "ALL:!ALL",
        "!ALL:ALL", "-",
        // Levels.
        "ALL:@SECLEVEL=0", "ALL:@SECLEVEL=3", "ALL:@SECLEVEL=4", "@SECLEVEL=5:AES128:ALL", "AES128:@SECLEVEL=4",
        "ALL:@SECLEVEL=4:@SECLEVEL=1",
        // Lists that are words.
        "SUITEB128", "SUITEB128ONLY", "SUITEB128C2", "SUITEB192", "SUITEB128:ALL", "SUITEB129", "ALL:SUITEB128",
    ];

    #[test]
    fn lists_mean_what_they_mean_to_openssl() {
        let mut wrong = Vec::new();
        for list in LISTS {
            let Some(expected) = by_openssl(list) else { return println!("skipped: openssl is not installed") };
            if names(list) != expected {
                wrong.push(format!("{list}: {:?}, to openssl {expected:?}", names(list)));
            }
        }
        assert!(LISTS.len() > 150);
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn what_is_not_there_is_named() {
        for (list, missing) in [
            ("HIGH:MEDIUM:!RC4", &["MEDIUM"][..]),
            ("EECDH+AESGCM:EDH+AESGCM", &["EDH+AESGCM"]),
            ("DHE-RSA-AES256-GCM-SHA384,ALL:!RSA:-SHA:+3DES", &["DHE-RSA-AES256-GCM-SHA384"]),
            ("AES128-SHA:ALL:NONSENSE@STRENGTH", &["AES128-SHA", "NONSENSE@STRENGTH"]),
            ("DEFAULT", &[]),
        ] {
            let choice = tls12_suites(list).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(choice.missing, missing, "{list}");
        }
        let choice = tls13_suites("TLS_AES_128_CCM_SHA256:TLS_AES_256_GCM_SHA384").unwrap();
        assert_eq!((choice.suites.len(), choice.missing), (1, vec!["TLS_AES_128_CCM_SHA256".to_owned()]));
    }

    #[test]
    fn lists_that_leave_nothing_are_refused() {
        for (list, part) in [
            ("AES128-SHA256", "AES128-SHA256 leaves no"),
            ("ALL:!ALL", "leaves no"),
            ("ALL:@NONSENSE", "makes no sense at @NONSENSE"),
            ("ALL:!:AES", "makes no sense at !"),
        ] {
            let error = tls12_suites(list).err().unwrap();
            assert!(error.starts_with("tls-ciphers: ") && error.contains(part), "{list}: {error}");
        }
        let error = tls13_suites("TLS_AES_128_CCM_SHA256").err().unwrap();
        assert!(error.starts_with("tls-ciphersuites: TLS_AES_128_CCM_SHA256 names no"), "{error}");
    }
}
