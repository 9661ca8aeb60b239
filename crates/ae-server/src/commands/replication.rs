//! PSYNC, SYNC and REPLCONF, by which replicas come and say how far they are; ROLE.

use crate::clients::replica::{Phase, Replica};
use crate::command::context::{Context, integer_between};
use crate::command::error::{Error, NOT_AN_INTEGER, Outcome, SYNTAX_ERROR, quoting};
use crate::log::{Level, log};
use resp::number;

pub fn sync(ctx: &mut Context<'_>) -> Outcome {
    ctx.server.synchronize(ctx.client, None).map_err(Error::from)
}

/// With the word FAILOVER the primary hands its role over to this server.
pub fn psync(ctx: &mut Context<'_>) -> Outcome {
    if ctx.client.is_replica() {
        return Ok(());
    }
    let offset = ctx.integer(2)?;
    if ctx.is_word(3, "failover") {
        if ctx.server.replication.link.is_none() {
            return Err("ERR PSYNC FAILOVER can't be sent to a master.".into());
        }
        if !ctx.arg(1).eq_ignore_ascii_case(ctx.server.replication.id.as_bytes()) {
            return Err("ERR PSYNC FAILOVER replid must match my replid.".into());
        }
        log(Level::Notice, format_args!("becomes the primary: failover request of {}", ctx.client.peer_addr()));
        ctx.server.become_primary();
    }
    ctx.server.synchronize(ctx.client, Some((ctx.arg(1), offset))).map_err(Error::from)
}

/// What a replica says about itself. It gets no reply when it says how far it is.
pub fn replconf(ctx: &mut Context<'_>) -> Outcome {
    if ctx.args.len().is_multiple_of(2) {
        return Err(SYNTAX_ERROR.into());
    }
    let mut words = ctx.args.from(1);
    while let (Some(option), Some(value)) = (words.next(), words.next()) {
        match option.to_ascii_lowercase().as_slice() {
            b"listening-port" => {
                let port = number::parse(value).ok_or(NOT_AN_INTEGER)?;
                replica(ctx).port = u16::try_from(port).unwrap_or(0);
            }
            b"ip-address" => {
                if value.len() > 255 {
                    let len = value.len();
                    let text = "ERR REPLCONF ip-address provided by replica instance is too long";
                    return Err(format!("{text}: {len} bytes").into());
                }
                // It is shown in lists of `name=value`.
                let text = std::str::from_utf8(value).ok().filter(|text| text.bytes().all(|c| c.is_ascii_graphic()));
                replica(ctx).announced_ip = text.ok_or("ERR Invalid IP address")?.into();
            }
            b"capa" => match value.to_ascii_lowercase().as_slice() {
                b"eof" => replica(ctx).knows_end_mark = true,
                b"psync2" => replica(ctx).knows_new_ids = true,
                // Those of newer replicas.
                _ => {}
            },
            // Nothing depends on it.
            b"version" => {}
            b"ack" => {
                let offset = number::parse(value).and_then(|offset| u64::try_from(offset).ok());
                if let Some(offset) = offset {
                    ctx.server.note_acknowledged(ctx.client, offset);
                }
                return Ok(());
            }
            b"getack" => {
                if ctx.client.is_primary
                    && let Some(link) = &mut ctx.server.replication.link
                {
                    link.wants_ack = true;
                }
                return Ok(());
            }
            b"rdb-only" => {
                replica(ctx).copy_only = integer_between(value, 0..=1)? == 1;
            }
            b"rdb-filter-only" => {
                for word in value.split(|c| *c == b' ').filter(|word| !word.is_empty()) {
                    match word.to_ascii_lowercase().as_slice() {
                        // There are none here.
                        b"functions" => {}
                        _ => return Err(quoting("ERR Unsupported rdb-filter-only option: ", word, "")),
                    }
                }
                replica(ctx).filters_data = true;
            }
            _ => return Err(quoting("ERR Unrecognized REPLCONF option: ", option, "")),
        }
    }
    ctx.reply_ok()
}

fn replica<'c>(ctx: &'c mut Context<'_>) -> &'c mut Replica {
    let ticks = ctx.server.ticks;
    ctx.client.replica.get_or_insert_with(|| Box::new(Replica::new(ticks)))
}

pub fn role(ctx: &mut Context<'_>) -> Outcome {
    let Context { server, client, .. } = ctx;
    if let Some(link) = &server.replication.link {
        let offset = if link.client.is_some() { server.replication.offset as i64 } else { -1 };
        let (host, port, state) = (link.host.clone(), link.port, link.state_name());
        let mut reply = client.reply();
        reply.array(5);
        reply.bulk("slave");
        reply.bulk(host);
        reply.integer(port.into());
        reply.bulk(state);
        reply.integer(offset);
        return Ok(());
    }
    let online = server.replicas(Some(client)).filter(|(_, replica)| replica.phase == Phase::Online);
    let online: Vec<[String; 3]> = online
        .map(|(client, replica)| [client.replica_ip(), replica.port.to_string(), replica.acknowledged.to_string()])
        .collect();
    let offset = server.replication_offset();
    let mut reply = client.reply();
    reply.array(3);
    reply.bulk("master");
    reply.integer(offset as i64);
    reply.array(online.len());
    for replica in online {
        reply.array(3);
        replica.iter().for_each(|part| reply.bulk(part));
    }
    Ok(())
}

#[cfg(test)]
#[path = "replication_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "replica_options_tests.rs"]
mod options_tests;
