//! The table of all commands.

use super::context::Run;
use super::registry::{Group, Registry};
use crate::commands::{
    admin, client, config, connection, expire, info, introspection, keys, numbers, scan, set, strings,
};

pub static TABLE: Registry<Run> = Registry::new(GROUPS);

const GROUPS: &[Group<Run>] = &[
    ("string", &[set::COMMANDS, strings::COMMANDS, numbers::COMMANDS]),
    ("generic", &[keys::COMMANDS, scan::COMMANDS, expire::COMMANDS]),
    ("connection", &[connection::COMMANDS, client::COMMANDS]),
    ("server", &[admin::COMMANDS, info::COMMANDS, config::COMMANDS, introspection::COMMANDS]),
];

#[cfg(test)]
mod tests {
    use super::TABLE;
    use crate::command::context::Command;
    use crate::command::registry::NAME_MAX;
    use std::collections::HashSet;

    #[test]
    fn every_command_is_found_in_any_case() {
        for (_, command) in TABLE.all() {
            for name in [command.spec.name.to_string(), command.spec.name.to_ascii_uppercase()] {
                assert!(std::ptr::eq(TABLE.find(name.as_bytes()).unwrap(), command), "{name}");
            }
        }
        let names: HashSet<_> = TABLE.all().map(|(_, command)| command.spec.name).collect();
        assert_eq!(names.len(), TABLE.all().count());
    }

    #[test]
    fn other_names_are_not() {
        for name in ["", "ge", "gett", "\0", "get\0", "nosuchcommand", &"g".repeat(1000)] {
            assert!(TABLE.find(name.as_bytes()).is_none(), "{name:?}");
        }
    }

    #[test]
    fn tables_are_sound() {
        for (_, Command { spec, subcommands, .. }) in TABLE.all() {
            assert!(spec.parent.is_none() && spec.name == spec.name.to_ascii_lowercase());
            assert!(!spec.summary.is_empty() && spec.name.len() <= NAME_MAX && spec.arity != 0);
            for Command { spec: sub, .. } in *subcommands {
                assert_eq!(sub.parent, Some(spec.name));
                assert!(sub.arity.abs() >= 2, "{}", sub.full_name());
            }
        }
    }
}
