//! Waits for a client's first message, to choose the server's settings by the name that it asks for. rustls does that
//! for its connections with buffers alone, so the message is read twice.

use super::config::contexts::OwnContext;
use rustls::server::Acceptor;
use std::sync::Arc;

pub(super) struct Hello {
    acceptor: Acceptor,
    /// How many bytes it has seen.
    seen: usize,
    pub(super) context: Arc<OwnContext>,
}

impl Hello {
    pub(super) fn new(context: Arc<OwnContext>) -> Box<Self> {
        Box::new(Self { acceptor: Acceptor::default(), seen: 0, context })
    }

    /// The name that the client asks for, Some(None) if it asks for none; None when more of the message has to come.
    /// `received` is all that has come. Of a message that makes no sense no name is told: the session will say so.
    pub(super) fn name(&mut self, received: &[u8]) -> Option<Option<String>> {
        while self.seen < received.len() {
            match self.acceptor.read_tls(&mut &received[self.seen..]) {
                Ok(count @ 1..) => self.seen += count,
                _ => return Some(None),
            }
            match self.acceptor.accept() {
                Ok(None) => {}
                Ok(Some(accepted)) => return Some(accepted.client_hello().server_name().map(str::to_ascii_lowercase)),
                Err(_) => return Some(None),
            }
        }
        None
    }
}
