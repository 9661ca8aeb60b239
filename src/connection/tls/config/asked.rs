//! A server's certificate, which notes the name that the client asks for (SNI): rustls tells it here alone.

use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use std::cell::Cell;
use std::sync::Arc;

thread_local! {
    static ASKED: Cell<Option<Box<str>>> = const { Cell::new(None) };
}

/// The name that the client asked for whose handshake went on last in this thread; it is given once.
pub(in crate::connection::tls) fn take() -> Option<Box<str>> {
    ASKED.take()
}

/// The one certificate of a server.
#[derive(Debug)]
pub(super) struct Certificate(pub(super) Arc<CertifiedKey>);

impl ResolvesServerCert for Certificate {
    /// Called for every handshake, also for one that resumes a session.
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        ASKED.set(hello.server_name().map(Into::into));
        Some(self.0.clone())
    }
}
