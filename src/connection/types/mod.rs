//! The tables of the built-in types.

#[cfg(not(abi_v1))]
mod listen;
#[cfg(not(abi_v1))]
mod listen_with;
#[cfg(not(abi_v1))]
mod shared;
#[cfg(not(abi_v1))]
mod tcp;
#[cfg(all(feature = "tls", not(abi_v1)))]
mod tls;
#[cfg(not(abi_v1))]
mod unix;
#[cfg(abi_v1)]
mod until_7_0;

#[cfg(not(abi_v1))]
pub(crate) use listen_with::listen_with;
#[cfg(not(abi_v1))]
pub(crate) use tcp::TCP;
#[cfg(all(feature = "tls", not(abi_v1)))]
pub(crate) use tls::TLS;
#[cfg(not(abi_v1))]
pub(crate) use unix::UNIX;
#[cfg(abi_v1)]
pub(crate) use until_7_0::*;
