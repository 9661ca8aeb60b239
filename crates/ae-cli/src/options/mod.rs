//! What the command line and the environment ask for.

mod choices;
mod command_line;
mod help;
mod uri;

pub use choices::{Cluster, Input, Mode, Options, Output, Protocol, Tls};
pub use command_line::{Action, parse, unquoted};

#[cfg(test)]
mod tests;
