//! What a person or a script is connected as, and the sending of commands.

mod connect;
mod issue;
mod read;
mod special;
mod state;

pub use state::{Failed, Session};
