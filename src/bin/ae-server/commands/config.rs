//! CONFIG.

use crate::config::{Change, Config, parameter, parameters};
use crate::dispatch::flag::{ADMIN, LOADING, NOSCRIPT, STALE};
use crate::dispatch::{Command, Context, NO_KEYS, Outcome, SYNTAX_ERROR, command, quoting, subcommand};
use crate::glob::{Case, matches};
use crate::server::Stats;
use ae::resp::writer;

pub const COMMANDS: &[Command] =
    &[command("config", -2, FLAGS, NO_KEYS, "2.0.0", "The server's parameters.", |_| Ok(())).with_subcommands(CONFIG)];

const FLAGS: u16 = ADMIN | NOSCRIPT | LOADING | STALE;

const CONFIG: &[Command] = &[
    subcommand("config", "get", -3, FLAGS, "2.0.0", "Returns parameters by pattern.", get),
    subcommand("config", "set", -4, FLAGS, "2.0.0", "Changes parameters.", set),
    subcommand("config", "resetstat", 2, FLAGS, "2.0.0", "Sets the statistics to zero.", resetstat),
    super::help("config"),
];

fn get(ctx: &mut Context<'_>) -> Outcome {
    let Context { server, client, args, .. } = ctx;
    let found: Vec<_> = parameters()
        .filter(|parameter| args.from(2).any(|pattern| matches(pattern, parameter.name.as_bytes(), Case::Ignored)))
        .collect();
    let out = &mut client.output.bytes;
    writer::map(out, client.protocol, found.len());
    for parameter in found {
        writer::bulk(out, parameter.name.as_bytes());
        writer::bulk(out, &(parameter.get)(&server.config));
    }
    Ok(())
}

/// All or nothing.
fn set(ctx: &mut Context<'_>) -> Outcome {
    if !ctx.args.len().is_multiple_of(2) {
        return Err(SYNTAX_ERROR.into());
    }
    let mut config = ctx.server.config.clone();
    let mut seen: Vec<&str> = Vec::new();
    let mut words = ctx.args.from(2);
    while let (Some(name), Some(value)) = (words.next(), words.next()) {
        let Some(parameter) = parameter(name) else {
            return Err(quoting("ERR Unknown option or number of arguments for CONFIG SET - '", name, "'"));
        };
        let failed = |reason: &str| {
            let name = String::from_utf8_lossy(name);
            format!("ERR CONFIG SET failed (possibly related to argument '{name}') - {reason}")
        };
        if parameter.change == Change::AtStart {
            return Err(failed("can't set immutable config").into());
        }
        if seen.contains(&parameter.name) {
            return Err(failed("duplicate parameter").into());
        }
        seen.push(parameter.name);
        (parameter.set)(&mut config, value).map_err(|reason| failed(&reason))?;
    }
    // A file may have a new content under the same name.
    let reload_tls = seen.iter().any(|name| name.starts_with("tls-"));
    apply(ctx, config, reload_tls)?;
    ctx.reply_ok()
}

fn apply(ctx: &mut Context<'_>, config: Config, reload_tls: bool) -> Outcome {
    ctx.server.reconfigure(config, reload_tls).map_err(|reason| format!("ERR CONFIG SET failed - {reason}").into())
}

fn resetstat(ctx: &mut Context<'_>) -> Outcome {
    ctx.server.stats = Stats::default();
    ctx.server.databases.iter_mut().for_each(|keyspace| keyspace.expired = 0);
    ctx.reply_ok()
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::Session;

    #[test]
    fn getting() {
        Session::new().expect(&[
            ("CONFIG GET save", "*2 $4 save $0 "),
            ("CONFIG GET appendonly", "*2 $10 appendonly $2 no"),
            ("CONFIG GET MAXMEM*", "*4 $9 maxmemory $1 0 $16 maxmemory-policy $10 noeviction"),
            ("CONFIG GET port timeout p?rt", "*4 $4 port $4 6379 $7 timeout $1 0"),
            ("CONFIG GET nosuch", "*0"),
            ("CONFIG GET", "-ERR wrong number of arguments for 'config|get' command"),
        ]);
    }

    #[test]
    fn setting() {
        let failed = "-ERR CONFIG SET failed (possibly related to argument";
        Session::new().expect(&[
            ("CONFIG SET timeout 10 tcp-keepalive 20", "+OK"),
            ("CONFIG GET timeout", "*2 $7 timeout $2 10"),
            ("CONFIG SET timeout 11 hz x", &format!("{failed} 'hz') - argument couldn't be parsed into an integer")),
            ("CONFIG GET timeout", "*2 $7 timeout $2 10"),
            (
                "CONFIG SET timeout -1",
                &format!("{failed} 'timeout') - argument must be between 0 and 2147483647 inclusive"),
            ),
            ("CONFIG SET protected-mode x", &format!("{failed} 'protected-mode') - argument must be 'yes' or 'no'")),
            ("CONFIG SET port 1", &format!("{failed} 'port') - can't set immutable config")),
            ("CONFIG SET hz 1 hz 2", &format!("{failed} 'hz') - duplicate parameter")),
            ("CONFIG SET nosuch 1", "-ERR Unknown option or number of arguments for CONFIG SET - 'nosuch'"),
            ("CONFIG SET save \"\"", "+OK"),
            ("CONFIG SET hz", "-ERR wrong number of arguments for 'config|set' command"),
            ("CONFIG SET hz 1 timeout", "-ERR syntax error"),
        ]);
    }

    #[test]
    fn a_new_password_is_for_new_clients() {
        let mut session = Session::new();
        session.expect(&[("CONFIG SET requirepass secret", "+OK"), ("PING", "+PONG"), ("RESET", "+RESET")]);
        session.expect(&[("PING", "-NOAUTH Authentication required.")]);
    }

    #[test]
    fn statistics_start_again() {
        let mut session = Session::new();
        session.run("GET none");
        assert_eq!(session.server.stats.misses, 1);
        session.expect(&[("CONFIG RESETSTAT", "+OK")]);
        assert_eq!(session.server.stats.misses, 0);
    }
}
