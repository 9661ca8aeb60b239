//! CONFIG: reading and changing parameters while running.

use crate::command::context::Context;
use crate::command::error::{Error, Outcome, SYNTAX_ERROR, quoting};
use crate::config::catalog::{find, names};
use crate::config::format::reason;
use crate::config::groups::UserLine;
use crate::config::parameter::{Change, Parameter};
use crate::config::rewrite::{Extent, rewrite_file};
use crate::db::databases::KeyStats;
use crate::glob::{Case, matches};
use crate::log::{Level, log};
use crate::memory::background;
use crate::server::stats::Stats;
use std::collections::HashSet;

/// Replies with a directive under its own name if a pattern names it, else as it was asked for.
pub fn get(ctx: &mut Context<'_>) -> Outcome {
    let Context { server, client, args, .. } = ctx;
    let mut found: Vec<(&[u8], &Parameter)> = Vec::new();
    for pattern in args.from(2) {
        if !pattern.iter().any(|c| b"[*?".contains(c)) {
            found.extend(find(pattern).map(|(_, parameter)| (pattern, parameter)));
            continue;
        }
        let named = names().map(|(name, parameter)| (name.as_bytes(), parameter));
        found.extend(named.filter(|(name, row)| !row.hidden && matches(pattern, name, Case::Ignored)));
    }
    let mut seen = HashSet::new();
    found.retain(|(name, _)| seen.insert(name.to_ascii_lowercase()));
    let mut reply = client.reply();
    reply.map(found.len());
    for (name, parameter) in found {
        reply.bulk(name);
        reply.bulk(parameter.get(&server.config));
    }
    Ok(())
}

/// All or nothing. An error in a name is told before one in a value.
pub fn set(ctx: &mut Context<'_>) -> Outcome {
    if !ctx.args.len().is_multiple_of(2) {
        return Err(SYNTAX_ERROR.into());
    }
    let may_set_protected = ctx.server.config.security.protected_configs.allows(ctx.client.is_local());
    let mut wanted: Vec<(&'static str, &Parameter, &[u8])> = Vec::new();
    let mut wrong = None;
    let mut words = ctx.args.from(2);
    while let (Some(name), Some(value)) = (words.next(), words.next()) {
        let Some((known, parameter)) = find(name) else {
            let unknown = || quoting("ERR Unknown option or number of arguments for CONFIG SET - '", name, "'");
            return Err(wrong.unwrap_or_else(unknown));
        };
        if parameter.change == Change::AtStart {
            wrong = wrong.or(Some(failed(name, "can't set immutable config")));
        } else if parameter.change == Change::Protected && !may_set_protected {
            wrong = wrong.or(Some(failed(name, "can't set protected config")));
        } else if wanted.iter().any(|(other, ..)| *other == known) {
            wrong = wrong.or(Some(failed(name, "duplicate parameter")));
        }
        wanted.push((known, parameter, value));
    }
    if let Some(wrong) = wrong {
        return Err(wrong);
    }
    let mut config = ctx.server.config.clone();
    for (name, parameter, value) in &wanted {
        parameter.set_text(&mut config, value).map_err(|reason| failed(name.as_bytes(), &reason))?;
    }
    // A file may have new content under the same name.
    let reload_tls = wanted.iter().any(|(name, ..)| name.starts_with("tls-"));
    ctx.server.reconfigure(config, reload_tls).map_err(|(name, reason)| failed(name.as_bytes(), &reason))?;
    for warning in wanted.iter().filter_map(|(_, parameter, _)| parameter.warning(&ctx.server.config)) {
        log(Level::Warning, format_args!("CONFIG SET: {warning}"));
    }
    ctx.reply_ok()
}

fn failed(name: &[u8], reason: &str) -> Error {
    quoting("ERR CONFIG SET failed (possibly related to argument '", name, &format!("') - {reason}"))
}

/// Writes what is in force into the file that the server was started with.
pub fn rewrite(ctx: &mut Context<'_>) -> Outcome {
    write_file(ctx, Extent::Needed)
}

pub(super) fn write_file(ctx: &mut Context<'_>, extent: Extent) -> Outcome {
    let mut config = ctx.server.config.clone();
    let Some(path) = config.file.clone() else {
        return Err("ERR The server is running without a config file".into());
    };
    // With a file of users, they are there.
    let users = ctx.server.users.lines().filter(|_| config.security.acl_file.is_empty());
    let words = users.map(|line| line.split(|c| *c == b' ').skip(1).map(<[u8]>::to_vec).collect());
    config.security.users = words.map(|words| UserLine { words, place: String::new() }).collect();
    match rewrite_file(&path, &config, extent) {
        Ok(()) => {
            log(Level::Notice, format_args!("CONFIG REWRITE executed with success."));
            ctx.reply_ok()
        }
        Err(error) => {
            log(Level::Warning, format_args!("CONFIG REWRITE failed: {error}"));
            Err(format!("ERR Rewriting config file: {}", reason(&error)).into())
        }
    }
}

pub fn resetstat(ctx: &mut Context<'_>) -> Outcome {
    ctx.server.stats = Stats::default();
    ctx.server.databases.stats = KeyStats::default();
    ctx.server.status.saves = 0;
    let rewrites = &mut ctx.server.append_only.rewrites;
    (rewrites.count, rewrites.failures) = (0, 0);
    if let Some(log) = &mut ctx.server.append_only.log {
        log.delayed = 0;
    }
    background::reset();
    ctx.reply_ok()
}

#[cfg(test)]
#[path = "directives_tests.rs"]
mod directives_tests;

#[cfg(test)]
mod tests {
    use crate::config::settings::Config;
    use crate::testing::Session;

    #[test]
    fn the_effort_to_expire_keys_is_for_the_next_round() {
        let mut session = Session::new();
        session.expect(&[("CONFIG SET active-expire-effort 10", "+OK")]);
        assert_eq!(session.server.databases.expire_effort, 10);
        let refused = session.run("CONFIG SET active-expire-effort 11");
        assert!(refused.ends_with("argument must be between 1 and 10 inclusive"), "{refused}");
        assert_eq!(session.server.databases.expire_effort, 10);
    }

    #[test]
    fn getting() {
        Session::new().expect(&[
            ("CONFIG GET save", "*2 $4 save $0 "),
            ("CONFIG GET appendonly", "*2 $10 appendonly $2 no"),
            ("CONFIG GET MAXMEMORY-?[oa]*", "*4 $16 maxmemory-policy $10 noeviction $17 maxmemory-samples $1 5"),
            ("CONFIG GET port timeout p?rt", "*4 $4 port $4 6379 $7 timeout $1 0"),
            ("CONFIG GET nosuch", "*0"),
            ("CONFIG GET MAXMEMORY", "*2 $9 MAXMEMORY $1 0"),
            ("CONFIG GET maxmemory MAXMEMORY maxm*ry", "*2 $9 maxmemory $1 0"),
            ("CONFIG GET Slave-Priority *a-priority", "*4 $14 Slave-Priority $3 100 $16 replica-priority $3 100"),
            ("CONFIG GET key-load-dela?", "*0"),
            ("CONFIG GET key-load-delay", "*2 $14 key-load-delay $1 0"),
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
            ("CONFIG SET tcp-backlog 1", &format!("{failed} 'tcp-backlog') - can't set immutable config")),
            ("CONFIG SET hz 1 hz 2", &format!("{failed} 'hz') - duplicate parameter")),
            ("CONFIG SET TIMEOUT x", &format!("{failed} 'timeout') - argument couldn't be parsed into an integer")),
            ("CONFIG SET Tcp-Backlog 1", &format!("{failed} 'Tcp-Backlog') - can't set immutable config")),
            ("CONFIG SET hz 0", "+OK"),
            ("CONFIG GET hz", "*2 $2 hz $1 1"),
            ("CONFIG SET hz -1", &format!("{failed} 'hz') - argument must be between 0 and 2147483647 inclusive")),
            // A name is looked at before any value.
            ("CONFIG SET timeout x tcp-backlog 1", &format!("{failed} 'tcp-backlog') - can't set immutable config")),
            ("CONFIG SET timeout x nosuch 1", "-ERR Unknown option or number of arguments for CONFIG SET - 'nosuch'"),
            ("CONFIG SET nosuch 1", "-ERR Unknown option or number of arguments for CONFIG SET - 'nosuch'"),
            ("CONFIG SET save \"\"", "+OK"),
            ("CONFIG SET hz 1 slave-priority 1 replica-priority 2", "+OK"),
            (
                "CONFIG SET Slave-Priority x",
                &format!("{failed} 'slave-priority') - argument couldn't be parsed into an integer"),
            ),
            ("CONFIG SET dir /", &format!("{failed} 'dir') - can't set protected config")),
            (
                "CONFIG SET oom-score-adj-values \"1  2 3\"",
                &format!("{failed} 'oom-score-adj-values') - wrong number of arguments"),
            ),
            ("CONFIG REWRITE", "-ERR The server is running without a config file"),
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
        session.run("NOSUCH");
        let names = ["keyspace_misses", "total_error_replies", "total_commands_processed"];
        for name in names {
            assert!(session.number(name) > 0, "{name}");
        }
        session.expect(&[("CONFIG RESETSTAT", "+OK")]);
        // INFO itself is a command, and RESETSTAT counts when it has ended.
        assert_eq!(names.map(|name| session.number(name)), [0, 0, 3]);
    }

    #[test]
    fn the_first_of_several_wrong_names_is_told() {
        let failed = "-ERR CONFIG SET failed (possibly related to argument";
        Session::new().expect(&[
            ("CONFIG SET tcp-backlog 1 nosuch 2", &format!("{failed} 'tcp-backlog') - can't set immutable config")),
            (
                "CONFIG SET nosuch 2 tcp-backlog 1",
                "-ERR Unknown option or number of arguments for CONFIG SET - 'nosuch'",
            ),
        ]);
    }

    #[test]
    fn users_that_a_file_of_their_own_has_are_not_written_into_the_configuration() {
        for acl_file in ["", "users.acl"] {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("redis.conf");
            std::fs::write(&file, "").unwrap();
            let mut config = Config { file: Some(file.clone()), ..Config::default() };
            config.security.acl_file = acl_file.into();
            let mut session = Session::with(config);
            session.expect(&[("ACL SETUSER alice on", "+OK"), ("CONFIG REWRITE", "+OK")]);
            let text = std::fs::read_to_string(&file).unwrap();
            assert_eq!(text.contains("user alice"), acl_file.is_empty(), "{text}");
        }
    }

    #[test]
    fn every_counter_starts_again() {
        let (mut session, _folder) = crate::testing::saving::session();
        session.run("CONFIG SET appendonly yes");
        crate::server::rewriting::tests::finish(&mut session);
        let server = &mut session.server;
        let stats = &mut server.stats;
        (stats.connections, stats.rejected, stats.bytes_in, stats.bytes_out, stats.evicted_clients) = (7, 7, 7, 7, 7);
        (stats.full_syncs, stats.partial_syncs, stats.refused_partial_syncs, stats.snapshots) = (7, 7, 7, 7);
        (stats.reads, stats.writes, stats.expire_time) = (7, 7, std::time::Duration::from_secs(7));
        stats.input_rate.look(1 << 20, 1.0);
        stats.output_rate.look(1 << 20, 1.0);
        (stats.repl_bytes_in, stats.repl_bytes_out) = (7, 7);
        stats.repl_input_rate.look(1 << 20, 1.0);
        stats.repl_output_rate.look(1 << 20, 1.0);
        let keys = &mut server.databases.stats;
        (keys.hits, keys.misses, keys.expired, keys.evicted, keys.expire_stopped) = (7, 7, 7, 7, 7);
        server.status.saves = 7;
        (server.append_only.rewrites.count, server.append_only.rewrites.failures) = (7, 7);
        server.append_only.log.as_mut().unwrap().delayed = 7;
        let names = "total_connections_received rejected_connections total_net_input_bytes total_net_output_bytes \
                     evicted_clients sync_full sync_partial_ok sync_partial_err total_forks total_reads_processed \
                     total_writes_processed expire_cycle_cpu_milliseconds instantaneous_input_kbps \
                     instantaneous_output_kbps keyspace_hits keyspace_misses expired_keys evicted_keys \
                     expired_time_cap_reached_count total_net_repl_input_bytes total_net_repl_output_bytes \
                     instantaneous_input_repl_kbps instantaneous_output_repl_kbps rdb_saves \
                     aof_rewrites aof_rewrites_consecutive_failures aof_delayed_fsync";
        for name in names.split(' ') {
            assert_ne!(session.info(name).trim_matches(['0', '.']), "", "{name}");
        }
        session.expect(&[("CONFIG RESETSTAT", "+OK")]);
        for name in names.split(' ') {
            assert_eq!(session.info(name).trim_matches(['0', '.']), "", "{name}");
        }
    }

    #[test]
    fn a_file_is_written_anew_with_what_is_not_the_default() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("redis.conf");
        std::fs::write(&file, "").unwrap();
        let mut session = Session::with(Config { file: Some(file.clone()), ..Config::default() });
        session.expect(&[("CONFIG SET hz 7", "+OK"), ("ACL SETUSER u on", "+OK"), ("CONFIG REWRITE", "+OK")]);
        let text = std::fs::read_to_string(&file).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 4, "{text}");
        assert_eq!(lines[..2], ["# Generated by CONFIG REWRITE", "hz 7"]);
        assert!(lines[2].starts_with("user default on nopass ") && lines[3].starts_with("user u on "), "{text}");
    }
}
