//! What there is to say of commands.

mod answer;
mod built_in;
mod entry;
mod from_server;
mod known;

pub use answer::{answer, is_asked};
pub use entry::Entries;
pub use known::known;

#[cfg(test)]
mod tests;
