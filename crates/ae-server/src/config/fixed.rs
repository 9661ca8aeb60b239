//! Parameters with one value.

use super::parameter::{Change, Parameter};

macro_rules! fixed {
    ($name:literal, $value:literal) => {
        Parameter {
            name: $name,
            change: Change::Never,
            usage: "",
            help: "",
            get: |_| $value.as_bytes().to_vec(),
            set: |_, value| {
                if value.eq_ignore_ascii_case($value.as_bytes()) {
                    Ok(())
                } else {
                    Err(format!("ae-server supports only the value '{}'", $value))
                }
            },
        }
    };
}

pub const PARAMETERS: &[Parameter] = &[
    fixed!("save", ""),
    fixed!("appendonly", "no"),
    fixed!("maxmemory", "0"),
    fixed!("maxmemory-policy", "noeviction"),
    fixed!("daemonize", "no"),
    fixed!("cluster-enabled", "no"),
    fixed!("io-threads", "1"),
    fixed!("client-output-buffer-limit", "normal 0 0 0 slave 0 0 0 pubsub 0 0 0"),
];
