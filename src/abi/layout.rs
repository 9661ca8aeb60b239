//! Every offset and size of the profile, asserted when the crate is compiled: build.rs makes one assertion of each
//! row of `facts/layouts.csv` and `facts/tls-config.csv`. The facts were measured on 64-bit x86; other 64-bit systems
//! agree except for the size of a mutex, which Valkey's loop contains. On 32-bit Linux, x86 and ARM, the facts are
//! those of `facts/layouts-32.csv`.

#![cfg(any(
    all(target_pointer_width = "64", any(not(abi_valkey), target_arch = "x86_64")),
    all(target_pointer_width = "32", target_os = "linux", any(target_arch = "x86", target_arch = "arm")),
))]

use super::ae::*;
use super::connection::*;
#[cfg(all(abi_redis_6_2, target_pointer_width = "64"))]
use super::tls_upstream::WithoutPassphrases;
use super::tls_upstream::redisTLSContextConfig;
use core::mem::{offset_of, size_of};
use static_assertions::const_assert_eq;

include!(concat!(env!("OUT_DIR"), "/layout.rs"));
