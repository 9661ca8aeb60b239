//! All parameters.

use super::parameter::Parameter;
use super::{fixed, general, tls};

/// Every parameter, in the order of `--help`.
pub fn parameters() -> impl Iterator<Item = &'static Parameter> {
    general::PARAMETERS.iter().chain(tls::PARAMETERS).chain(fixed::PARAMETERS)
}

/// The parameter of that name, in any case.
pub fn parameter(name: &[u8]) -> Option<&'static Parameter> {
    parameters().find(|parameter| name.eq_ignore_ascii_case(parameter.name.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::settings::Config;

    fn set(name: &str, value: &str) -> Result<Vec<u8>, String> {
        let mut config = Config::default();
        let parameter = parameter(name.as_bytes()).unwrap();
        (parameter.set)(&mut config, value.as_bytes())?;
        Ok((parameter.get)(&config))
    }

    #[test]
    fn every_default_can_be_set_again() {
        for parameter in parameters() {
            let mut config = Config::default();
            let value = (parameter.get)(&config);
            (parameter.set)(&mut config, &value).unwrap_or_else(|error| panic!("{}: {error}", parameter.name));
            assert_eq!((parameter.get)(&config), value, "{}", parameter.name);
        }
    }

    #[test]
    fn values_are_checked() {
        assert_eq!(set("port", "65536").unwrap_err(), "argument must be between 0 and 65535 inclusive");
        assert_eq!(set("port", "x").unwrap_err(), "argument couldn't be parsed into an integer");
        assert_eq!(set("PORT", "07").unwrap_err(), "argument couldn't be parsed into an integer");
        assert_eq!(set("timeout", "-1").unwrap_err(), "argument must be between 0 and 2147483647 inclusive");
        assert_eq!(set("protected-mode", "NO").unwrap(), b"no");
        assert_eq!(set("protected-mode", "maybe").unwrap_err(), "argument must be 'yes' or 'no'");
        assert_eq!(set("unixsocketperm", "770").unwrap(), b"770");
        assert!(set("unixsocketperm", "888").is_err());
        assert_eq!(set("proto-max-bulk-len", "2mb").unwrap(), b"2097152");
        assert_eq!(set("client-query-buffer-limit", "5GB").unwrap(), b"5368709120");
        assert_eq!(set("proto-max-bulk-len", "9223372036854775807b").unwrap(), b"9223372036854775807");
        let range = "argument must be between 1048576 and 9223372036854775807 inclusive";
        for bad in ["", "1", "mb", "9223372036854775808", "99999999999999999999gb"] {
            assert_eq!(set("proto-max-bulk-len", bad).unwrap_err(), range, "{bad}");
        }
        for bad in ["x", "-1", "1.5mb", "1 mb", "1tb", "\u{e9}"] {
            assert_eq!(set("proto-max-bulk-len", bad).unwrap_err(), "argument must be a memory value", "{bad}");
        }
        assert!(set("save", "60 1").is_err());
        assert_eq!(set("bind", "127.0.0.1 -::1").unwrap(), b"127.0.0.1 -::1");
    }
}
