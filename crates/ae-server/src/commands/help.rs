//! The HELP subcommand, which every command with subcommands has.

use crate::command::context::{Command, Context};
use crate::command::error::Outcome;

/// A command with subcommands that was called without: its arity does not allow that.
pub fn needs_subcommand(_: &mut Context<'_>) -> Outcome {
    Ok(())
}

/// What stands above the subcommands. The command has the name that it was called by, which may be a new one.
pub fn heading(ctx: &Context<'_>) -> String {
    let name = ctx.arg(0).to_ascii_uppercase();
    format!("{} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:", String::from_utf8_lossy(&name))
}

/// Lists the subcommands.
pub fn help(ctx: &mut Context<'_>) -> Outcome {
    let Some(parent) = ctx.spec.parent.and_then(|name| ctx.commands.find(name.as_bytes())) else {
        return Ok(());
    };
    let mut lines = vec![heading(ctx)];
    for Command { spec, .. } in parent.subcommands {
        lines.push(format!("{} {}", spec.name.to_ascii_uppercase(), spec.syntax).trim_end().into());
        lines.push(format!("    {}", spec.summary));
    }
    let mut reply = ctx.reply();
    reply.array(lines.len());
    lines.iter().for_each(|line| reply.simple(line));
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::testing::Session;

    #[test]
    fn every_subcommand_has_its_arguments_and_a_line() {
        let help = Session::new().run("Slowlog help");
        assert!(help.starts_with("*9 +SLOWLOG <subcommand> [<arg> [value] [opt] ...]. Subcommands are: +"), "{help}");
        assert!(help.contains(" +GET [count] +    ") && help.contains(" +LEN +    "), "{help}");
    }
}
