//! REPLICAOF and FAILOVER: who is the primary.

use crate::clients::replica::{Phase, Replica};
use crate::command::context::Context;
use crate::command::error::{NOT_AN_INTEGER, Outcome, SYNTAX_ERROR};
use crate::replication::failover::Failover;
use crate::replication::link::Link;
use resp::number;

pub fn replicaof(ctx: &mut Context<'_>) -> Outcome {
    if ctx.server.replication.failover.is_some() {
        return Err("ERR REPLICAOF not allowed while failing over.".into());
    }
    if ctx.is_word(1, "no") && ctx.is_word(2, "one") {
        ctx.server.become_primary();
        return ctx.reply_ok();
    }
    if ctx.client.is_replica() {
        return Err("ERR Command is not valid when client is a replica.".into());
    }
    let port = u16::try_from(ctx.integer_in(2, 0..=65535, "ERR Invalid master port")?).unwrap_or_default();
    let host = std::str::from_utf8(ctx.arg(1)).map_err(|_| "ERR Invalid master host")?;
    let same = |link: &&Link| link.host.eq_ignore_ascii_case(host) && link.port == port;
    if ctx.server.replication.link.as_ref().filter(same).is_some() {
        ctx.reply().simple("OK Already connected to specified master");
        return Ok(());
    }
    ctx.server.become_replica(host, port);
    ctx.reply_ok()
}

/// Hands the role of the primary over to a replica, or gives that up.
pub fn failover(ctx: &mut Context<'_>) -> Outcome {
    let (mut target, mut force, mut abort, mut timeout) = (None, false, false, None);
    let mut at = 1;
    while at < ctx.args.len() {
        if ctx.is_word(at, "timeout") && at + 1 < ctx.args.len() && timeout.is_none() {
            let time = number::parse(ctx.arg(at + 1)).ok_or(NOT_AN_INTEGER)?;
            if time <= 0 {
                return Err("ERR FAILOVER timeout must be greater than 0".into());
            }
            timeout = Some(time);
            at += 2;
        } else if ctx.is_word(at, "abort") && !abort {
            abort = true;
            at += 1;
        } else if ctx.is_word(at, "to") && at + 2 < ctx.args.len() && target.is_none() {
            // No port is out of range: a replica has it or not.
            let port = number::parse(ctx.arg(at + 2)).ok_or(NOT_AN_INTEGER)?;
            target = Some((String::from_utf8_lossy(ctx.arg(at + 1)).into_owned(), port));
            at += 3;
        } else if ctx.is_word(at, "force") && !force {
            force = true;
            at += 1;
        } else {
            return Err(SYNTAX_ERROR.into());
        }
    }
    if abort {
        if ctx.args.len() > 2 {
            return Err(SYNTAX_ERROR.into());
        }
        if ctx.server.replication.failover.is_none() {
            return Err("ERR No failover in progress.".into());
        }
        ctx.server.abort_failover("Failover manually aborted");
        return ctx.reply_ok();
    }
    if ctx.server.replication.failover.is_some() {
        return Err("ERR FAILOVER already in progress.".into());
    }
    if ctx.server.replication.link.is_some() {
        return Err("ERR FAILOVER is not valid when server is a replica.".into());
    }
    if ctx.server.replication.replicas.is_empty() {
        return Err("ERR FAILOVER requires connected replicas.".into());
    }
    if force && (timeout.is_none() || target.is_none()) {
        return Err("ERR FAILOVER with force option requires both a timeout and target HOST and IP.".into());
    }
    let target = match target {
        None => None,
        Some((host, port)) => {
            let mut replicas = ctx.server.replicas(Some(ctx.client));
            let same = |replica: &Replica| i64::from(replica.port) == port;
            let found = replicas.find(|(client, replica)| client.replica_ip() == host && same(replica));
            let Some((_, replica)) = found else {
                return Err("ERR FAILOVER target HOST and PORT is not a replica.".into());
            };
            if replica.phase != Phase::Online {
                return Err("ERR FAILOVER target replica is not online.".into());
            }
            Some((host, replica.port))
        }
    };
    let deadline = timeout.map(|time: i64| ctx.server.ticks.saturating_add(time));
    ctx.server.begin_failover(Failover { target, force, deadline, told: false });
    ctx.reply_ok()
}

#[cfg(test)]
#[path = "failover_tests.rs"]
mod tests;
