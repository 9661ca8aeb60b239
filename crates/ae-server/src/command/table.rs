//! The table of all commands: `build.rs` makes its rows of `commands.csv`.

use super::context::{Command, Run};
use super::registry::{Registry, Row};
use super::spec::SPECS;
use crate::commands;

include!(concat!(env!("OUT_DIR"), "/rows.rs"));

pub static TABLE: Registry<Run> = Registry::new(&ROWS);

#[cfg(test)]
#[path = "arity_tests.rs"]
mod arity_tests;

#[cfg(test)]
#[path = "key_types_tests.rs"]
mod key_types_tests;

#[cfg(test)]
mod tests {
    use super::{SPECS, TABLE};
    use crate::command::context::Command;
    use std::collections::HashSet;

    #[test]
    fn every_command_is_found_in_any_case() {
        for command in TABLE.all() {
            for name in [command.spec.name.to_string(), command.spec.name.to_ascii_uppercase()] {
                assert!(std::ptr::eq(TABLE.find(name.as_bytes()).unwrap(), command), "{name}");
            }
        }
        let names: HashSet<_> = TABLE.all().map(|command| command.spec.name).collect();
        assert_eq!(names.len(), TABLE.all().len());
    }

    #[test]
    fn other_names_are_not() {
        for name in ["", "ge", "gett", "\0", "get\0", "nosuchcommand", &"g".repeat(1000)] {
            assert!(TABLE.find(name.as_bytes()).is_none(), "{name:?}");
        }
    }

    #[test]
    fn what_is_in_parentheses_is_whole() {
        for spec in &SPECS {
            for text in [spec.complexity, spec.summary, spec.syntax] {
                assert_eq!(text.matches('(').count(), text.matches(')').count(), "{}: {text}", spec.full_name);
            }
        }
    }

    #[test]
    fn rows_are_sound() {
        for Command { spec, subcommands, .. } in TABLE.all() {
            assert!(spec.parent.is_none() && spec.name == spec.name.to_ascii_lowercase());
            assert!(!spec.summary.is_empty() && spec.arity != 0);
            for Command { spec: sub, .. } in *subcommands {
                assert_eq!(sub.parent, Some(spec.name));
                assert!(sub.arity.abs() >= 2, "{}", sub.full_name);
            }
        }
        assert!(SPECS.iter().enumerate().all(|(id, spec)| usize::from(spec.id) == id));
    }
}
