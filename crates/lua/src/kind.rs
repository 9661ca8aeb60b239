//! What runs, and how it fails.

/// What is called: both get their keys and arguments in another way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// As the globals KEYS and ARGV.
    Script,
    /// As two arguments.
    Function,
}

/// Why a script failed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// The error, with its code.
    pub text: Vec<u8>,
    /// Where in the script, if that is known: the name of the source, and the line.
    pub place: Option<(String, usize)>,
    /// The server has counted the error already.
    pub counted: bool,
}
