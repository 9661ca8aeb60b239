//! CONFIG: reading and changing parameters while running.

use crate::command::context::Context;
use crate::command::error::{Outcome, SYNTAX_ERROR, quoting};
use crate::config::catalog::{parameter, parameters};
use crate::config::parameter::{Change, Parameter};
use crate::config::settings::Config;
use crate::db::databases::KeyStats;
use crate::glob::{Case, matches};
use crate::server::stats::Stats;

/// Replies with a parameter under its own name if a pattern names it, else as it was asked for.
pub fn get(ctx: &mut Context<'_>) -> Outcome {
    let Context { server, client, args, .. } = ctx;
    let mut found: Vec<(&[u8], &Parameter)> = Vec::new();
    let mut add = |name, parameter: &'static Parameter| {
        if !found.iter().any(|(_, other)| other.name == parameter.name) {
            found.push((name, parameter));
        }
    };
    for pattern in args.from(2) {
        if !pattern.iter().any(|c| b"[*?".contains(c)) {
            parameter(pattern).into_iter().for_each(|parameter| add(pattern, parameter));
            continue;
        }
        parameters()
            .filter(|parameter| matches(pattern, parameter.name.as_bytes(), Case::Ignored))
            .for_each(|parameter| add(parameter.name.as_bytes(), parameter));
    }
    let mut reply = client.reply();
    reply.map(found.len());
    for (name, parameter) in found {
        reply.bulk(name);
        reply.bulk((parameter.get)(&server.config));
    }
    Ok(())
}

/// All or nothing. An error in a name is told before one in a value.
pub fn set(ctx: &mut Context<'_>) -> Outcome {
    if !ctx.args.len().is_multiple_of(2) {
        return Err(SYNTAX_ERROR.into());
    }
    let failed = |name: &[u8], reason: &str| {
        quoting("ERR CONFIG SET failed (possibly related to argument '", name, &format!("') - {reason}"))
    };
    let mut wanted: Vec<(&Parameter, &[u8])> = Vec::new();
    let mut wrong = None;
    let mut words = ctx.args.from(2);
    while let (Some(name), Some(value)) = (words.next(), words.next()) {
        let Some(parameter) = parameter(name) else {
            let unknown = || quoting("ERR Unknown option or number of arguments for CONFIG SET - '", name, "'");
            return Err(wrong.unwrap_or_else(unknown));
        };
        if parameter.change == Change::AtStart {
            wrong = wrong.or(Some(failed(name, "can't set immutable config")));
        } else if wanted.iter().any(|(other, _)| other.name == parameter.name) {
            wrong = wrong.or(Some(failed(name, "duplicate parameter")));
        }
        wanted.push((parameter, value));
    }
    if let Some(wrong) = wrong {
        return Err(wrong);
    }
    let mut config = ctx.server.config.clone();
    for (parameter, value) in &wanted {
        (parameter.set)(&mut config, value).map_err(|reason| failed(parameter.name.as_bytes(), &reason))?;
    }
    // A file may have new content under the same name.
    let reload_tls = wanted.iter().any(|(parameter, _)| parameter.name.starts_with("tls-"));
    apply(ctx, config, reload_tls)?;
    ctx.reply_ok()
}

fn apply(ctx: &mut Context<'_>, config: Config, reload_tls: bool) -> Outcome {
    ctx.server.reconfigure(config, reload_tls).map_err(|reason| format!("ERR CONFIG SET failed - {reason}").into())
}

pub fn resetstat(ctx: &mut Context<'_>) -> Outcome {
    ctx.server.stats = Stats::default();
    ctx.server.databases.stats = KeyStats::default();
    ctx.reply_ok()
}

#[cfg(test)]
mod tests {
    use crate::testing::Session;

    #[test]
    fn getting() {
        Session::new().expect(&[
            ("CONFIG GET save", "*2 $4 save $0 "),
            ("CONFIG GET appendonly", "*2 $10 appendonly $2 no"),
            ("CONFIG GET MAXMEM*", "*4 $9 maxmemory $1 0 $16 maxmemory-policy $10 noeviction"),
            ("CONFIG GET port timeout p?rt", "*4 $4 port $4 6379 $7 timeout $1 0"),
            ("CONFIG GET nosuch", "*0"),
            ("CONFIG GET MAXMEMORY", "*2 $9 MAXMEMORY $1 0"),
            ("CONFIG GET maxmemory MAXMEMORY maxm*ry", "*2 $9 maxmemory $1 0"),
            ("CONFIG GET MAXMEMOR[Y]", "*2 $9 maxmemory $1 0"),
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
            ("CONFIG SET TIMEOUT x", &format!("{failed} 'timeout') - argument couldn't be parsed into an integer")),
            ("CONFIG SET Port 1", &format!("{failed} 'Port') - can't set immutable config")),
            ("CONFIG SET hz 0", "+OK"),
            ("CONFIG GET hz", "*2 $2 hz $1 1"),
            ("CONFIG SET hz -1", &format!("{failed} 'hz') - argument must be between 0 and 2147483647 inclusive")),
            // A name is looked at before any value.
            ("CONFIG SET timeout x port 1", &format!("{failed} 'port') - can't set immutable config")),
            ("CONFIG SET timeout x nosuch 1", "-ERR Unknown option or number of arguments for CONFIG SET - 'nosuch'"),
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
        assert_eq!(session.server.databases.stats.misses, 1);
        session.expect(&[("CONFIG RESETSTAT", "+OK")]);
        assert_eq!(session.server.databases.stats.misses, 0);
    }
}
