//! What the exports for TLS call in a library without it: there are no such connections and no configurations.

use crate::abi::tls::libaeTlsConfig;
use core::ffi::CStr;
use core::marker::PhantomData;
use nix::errno::Errno;
use std::borrow::Cow;

pub(super) const WITHOUT_TLS: &str = "this libae has been built without TLS";

/// A configuration, of which there is none.
pub(super) enum OwnContext {}

impl OwnContext {
    pub(super) fn set_name(&self, _name: &str, _other: Option<&Self>) -> Result<(), &'static str> {
        match *self {}
    }

    pub(super) fn reload(&self) -> Result<(), String> {
        match *self {}
    }
}

/// # Safety
/// Nothing to keep.
pub(super) unsafe fn own_context(_config: *const libaeTlsConfig) -> Result<OwnContext, (Errno, String)> {
    Err((Errno::EOPNOTSUPP, WITHOUT_TLS.into()))
}

/// A connection over TLS, of which there is none.
pub(super) enum TlsConn {}

pub(super) mod tls {
    use super::{OwnContext, TlsConn};
    use core::ffi::c_int;
    use nix::errno::Errno;
    use std::sync::Arc;

    pub(in crate::ffi) fn choose(conn: TlsConn, _context: Arc<OwnContext>) -> Result<(), Errno> {
        match conn {}
    }

    pub(in crate::ffi) fn choose_for_listener(
        _listening: c_int,
        _context: Option<Arc<OwnContext>>,
    ) -> Result<(), Errno> {
        Err(Errno::EOPNOTSUPP)
    }
}

#[allow(dead_code)] // The kinds are told apart in a library with TLS.
#[derive(Clone, Copy)]
pub(super) enum NameKind {
    CommonName,
    Dns,
    Ip,
    Email,
    Uri,
}

pub(super) struct Established<'a>(TlsConn, PhantomData<&'a ()>);

/// # Safety
/// Nothing to keep.
pub(super) unsafe fn established<'a>(conn: TlsConn) -> Result<Established<'a>, Errno> {
    match conn {}
}

impl Established<'_> {
    pub(super) fn version(&self) -> &'static CStr {
        match self.0 {}
    }

    pub(super) fn cipher(&self) -> Result<&'static CStr, Errno> {
        match self.0 {}
    }

    pub(super) fn is_resumed(&self) -> bool {
        match self.0 {}
    }

    pub(super) fn alpn_protocol(&self) -> Result<&[u8], Errno> {
        match self.0 {}
    }

    pub(super) fn server_name(&self) -> Result<&str, Errno> {
        match self.0 {}
    }

    pub(super) fn peer_certificate(&self) -> Result<&[u8], Errno> {
        match self.0 {}
    }

    pub(super) fn peer_names(&self, _kind: NameKind) -> Result<Vec<Cow<'_, [u8]>>, Errno> {
        match self.0 {}
    }
}
