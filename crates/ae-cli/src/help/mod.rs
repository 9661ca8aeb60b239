//! What there is to say of commands.

mod answer;
mod built_in;
mod entry;
mod from_server;
mod known;

pub use answer::{answer, is_asked};
#[cfg(test)]
pub use built_in::entries as built_in;
pub use entry::Entries;
pub use known::Known;

#[cfg(test)]
mod tests;
