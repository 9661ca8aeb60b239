//! The HELP subcommand, which every command with subcommands has.

use crate::command::context::{Command, Context};
use crate::command::error::Outcome;

/// A command with subcommands that was called without: its arity does not allow that.
pub fn needs_subcommand(_: &mut Context<'_>) -> Outcome {
    Ok(())
}

/// Lists the subcommands.
pub fn help(ctx: &mut Context<'_>) -> Outcome {
    let Some(parent) = ctx.spec.parent.and_then(|name| ctx.commands.find(name.as_bytes())) else {
        return Ok(());
    };
    let name = parent.spec.name.to_ascii_uppercase();
    let mut lines = vec![format!("{name} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:")];
    for Command { spec, .. } in parent.subcommands {
        lines.push(format!("{} {}", spec.name.to_ascii_uppercase(), spec.syntax).trim_end().into());
        lines.push(format!("    {}", spec.summary));
    }
    let mut reply = ctx.reply();
    reply.array(lines.len());
    lines.iter().for_each(|line| reply.simple(line));
    Ok(())
}
