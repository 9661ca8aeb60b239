//! Sets of commands.

use super::fault::Fault;
use crate::command::category;
use crate::command::spec::{SPECS, Spec};
use std::collections::BTreeMap;

const WORDS: usize = SPECS.len().div_ceil(u64::BITS as usize);

/// The commands that may be called.
#[derive(Clone, Debug)]
pub struct CommandSet {
    /// A bit per [`Spec::id`].
    bits: [u64; WORDS],
    /// Every command: none has been taken out since all were put in.
    all: bool,
    /// All were put in at some time, so that what a later version adds belongs to it too.
    open: bool,
    /// First arguments with which a command may be called that is not in the set, by [`Spec::id`].
    first_args: BTreeMap<u16, Vec<Box<[u8]>>>,
}

impl CommandSet {
    pub fn none() -> CommandSet {
        CommandSet { bits: [0; WORDS], all: false, open: false, first_args: BTreeMap::new() }
    }

    pub fn every() -> CommandSet {
        CommandSet { bits: [u64::MAX; WORDS], all: true, open: true, first_args: BTreeMap::new() }
    }

    pub fn is_all(&self) -> bool {
        self.all
    }

    pub fn is_open(&self) -> bool {
        self.open
    }

    pub fn has(&self, spec: &Spec) -> bool {
        self.bits[usize::from(spec.id / 64)] & 1 << (spec.id % 64) != 0
    }

    /// Whether a command may be called with these arguments behind its name.
    pub fn allows<'a>(&self, spec: &Spec, mut args: impl Iterator<Item = &'a [u8]>) -> bool {
        self.all
            || self.has(spec)
            || args.next().is_some_and(|arg| self.first_args(spec).iter().any(|word| arg.eq_ignore_ascii_case(word)))
    }

    /// The first arguments with which a command may be called that is not in the set.
    pub fn first_args(&self, spec: &Spec) -> &[Box<[u8]>] {
        self.first_args.get(&spec.id).map_or(&[], Vec::as_slice)
    }

    /// Puts a command with its subcommands into the set, or takes them out.
    pub fn change(&mut self, spec: &Spec, allow: bool) {
        let subcommands = SPECS.iter().filter(|sub| sub.parent == Some(spec.full_name));
        for id in subcommands.map(|sub| sub.id).chain([spec.id]) {
            let (word, bit) = (&mut self.bits[usize::from(id / 64)], 1 << (id % 64));
            *word = if allow { *word | bit } else { *word & !bit };
            self.all &= allow;
            self.first_args.remove(&id);
        }
    }

    pub fn change_category(&mut self, category: u32, allow: bool) {
        SPECS.iter().filter(|spec| spec.categories() & category != 0).for_each(|spec| self.change(spec, allow));
    }

    /// How many commands of a category are in the set, and how many are not.
    pub fn count(&self, category: u32) -> (usize, usize) {
        let of_category = || SPECS.iter().filter(|spec| spec.categories() & category != 0);
        let inside = of_category().filter(|spec| self.has(spec)).count();
        (inside, of_category().count() - inside)
    }

    /// Does what a rule says: `+get`, `-@dangerous`, `+config|get` or `+select|0`.
    pub fn apply(&mut self, rule: &[u8]) -> Result<(), Fault> {
        let allow = rule.first() == Some(&b'+');
        let name = rule.get(1..).unwrap_or_default();
        if let Some(category) = name.strip_prefix(b"@") {
            self.change_category(find_category(category).ok_or(Fault::Unknown)?, allow);
            return Ok(());
        }
        match name.iter().rposition(|c| *c == b'|').filter(|_| allow) {
            None => self.change(find_command(name).ok_or(Fault::Unknown)?, allow),
            Some(at) => {
                let command = find_command(&name[..at]).ok_or(Fault::Unknown)?;
                let word = &name[at + 1..];
                if command.parent.is_some() {
                    return Err(Fault::ArgumentOfSubcommand);
                }
                if word.is_empty() {
                    return Err(Fault::Syntax);
                }
                match SPECS.iter().any(|spec| spec.parent == Some(command.name)) {
                    true => self.change(find_command(name).ok_or(Fault::Unknown)?, true),
                    false => self.add_first_arg(command, word),
                }
            }
        }
        Ok(())
    }

    fn add_first_arg(&mut self, command: &Spec, word: &[u8]) {
        let words = self.first_args.entry(command.id).or_default();
        if !words.iter().any(|other| other.eq_ignore_ascii_case(word)) {
            words.push(word.into());
        }
    }
}

/// The category of that name, in any case.
pub fn find_category(name: &[u8]) -> Option<u32> {
    let found = category::NAMES.iter().find(|(_, other)| name.eq_ignore_ascii_case(other.as_bytes()));
    found.map(|(category, _)| *category)
}

/// A command, or a subcommand as `client|list`, in any case.
fn find_command(name: &[u8]) -> Option<&'static Spec> {
    SPECS.iter().find(|spec| name.eq_ignore_ascii_case(spec.full_name.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(rules: &[&str]) -> CommandSet {
        let mut set = CommandSet::none();
        rules.iter().for_each(|rule| set.apply(rule.as_bytes()).unwrap());
        set
    }

    fn has(set: &CommandSet, name: &str) -> bool {
        set.has(find_command(name.as_bytes()).unwrap())
    }

    #[test]
    fn subcommands_go_with_their_command_and_alone() {
        let client = set(&["+client", "-client|kill"]);
        assert!(has(&client, "client") && has(&client, "client|list") && !has(&client, "client|kill"));
        let list = set(&["+CLIENT|List"]);
        assert!(has(&list, "client|list") && !has(&list, "client|kill") && !has(&list, "client"));
        assert!(!has(&set(&["-get", "-client|list"]), "get") && !has(&set(&["-client"]), "client|list"));
    }

    #[test]
    fn categories() {
        let reads = set(&["+@read", "-get"]);
        assert!(has(&reads, "mget") && !has(&reads, "get") && !has(&reads, "set"));
        let (inside, outside) = reads.count(category::READ);
        assert!(inside > 10 && outside == 1);
    }

    #[test]
    fn first_arguments() {
        let echo = set(&["+echo|Hi"]);
        let spec = find_command(b"echo").unwrap();
        assert!(echo.allows(spec, [&b"hI"[..]].into_iter()) && !has(&echo, "echo"));
        let select = set(&["+select|0", "+Select|1", "+select|0"]);
        let spec = find_command(b"select").unwrap();
        let allows = |word: &str| select.allows(spec, [word.as_bytes()].into_iter());
        assert!(allows("0") && allows("1") && !allows("2") && !select.allows(spec, [].into_iter()));
        assert_eq!(select.first_args(spec).len(), 2);
        assert!(set(&["+select|0", "-select"]).first_args(spec).is_empty());
    }

    #[test]
    fn what_a_rule_may_not_say() {
        for (rule, fault) in [
            ("+nosuch", Fault::Unknown),
            ("-@nosuch", Fault::Unknown),
            ("+", Fault::Unknown),
            ("-select|0", Fault::Unknown),
            ("+config|nosuch", Fault::Unknown),
            ("+config|get|x", Fault::ArgumentOfSubcommand),
            ("+config|", Fault::Syntax),
        ] {
            assert_eq!(CommandSet::none().apply(rule.as_bytes()), Err(fault), "{rule}");
        }
    }
}
