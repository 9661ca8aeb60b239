//! The commands, by area, and the table that finds them.

mod admin;
mod client;
mod config;
mod connection;
mod expire;
mod info;
mod introspection;
mod keys;
mod numbers;
mod scan;
mod set;
mod strings;

#[cfg(test)]
mod properties;

use crate::command::dispatch::{Command, Context, Outcome, flag, subcommand};
use resp::writer;

/// Every command, by the group that COMMAND DOCS reports.
pub const GROUPS: [(&str, &[&[Command]]); 4] = [
    ("string", &[set::COMMANDS, strings::COMMANDS, numbers::COMMANDS]),
    ("generic", &[keys::COMMANDS, scan::COMMANDS, expire::COMMANDS]),
    ("connection", &[connection::COMMANDS, client::COMMANDS]),
    ("server", &[admin::COMMANDS, info::COMMANDS, config::COMMANDS, introspection::COMMANDS]),
];

/// A power of two, several times the number of commands so that probing is short.
const SLOTS: usize = 512;

/// An open-addressing hash table of all commands, made by the compiler.
static TABLE: [Option<&Command>; SLOTS] = {
    let mut table: [Option<&Command>; SLOTS] = [None; SLOTS];
    let mut group = 0;
    while group < GROUPS.len() {
        let mut part = 0;
        while part < GROUPS[group].1.len() {
            let commands = GROUPS[group].1[part];
            let mut i = 0;
            while i < commands.len() {
                let mut slot = hash(commands[i].name.as_bytes()) % SLOTS;
                while table[slot].is_some() {
                    slot = (slot + 1) % SLOTS;
                }
                table[slot] = Some(&commands[i]);
                i += 1;
            }
            part += 1;
        }
        group += 1;
    }
    table
};

/// The longest name there is, with room to spare.
const NAME_MAX: usize = 32;

/// The command of that name, in any case.
pub fn find(name: &[u8]) -> Option<&'static Command> {
    if name.len() > NAME_MAX {
        return None;
    }
    let mut slot = hash(name) % SLOTS;
    while let Some(command) = TABLE[slot] {
        if name.eq_ignore_ascii_case(command.name.as_bytes()) {
            return Some(command);
        }
        slot = (slot + 1) % SLOTS;
    }
    None
}

/// FNV-1a. Setting bit 5 makes capitals small; what it does to other bytes does not matter here.
const fn hash(name: &[u8]) -> usize {
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    let mut i = 0;
    while i < name.len() {
        hash = (hash ^ (name[i] | 0x20) as u64).wrapping_mul(0x100_0000_01b3);
        i += 1;
    }
    (hash ^ (hash >> 32)) as usize
}

/// Every command with its group, but for hidden ones.
pub fn all() -> impl Iterator<Item = (&'static str, &'static Command)> {
    let commands = GROUPS.iter().flat_map(|(group, parts)| {
        parts.iter().flat_map(move |commands| commands.iter().map(move |command| (*group, command)))
    });
    commands.filter(|(_, command)| command.flags & flag::HIDDEN == 0)
}

/// The HELP subcommand, which every command with subcommands has.
const fn help(parent: &'static str) -> Command {
    subcommand(parent, "help", 2, flag::LOADING | flag::STALE, "5.0.0", "Lists the subcommands.", list_subcommands)
}

fn list_subcommands(ctx: &mut Context<'_>) -> Outcome {
    let Some(parent) = ctx.command.parent.and_then(|name| find(name.as_bytes())) else {
        return Ok(());
    };
    let out = ctx.out();
    writer::array(out, parent.subcommands.len());
    for sub in parent.subcommands {
        writer::simple(out, &format!("{}: {}", sub.name.to_ascii_uppercase(), sub.summary));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_command_is_found_in_any_case() {
        for (_, command) in all() {
            for name in [command.name.to_string(), command.name.to_ascii_uppercase()] {
                assert!(std::ptr::eq(find(name.as_bytes()).unwrap(), command), "{name}");
            }
        }
        let names: HashSet<_> = all().map(|(_, command)| command.name).collect();
        assert_eq!(names.len(), all().count());
    }

    #[test]
    fn other_names_are_not() {
        for name in ["", "ge", "gett", "\0", "get\0", "nosuchcommand", &"g".repeat(1000)] {
            assert!(find(name.as_bytes()).is_none(), "{name:?}");
        }
    }

    #[test]
    fn tables_are_sound() {
        for (_, command) in all() {
            assert!(command.parent.is_none() && command.name == command.name.to_ascii_lowercase());
            assert!(!command.summary.is_empty() && command.name.len() <= NAME_MAX && command.arity != 0);
            for sub in command.subcommands {
                assert_eq!(sub.parent, Some(command.name));
                assert!(sub.arity.abs() >= 2, "{}", sub.full_name());
            }
        }
    }
}
