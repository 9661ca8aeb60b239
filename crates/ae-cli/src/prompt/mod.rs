//! Commands line by line: typed at a prompt, or from standard input.

mod completion;
mod editor;
mod hints;
mod history;
mod line;
mod preferences;
mod run;
mod secrets;

pub use run::run;
