//! Where descriptions of commands come from.

use super::entry::Entries;
use super::{built_in, from_server};
use crate::session::Session;
use std::rc::Rc;

/// What is known of commands. A server is asked once.
#[derive(Default)]
pub struct Known(Option<Rc<Entries>>);

impl Known {
    /// What the server says of its commands, or else what is known anyway.
    pub fn entries(&mut self, session: &mut Session) -> Rc<Entries> {
        if let Some(entries) = &self.0 {
            return entries.clone();
        }
        // In a transaction the question would be a part of it.
        if session.in_transaction() || !session.connect(true) {
            return Rc::new(built_in::entries());
        }
        let docs = session.link().and_then(|link| link.call(&["COMMAND", "DOCS"]).ok());
        let entries = docs.and_then(|reply| from_server::entries(&reply)).map_or_else(built_in::entries, Entries::new);
        // Whoever did not want to wait for the reply still wants to be connected.
        session.connect(true);
        self.0.insert(Rc::new(entries)).clone()
    }
}
