//! COMMAND: what commands there are, for clients that complete, route or check them.

use crate::command::context::{Command, Context, Run};
use crate::command::declare::{command, help, subcommand};
use crate::command::error::{Error, Outcome, SYNTAX_ERROR};
use crate::command::flag::{self, LOADING, STALE};
use crate::command::registry::Registry;
use crate::command::spec::NO_KEYS;
use crate::glob::{Case, matches};
use resp::{Args, Protocol, writer};

pub const COMMANDS: &[Command] =
    &[command("command", -1, FLAGS, NO_KEYS, "2.8.13", "Describes all commands.", list_all).with_subcommands(COMMAND)];

const FLAGS: u16 = LOADING | STALE;

const COMMAND: &[Command] = &[
    subcommand("command", "count", 2, FLAGS, "2.8.13", "Counts the commands.", count),
    subcommand("command", "info", -2, FLAGS, "2.8.13", "Describes commands.", info),
    subcommand("command", "docs", -2, FLAGS, "7.0.0", "Returns what commands do.", docs),
    subcommand("command", "list", -2, FLAGS, "7.0.0", "Returns the names of commands.", list),
    subcommand("command", "getkeys", -3, FLAGS, "2.8.13", "Returns the keys in a request.", getkeys),
    help("command"),
];

fn list_all(ctx: &mut Context<'_>) -> Outcome {
    let (protocol, commands) = (ctx.client.protocol, ctx.commands);
    let out = ctx.out();
    writer::array(out, commands.all().count());
    commands.all().for_each(|(_, command)| describe(out, protocol, command));
    Ok(())
}

fn count(ctx: &mut Context<'_>) -> Outcome {
    ctx.reply_integer(ctx.commands.all().count() as i64)
}

fn info(ctx: &mut Context<'_>) -> Outcome {
    if ctx.args.len() == 2 {
        return list_all(ctx);
    }
    let names = ctx.args.from(2);
    let (protocol, commands) = (ctx.client.protocol, ctx.commands);
    let out = ctx.out();
    writer::array(out, names.len());
    for name in names {
        match find_full(commands, name) {
            Some((_, command)) => describe(out, protocol, command),
            None => writer::null(out, protocol),
        }
    }
    Ok(())
}

fn docs(ctx: &mut Context<'_>) -> Outcome {
    let commands = ctx.commands;
    let wanted: Vec<(&str, &Command)> = match ctx.args.len() {
        2 => commands.all().collect(),
        _ => ctx.args.from(2).filter_map(|name| find_full(commands, name)).collect(),
    };
    let protocol = ctx.client.protocol;
    let out = ctx.out();
    writer::map(out, protocol, wanted.len());
    wanted.into_iter().for_each(|(group, command)| document(out, protocol, group, command));
    Ok(())
}

/// A command or, as `client|list`, a subcommand, with its group.
fn find_full(commands: &Registry<Run>, name: &[u8]) -> Option<(&'static str, &'static Command)> {
    let (name, sub) = match name.iter().position(|&c| c == b'|') {
        Some(at) => (&name[..at], Some(&name[at + 1..])),
        None => (name, None),
    };
    let command = commands.find(name)?;
    let (group, _) = commands.all().find(|(_, other)| std::ptr::eq(*other, command))?;
    match sub {
        Some(sub) => command.subcommand(sub).map(|command| (group, command)),
        None => Some((group, command)),
    }
}

fn describe(out: &mut Vec<u8>, protocol: Protocol, command: &Command) {
    let spec = &command.spec;
    writer::array(out, 10);
    writer::bulk(out, spec.full_name().as_bytes());
    writer::integer(out, spec.arity.into());
    let flags: Vec<&str> = flag::NAMES.iter().filter(|(bit, _)| spec.flags & bit != 0).map(|(_, name)| *name).collect();
    writer::set(out, protocol, flags.len());
    flags.into_iter().for_each(|name| writer::simple(out, name));
    let (first, last, step) = spec.keys;
    for position in [first, last, step] {
        writer::integer(out, position.into());
    }
    // No access categories, no tips, no key specifications.
    writer::set(out, protocol, 0);
    writer::array(out, 0);
    writer::set(out, protocol, 0);
    writer::array(out, command.subcommands.len());
    command.subcommands.iter().for_each(|sub| describe(out, protocol, sub));
}

fn document(out: &mut Vec<u8>, protocol: Protocol, group: &str, command: &Command) {
    let spec = &command.spec;
    writer::bulk(out, spec.full_name().as_bytes());
    writer::map(out, protocol, if command.subcommands.is_empty() { 3 } else { 4 });
    for text in ["summary", spec.summary, "since", spec.since, "group", group] {
        writer::bulk(out, text.as_bytes());
    }
    if !command.subcommands.is_empty() {
        writer::bulk(out, b"subcommands");
        writer::map(out, protocol, command.subcommands.len());
        command.subcommands.iter().for_each(|sub| document(out, protocol, group, sub));
    }
}

fn list(ctx: &mut Context<'_>) -> Outcome {
    let pattern = match ctx.args.len() {
        2 => Some(&b"*"[..]),
        5 if ctx.arg(2).eq_ignore_ascii_case(b"filterby") => match ctx.arg(3).to_ascii_lowercase().as_slice() {
            b"pattern" => Some(ctx.arg(4)),
            // There are no modules and no access categories.
            b"module" | b"aclcat" => None,
            _ => return Err(SYNTAX_ERROR.into()),
        },
        _ => return Err(SYNTAX_ERROR.into()),
    };
    let names: Vec<&str> = ctx
        .commands
        .all()
        .map(|(_, command)| command.spec.name)
        .filter(|name| pattern.is_some_and(|pattern| matches(pattern, name.as_bytes(), Case::Ignored)))
        .collect();
    let out = ctx.out();
    writer::array(out, names.len());
    names.into_iter().for_each(|name| writer::bulk(out, name.as_bytes()));
    Ok(())
}

fn getkeys(ctx: &mut Context<'_>) -> Outcome {
    let positions = key_positions(ctx.commands, &ctx.args)?;
    let Context { client, args, .. } = ctx;
    writer::array(&mut client.output.bytes, positions.len());
    positions.into_iter().for_each(|at| writer::bulk(&mut client.output.bytes, &args[at]));
    Ok(())
}

/// The positions of the keys in the request that follows COMMAND GETKEYS.
fn key_positions(commands: &Registry<Run>, args: &Args<'_>) -> Result<Vec<usize>, Error> {
    const START: usize = 2;
    let len = args.len() - START;
    let mut command = commands.find(&args[START]).ok_or("ERR Invalid command specified")?;
    if !command.subcommands.is_empty()
        && let Some(name) = args.get(START + 1)
    {
        command = command.subcommand(name).ok_or("ERR Invalid command specified")?;
    }
    let (first, last, step) = command.spec.keys;
    if step <= 0 {
        return Err("ERR The command has no key arguments".into());
    }
    if !command.spec.fits(len) {
        return Err("ERR Invalid number of arguments specified for command".into());
    }
    let last = if last < 0 { len - last.unsigned_abs() as usize } else { last as usize };
    Ok((first as usize..=last.min(len - 1)).step_by(step as usize).map(|at| START + at).collect())
}

#[cfg(test)]
mod tests {
    use crate::command::table::TABLE;
    use crate::testing::Session;

    #[test]
    fn descriptions() {
        let total = TABLE.all().count();
        let mut session = Session::new();
        assert_eq!(session.run("COMMAND COUNT"), format!(":{total}"));
        assert!(session.run("COMMAND").starts_with(&format!("*{total} *10 ")));
        assert!(session.run("COMMAND DOCS").starts_with(&format!("*{} ", 2 * total)));
        session.expect(&[
            ("COMMAND INFO get nosuch", "*2 *10 $3 get :2 *2 +readonly +fast :1 :1 :1 *0 *0 *0 *0 $-1"),
            (
                "COMMAND DOCS get",
                "*2 $3 get *6 $7 summary $28 Returns the string at a key. $5 since $5 1.0.0 $5 group $6 string",
            ),
            ("COMMAND DOCS nosuch", "*0"),
            ("COMMAND LIST FILTERBY PATTERN get*", "*5 $3 get $6 getset $6 getdel $5 getex $8 getrange"),
            ("COMMAND LIST FILTERBY MODULE x", "*0"),
            ("COMMAND LIST x", "-ERR syntax error"),
            ("COMMAND NOSUCH", "-ERR unknown subcommand 'NOSUCH'. Try COMMAND HELP."),
        ]);
        assert!(session.run("COMMAND INFO client|list").starts_with("*1 *10 $11 client|list :-2"));
    }

    #[test]
    fn keys_in_requests() {
        Session::new().expect(&[
            ("COMMAND GETKEYS GET k", "*1 $1 k"),
            ("COMMAND GETKEYS MSET a 1 b 2", "*2 $1 a $1 b"),
            ("COMMAND GETKEYS OBJECT ENCODING k", "*1 $1 k"),
            ("COMMAND GETKEYS DEL a b c", "*3 $1 a $1 b $1 c"),
            ("COMMAND GETKEYS PING", "-ERR The command has no key arguments"),
            ("COMMAND GETKEYS GET", "-ERR Invalid number of arguments specified for command"),
            ("COMMAND GETKEYS NOSUCH", "-ERR Invalid command specified"),
            ("COMMAND GETKEYS OBJECT NOSUCH", "-ERR Invalid command specified"),
            ("COMMAND GETKEYS OBJECT", "-ERR The command has no key arguments"),
        ]);
    }
}
