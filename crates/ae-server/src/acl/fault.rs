//! What can be wrong with a rule.

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// There is no such command, subcommand or category.
    Unknown,
    Syntax,
    /// A pattern of keys behind one that matches all.
    AllKeys,
    /// A pattern of channels behind one that matches all.
    AllChannels,
    BadHash,
    NoSuchPassword,
    ArgumentOfSubcommand,
}

impl Fault {
    /// In Redis's words.
    pub fn text(self) -> &'static str {
        match self {
            Fault::Unknown => "Unknown command or category name in ACL",
            Fault::Syntax => "Syntax error",
            Fault::AllKeys => {
                "Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not have any \
                 effect. Try 'resetkeys' to start with an empty list of patterns"
            }
            Fault::AllChannels => {
                "Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and does not have any \
                 effect. Try 'resetchannels' to start with an empty list of channels"
            }
            Fault::BadHash => {
                "The password hash must be exactly 64 characters and contain only lowercase hexadecimal characters"
            }
            Fault::NoSuchPassword => "The password you are trying to remove from the user does not exist",
            Fault::ArgumentOfSubcommand => "Allowing first-arg of a subcommand is not supported",
        }
    }
}
