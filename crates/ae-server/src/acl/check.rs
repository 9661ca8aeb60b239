//! Whether a user may do what a request asks for.

use super::rights::Rights;
use super::selector::{READ, Selector, WRITE};
use crate::command::flag;
use crate::command::keys::{KeyArg, keys};
use crate::command::spec::{Spec, key_flag};
use resp::Args;

/// What a user has no right to. The greatest of several is the one that is told.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Denied {
    Command,
    /// The key at this position.
    Key(usize),
    /// The channel at this position.
    Channel(usize),
}

impl Denied {
    /// The error reply.
    pub fn text(self, spec: &Spec) -> String {
        match self {
            Denied::Command => {
                format!("NOPERM this user has no permissions to run the '{}' command", spec.full_name)
            }
            Denied::Key(_) => "NOPERM this user has no permissions to access one of the keys used as arguments".into(),
            Denied::Channel(_) => {
                "NOPERM this user has no permissions to access one of the channels used as arguments".into()
            }
        }
    }

    /// The error reply in a transaction: the right was there when the request was queued.
    pub fn text_in_transaction(self) -> String {
        let what = match self {
            Denied::Command => "no permission to execute the command or subcommand",
            Denied::Key(_) => "no permission to touch the specified keys",
            Denied::Channel(_) => "no permission to access one of the channels used as arguments to the command",
        };
        format!(
            "NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call. This \
             command is no longer allowed for the following reason: {what}"
        )
    }
}

/// One selector has to allow all of it.
pub fn check(rights: &Rights, spec: &Spec, args: &Args<'_>) -> Result<(), Denied> {
    // A request with other arguments than its command takes gets an error of the command.
    let keys = keys(spec, args).unwrap_or_default();
    let mut greatest = Denied::Command;
    for selector in &rights.selectors {
        match check_selector(selector, spec, args, &keys) {
            Ok(()) => return Ok(()),
            Err(denied) => greatest = greatest.max(denied),
        }
    }
    Err(greatest)
}

/// Whether a request may read keys of any name: one selector allows both it and that.
pub fn reads_every_key(rights: &Rights, spec: &Spec, args: &Args<'_>) -> bool {
    let keys = keys(spec, args).unwrap_or_default();
    let allows = |selector: &&Selector| check_selector(selector, spec, args, &keys).is_ok();
    rights.selectors.iter().filter(allows).any(|selector| selector.allows_every_key(READ))
}

fn check_selector(selector: &Selector, spec: &Spec, args: &Args<'_>, keys: &[KeyArg]) -> Result<(), Denied> {
    if !spec.is(flag::NO_AUTH) && !selector.commands.allows(spec, args.from(1)) {
        return Err(Denied::Command);
    }
    if let Some(key) = keys.iter().find(|key| !selector.allows_key(&args[key.at], access(key.flags))) {
        return Err(Denied::Key(key.at));
    }
    let (channels, are_patterns) = channels(spec, args.len());
    match channels.into_iter().find(|at| !selector.allows_channel(&args[*at], are_patterns)) {
        Some(at) => Err(Denied::Channel(at)),
        None => Ok(()),
    }
}

/// What a command does to a key, as far as rights are concerned.
fn access(flags: u16) -> u8 {
    let reads = if flags & key_flag::ACCESS != 0 { READ } else { 0 };
    let writes = flags & (key_flag::INSERT | key_flag::DELETE | key_flag::UPDATE) != 0;
    if writes { reads | WRITE } else { reads }
}

/// The positions of the channels that a request publishes on or subscribes to, and whether they are patterns. A script
/// asks of requests with too few arguments, too.
fn channels(spec: &Spec, len: usize) -> (std::ops::Range<usize>, bool) {
    match spec.full_name {
        "subscribe" | "ssubscribe" => (1..len, false),
        "psubscribe" => (1..len, true),
        "publish" | "spublish" => (1..len.min(2), false),
        _ => (0..0, false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::acl::rights::merged;
    use crate::command::spec::SPECS;
    use resp::OwnedArgs;

    fn checked(rules: &str, request: &str) -> Result<(), Denied> {
        let mut rights = Rights::none(false);
        let words: Vec<Vec<u8>> = rules.split(' ').map(|word| word.into()).collect();
        merged(&words).unwrap().iter().for_each(|rule| rights.apply(rule, false).unwrap());
        let words: Vec<&str> = request.split(' ').collect();
        let spec = SPECS.iter().find(|spec| spec.full_name == words[0].to_ascii_lowercase()).unwrap();
        check(&rights, spec, &OwnedArgs::new(&words).as_args())
    }

    #[test]
    fn what_commands_do_to_keys() {
        for (rules, request, outcome) in [
            ("+@all", "GET a", Err(Denied::Key(1))),
            ("+@all %R~a", "GET a", Ok(())),
            ("+@all %W~a", "GET a", Err(Denied::Key(1))),
            ("+@all %W~a", "SET a 1", Ok(())),
            ("+@all %W~a", "SET a 1 GET", Err(Denied::Key(1))),
            ("+@all %R~a %W~b", "BITOP AND b a", Ok(())),
            ("+@all %R~b %W~a", "BITOP AND b a", Err(Denied::Key(2))),
            ("+@all ~a", "MSET a 1 b 2", Err(Denied::Key(3))),
            // It reads nothing of the value, and writes nothing.
            ("+@all %W~a", "EXISTS a", Ok(())),
            ("~a", "GET a", Err(Denied::Command)),
            ("~a", "AUTH x", Ok(())),
        ] {
            assert_eq!(checked(rules, request), outcome, "{rules}: {request}");
        }
    }

    #[test]
    fn channels_of_requests() {
        for (rules, request, outcome) in [
            ("+@all &a", "PUBLISH a m", Ok(())),
            ("+@all &a", "PUBLISH b m", Err(Denied::Channel(1))),
            ("+@all &a*", "SUBSCRIBE a1 a2 b", Err(Denied::Channel(3))),
            ("+@all &a*", "SSUBSCRIBE b", Err(Denied::Channel(1))),
            ("+@all &a*", "SPUBLISH b m", Err(Denied::Channel(1))),
            ("+@all &a*", "PSUBSCRIBE a*", Ok(())),
            ("+@all &a*", "PSUBSCRIBE a1*", Err(Denied::Channel(1))),
            ("+@all", "UNSUBSCRIBE b", Ok(())),
        ] {
            assert_eq!(checked(rules, request), outcome, "{rules}: {request}");
        }
    }

    #[test]
    fn one_selector_has_to_allow_all() {
        for (rules, request, outcome) in [
            ("+get ~a (+set ~b)", "SET b 1", Ok(())),
            ("+get ~a (+set ~b)", "SET a 1", Err(Denied::Key(1))),
            ("+get ~a (+set ~b)", "GET b", Err(Denied::Key(1))),
            ("+get ~a (+set ~b)", "DEL b", Err(Denied::Command)),
            ("+mget ~a (+mget ~a ~b)", "MGET a b c", Err(Denied::Key(3))),
        ] {
            assert_eq!(checked(rules, request), outcome, "{rules}: {request}");
        }
    }
}
