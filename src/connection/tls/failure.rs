//! Why a session fails, and the text for it.

use crate::sys::Errno;
use core::fmt;
use rustls::{CertificateError, Error as TlsError};

/// Why a session came to an end.
#[derive(Clone, Debug)]
pub(super) enum Failure {
    /// The socket failed.
    System(Errno),
    /// rustls reported an error.
    Tls(TlsError),
    /// Another reason, in words.
    Other(&'static str),
}

impl From<Errno> for Failure {
    fn from(errno: Errno) -> Self {
        Self::System(errno)
    }
}

impl From<TlsError> for Failure {
    fn from(error: TlsError) -> Self {
        Self::Tls(error)
    }
}

impl fmt::Display for Failure {
    /// Names the side at fault, and what it did.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System(errno) => crate::sys::text::error_text(*errno).fmt(f),
            Self::Other(text) => f.write_str(text),
            Self::Tls(TlsError::AlertReceived(alert)) => write!(f, "the peer gave up with the alert {alert:?}"),
            Self::Tls(TlsError::NoCertificatesPresented) => f.write_str("the peer showed no certificate"),
            Self::Tls(TlsError::InvalidCertificate(CertificateError::UnknownIssuer)) => {
                f.write_str("the peer's certificate is not signed by a known CA")
            }
            Self::Tls(TlsError::InvalidCertificate(CertificateError::Other(error))) => {
                write!(f, "the peer's certificate is refused: {}", error.0)
            }
            Self::Tls(TlsError::InvalidCertificate(error)) => write!(f, "the peer's certificate is refused: {error}"),
            Self::Tls(TlsError::InvalidMessage(what)) => {
                write!(f, "the peer sent something that is not TLS ({what:?})")
            }
            Self::Tls(TlsError::PeerIncompatible(why)) => {
                write!(f, "the peer and this side have nothing in common: {why:?}")
            }
            Self::Tls(TlsError::PeerMisbehaved(why)) => write!(f, "the peer does not keep to TLS: {why:?}"),
            Self::Tls(TlsError::PeerSentOversizedRecord) => f.write_str("the peer sent a record that is too long"),
            Self::Tls(
                error @ (TlsError::InappropriateMessage { .. } | TlsError::InappropriateHandshakeMessage { .. }),
            ) => write!(f, "the peer does not keep to TLS: {error}"),
            Self::Tls(TlsError::General(why)) => write!(f, "this side cannot go on with the peer: {why}"),
            Self::Tls(TlsError::DecryptError) => f.write_str("the peer sent a record that cannot be decrypted"),
            Self::Tls(TlsError::EncryptError) => {
                f.write_str("this side has sent as many records as the settings allow with one key (records_per_key)")
            }
            Self::Tls(TlsError::NoApplicationProtocol) => {
                f.write_str("the peer and this side have no application protocol in common (ALPN)")
            }
            Self::Tls(error) => error.fmt(f),
        }
    }
}
