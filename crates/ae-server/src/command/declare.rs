//! The rows of the command tables.

use super::context::{Command, Context, Run};
use super::error::Outcome;
use super::flag::{LOADING, STALE};
use super::spec::{Keys, NO_KEYS, Spec};
use resp::writer;

/// A command.
pub const fn command(
    name: &'static str,
    arity: i32,
    flags: u16,
    keys: Keys,
    since: &'static str,
    summary: &'static str,
    run: Run,
) -> Command {
    Command { spec: Spec { name, parent: None, arity, flags, keys, since, summary }, run, subcommands: &[] }
}

/// A subcommand. The arity counts the command's name too.
pub const fn subcommand(
    parent: &'static str,
    name: &'static str,
    arity: i32,
    flags: u16,
    since: &'static str,
    summary: &'static str,
    run: Run,
) -> Command {
    let spec = Spec { name, parent: Some(parent), arity, flags, keys: NO_KEYS, since, summary };
    Command { spec, run, subcommands: &[] }
}

/// The HELP subcommand, which every command with subcommands has.
pub const fn help(parent: &'static str) -> Command {
    subcommand(parent, "help", 2, LOADING | STALE, "5.0.0", "Lists the subcommands.", list_subcommands)
}

fn list_subcommands(ctx: &mut Context<'_>) -> Outcome {
    let Some(parent) = ctx.spec.parent.and_then(|name| ctx.commands.find(name.as_bytes())) else {
        return Ok(());
    };
    let out = ctx.out();
    writer::array(out, parent.subcommands.len());
    for Command { spec, .. } in parent.subcommands {
        writer::simple(out, &format!("{}: {}", spec.name.to_ascii_uppercase(), spec.summary));
    }
    Ok(())
}
