//! What a connection over TLS has negotiated, and what its peer's certificate says.

use super::config::certificate::{Fields, NameKind};
use super::config::ciphers;
use super::conn::TlsConn;
use super::session::Session;
use crate::sys::Errno;
use crate::sys::errno::NO_DATA;
use core::ffi::CStr;
use core::net::IpAddr;
use rustls::{HandshakeKind, ProtocolVersion};
use std::borrow::Cow;

/// A session whose handshake is over.
pub(crate) struct Established<'a>(&'a Session);

/// The session of a connection; `ENOTCONN` before its handshake is over.
///
/// # Safety
/// The result is used before a handler runs, and before the connection does anything.
pub(crate) unsafe fn established<'a>(conn: TlsConn) -> Result<Established<'a>, Errno> {
    // SAFETY: by this function's own contract.
    let session = unsafe { conn.session() }.filter(|session| !session.is_handshaking());
    session.map(|session| Established(session)).ok_or(Errno::ENOTCONN)
}

impl Established<'_> {
    /// "TLSv1.2" or "TLSv1.3".
    pub(crate) fn version(&self) -> &'static CStr {
        match self.0.negotiated().protocol_version() {
            Some(ProtocolVersion::TLSv1_3) => c"TLSv1.3",
            _ => c"TLSv1.2",
        }
    }

    /// OpenSSL's name of the cipher suite.
    pub(crate) fn cipher(&self) -> Result<&'static CStr, Errno> {
        let suite = self.0.negotiated().negotiated_cipher_suite();
        suite.and_then(|suite| ciphers::name(suite.suite())).ok_or(NO_DATA)
    }

    /// Whether the session is one that was resumed.
    pub(crate) fn is_resumed(&self) -> bool {
        self.0.negotiated().handshake_kind() == Some(HandshakeKind::Resumed)
    }

    /// The application's protocol that has been agreed on (ALPN).
    pub(crate) fn alpn_protocol(&self) -> Result<&[u8], Errno> {
        self.0.negotiated().alpn_protocol().ok_or(NO_DATA)
    }

    /// The name of the server that the client has asked for.
    pub(crate) fn server_name(&self) -> Result<&str, Errno> {
        self.0.server_name().ok_or(NO_DATA)
    }

    /// The peer's certificate, as DER.
    pub(crate) fn peer_certificate(&self) -> Result<&[u8], Errno> {
        self.0.peer_certificate().map(AsRef::as_ref).ok_or(NO_DATA)
    }

    /// The names of a kind in the peer's certificate.
    pub(crate) fn peer_names(&self, kind: NameKind) -> Result<Vec<Cow<'_, [u8]>>, Errno> {
        Ok(names(self.peer_certificate()?, kind))
    }
}

/// The names of a kind in a certificate, in their order, addresses as text.
pub(crate) fn names(certificate: &[u8], kind: NameKind) -> Vec<Cow<'_, [u8]>> {
    let names = Fields::of(certificate).map(|fields| fields.names(kind)).unwrap_or_default().into_iter();
    if kind == NameKind::Ip { names.filter_map(address).collect() } else { names.map(Cow::Borrowed).collect() }
}

/// An address of 4 or 16 bytes as text.
fn address(bytes: &[u8]) -> Option<Cow<'_, [u8]>> {
    let of_4 = || <[u8; 4]>::try_from(bytes).ok().map(IpAddr::from);
    let ip = of_4().or_else(|| <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from))?;
    Some(Cow::Owned(ip.to_string().into_bytes()))
}
