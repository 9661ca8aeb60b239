//! Which versions of the protocol connections may use.

use rustls::{SupportedProtocolVersion, version};

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
