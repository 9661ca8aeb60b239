//! The PROXY protocol.

use core::ffi::{c_char, c_int};

/// How many bytes a header may have; longer ones, which the protocol's version 2 allows, are refused.
pub const LIBAE_PROXY_HEADER_MAX: c_int = 4096;
/// Room for an address in `libaeProxy`, with the NUL.
pub const LIBAE_PROXY_ADDRESS_LEN: usize = 46;

/// What a header of the PROXY protocol says of a connection.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct libaeProxy {
    /// `sizeof(libaeProxy)` as the program was compiled; later members are not written.
    pub size: usize,
    /// The protocol's version, 1 or 2.
    pub version: c_int,
    /// `AF_INET` or `AF_INET6`; `AF_UNSPEC` when the header names no such addresses: the connection is the proxy's own, or
    /// of a kind that it does not tell.
    pub family: c_int,
    /// The port of whoever connected to the proxy.
    pub source_port: c_int,
    /// The port that the proxy was reached on.
    pub destination_port: c_int,
    /// The address of whoever connected to the proxy, empty without one.
    pub source: [c_char; LIBAE_PROXY_ADDRESS_LEN],
    /// The address that the proxy was reached at, empty without one.
    pub destination: [c_char; LIBAE_PROXY_ADDRESS_LEN],
}
