//! Where descriptions of commands come from.

use super::entry::Entries;
use super::{built_in, from_server};
use crate::session::Session;

/// What the server says of its commands, or else what is known anyway.
pub fn known(session: &mut Session) -> Entries {
    let docs = if session.connect(true) { session.link().map(|link| link.call(&["COMMAND", "DOCS"])) } else { None };
    match docs {
        Some(Ok(reply)) => from_server::entries(&reply).map_or_else(built_in::entries, Entries::new),
        _ => built_in::entries(),
    }
}
