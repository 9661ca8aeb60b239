//! CLIENT: about this connection and the others.

use crate::acl::user::User;
use crate::clients::client::{Client, Closing, Replies};
use crate::command::context::{Context, reply_error};
use crate::command::error::{Error, Outcome, SYNTAX_ERROR, quoting};
use crate::server::pause::{Paused, Purpose};
use resp::number;
use std::rc::Rc;
use std::time::Duration;

pub fn setname(ctx: &mut Context<'_>) -> Outcome {
    set_name(ctx, ctx.arg(2))?;
    ctx.reply_ok()
}

/// An empty name removes the name.
pub fn set_name(ctx: &mut Context<'_>, name: &[u8]) -> Outcome {
    if !is_printable(name) {
        return Err("ERR Client names cannot contain spaces, newlines or special characters.".into());
    }
    ctx.client.names_mut().name = name.into();
    Ok(())
}

/// Names are printed in lists of `field=value`.
fn is_printable(name: &[u8]) -> bool {
    name.iter().all(|c| (b'!'..=b'~').contains(c))
}

pub fn getname(ctx: &mut Context<'_>) -> Outcome {
    let Context { client, .. } = ctx;
    if client.name().is_empty() {
        return ctx.reply_null();
    }
    let name = client.name().to_vec();
    ctx.reply_bulk(&name)
}

pub fn id(ctx: &mut Context<'_>) -> Outcome {
    let id = ctx.client.id as i64;
    ctx.reply_integer(id)
}

pub fn info(ctx: &mut Context<'_>) -> Outcome {
    let mut line = describe(ctx, ctx.client);
    line.push(b'\n');
    ctx.reply_text(&line)
}

pub fn list(ctx: &mut Context<'_>) -> Outcome {
    let mut filter = Filter::default();
    let mut ids = None;
    match ctx.args.len() {
        2 => {}
        4 if ctx.arg(2).eq_ignore_ascii_case(b"type") => filter.set_type(ctx.arg(3))?,
        n if n > 3 && ctx.arg(2).eq_ignore_ascii_case(b"id") => {
            let parsed: Option<Vec<i64>> = ctx.args.from(3).map(number::parse).collect();
            ids = Some(parsed.ok_or("ERR Invalid client ID")?);
        }
        _ => return Err(SYNTAX_ERROR.into()),
    }
    let mut found: Vec<&Client> =
        ctx.server.clients.iter().chain([&*ctx.client]).filter(|client| filter.matches(client)).collect();
    found.sort_by_key(|client| client.id);
    if let Some(ids) = ids {
        // In the order asked for, and as often.
        let with = |id: i64| found.binary_search_by_key(&id, |client| client.id as i64).ok();
        found = ids.into_iter().filter_map(with).map(|at| found[at]).collect();
    }
    let mut text = Vec::new();
    for client in found {
        text.extend(describe(ctx, client));
        text.push(b'\n');
    }
    ctx.reply_text(&text)
}

fn describe(ctx: &Context<'_>, client: &Client) -> Vec<u8> {
    let watched = &ctx.server.databases.observers.watched;
    let lost = client.watched.iter().any(|(db, key, seen)| !watched.is_same(db, key, seen));
    // As in Redis, the request of a client that executes a transaction is EXEC.
    let running_args = match client.executes {
        Some(_) => "exec".len(),
        None if client.id == ctx.client.id => ctx.args.iter().map(<[u8]>::len).sum(),
        None => 0,
    };
    client.describe(ctx.server.ticks, lost, running_args)
}

pub fn setinfo(ctx: &mut Context<'_>) -> Outcome {
    let (option, value) = (ctx.arg(2).to_ascii_lowercase(), ctx.arg(3));
    let names = ctx.client.names_mut();
    let field = match option.as_slice() {
        b"lib-name" => &mut names.library,
        b"lib-ver" => &mut names.library_version,
        _ => return Err(quoting("ERR Unrecognized option '", ctx.arg(2), "'")),
    };
    if !is_printable(value) {
        let option = String::from_utf8_lossy(&option).into_owned();
        return Err(format!("ERR {option} cannot contain spaces, newlines or special characters.").into());
    }
    *field = value.into();
    ctx.reply_ok()
}

/// Which clients CLIENT LIST and CLIENT KILL are about.
#[derive(Default)]
struct Filter {
    id: Option<u64>,
    addr: Option<Vec<u8>>,
    laddr: Option<Vec<u8>>,
    /// As [`Client::type_name`] has it.
    client_type: Option<&'static str>,
    user: Option<Rc<User>>,
    skip: Option<u64>,
}

impl Filter {
    fn set_type(&mut self, name: &[u8]) -> Outcome {
        self.client_type = match name.to_ascii_lowercase().as_slice() {
            b"normal" => Some("normal"),
            b"pubsub" => Some("pubsub"),
            b"replica" | b"slave" => Some("replica"),
            b"master" => Some("master"),
            _ => return Err(quoting("ERR Unknown client type '", name, "'")),
        };
        Ok(())
    }

    fn matches(&self, client: &Client) -> bool {
        self.id.is_none_or(|id| id == client.id)
            && self.addr.as_ref().is_none_or(|addr| *addr == client.peer_addr().as_bytes())
            && self.laddr.as_ref().is_none_or(|addr| *addr == client.local_addr().as_bytes())
            && self.client_type.is_none_or(|name| name == client.type_name())
            && self.user.as_ref().is_none_or(|user| Rc::ptr_eq(user, &client.user))
            && self.skip != Some(client.id)
    }

    fn for_kill(ctx: &Context<'_>) -> Result<Filter, Error> {
        let mut filter = Filter { skip: Some(ctx.client.id), ..Filter::default() };
        let mut words = ctx.args.from(2);
        while let Some(word) = words.next() {
            let value = words.next().ok_or(SYNTAX_ERROR)?;
            match word.to_ascii_lowercase().as_slice() {
                b"id" => {
                    let id = number::parse(value).filter(|id| *id > 0);
                    filter.id = Some(id.ok_or("ERR client-id should be greater than 0")? as u64);
                }
                b"addr" => filter.addr = Some(value.into()),
                b"laddr" => filter.laddr = Some(value.into()),
                b"type" => filter.set_type(value)?,
                b"user" => {
                    let user = ctx.server.users.get(value);
                    filter.user = Some(user.ok_or_else(|| quoting("ERR No such user '", value, "'"))?.clone());
                }
                b"skipme" => {
                    filter.skip = match value.to_ascii_lowercase().as_slice() {
                        b"yes" => Some(ctx.client.id),
                        b"no" => None,
                        _ => return Err(SYNTAX_ERROR.into()),
                    }
                }
                _ => return Err(SYNTAX_ERROR.into()),
            }
        }
        Ok(filter)
    }
}

pub fn kill(ctx: &mut Context<'_>) -> Outcome {
    let by_address = ctx.args.len() == 3;
    let filter =
        if by_address { Filter { addr: Some(ctx.arg(2).into()), ..Filter::default() } } else { Filter::for_kill(ctx)? };
    let fds: Vec<_> = ctx.server.clients.iter().filter(|client| filter.matches(client)).map(Client::fd).collect();
    let mut count = fds.len() as i64;
    for fd in fds {
        if let Some(mut client) = ctx.server.clients.take(fd) {
            ctx.server.release(&mut client);
        }
    }
    if filter.matches(ctx.client) {
        ctx.client.closing = Closing::AfterReplies;
        count += 1;
    }
    match (by_address, count) {
        (true, 0) => Err("ERR No such client".into()),
        (true, _) => ctx.reply_ok(),
        (false, count) => ctx.reply_integer(count),
    }
}

pub fn no_evict(ctx: &mut Context<'_>) -> Outcome {
    ctx.client.names_mut().no_evict = switch(ctx.arg(2))?;
    ctx.reply_ok()
}

pub fn no_touch(ctx: &mut Context<'_>) -> Outcome {
    ctx.client.names_mut().no_touch = switch(ctx.arg(2))?;
    ctx.reply_ok()
}

pub fn reply(ctx: &mut Context<'_>) -> Outcome {
    ctx.client.replies = match ctx.arg(2).to_ascii_lowercase().as_slice() {
        b"on" => Replies::On,
        b"off" => Replies::Off,
        b"skip" if ctx.client.replies == Replies::Off => Replies::Off,
        // About the request behind the transaction, whatever the transaction still says.
        b"skip" if ctx.client.executes.is_some() => {
            ctx.client.skips_behind = true;
            return Ok(());
        }
        b"skip" => Replies::SkipNext,
        _ => return Err(SYNTAX_ERROR.into()),
    };
    if ctx.client.replies == Replies::On { ctx.reply_ok() } else { Ok(()) }
}

pub fn pause(ctx: &mut Context<'_>) -> Outcome {
    let which = match ctx.args.len() {
        3 => Paused::All,
        4 if ctx.is_word(3, "all") => Paused::All,
        4 if ctx.is_word(3, "write") => Paused::Writes,
        4 => return Err("ERR CLIENT PAUSE mode must be WRITE or ALL".into()),
        _ => return Err(ctx.wrong_subcommand()),
    };
    let timeout = number::parse(ctx.arg(2)).ok_or("ERR timeout is not an integer or out of range")?;
    if timeout < 0 {
        return Err("ERR timeout is negative".into());
    }
    // In Redis the end of a pause of such a length lies before now.
    if ctx.server.now.checked_add(timeout).is_some() {
        let until = ctx.server.ticks.saturating_add(timeout);
        ctx.server.begin_pause(Purpose::Command, which, until);
    }
    ctx.reply_ok()
}

pub fn unpause(ctx: &mut Context<'_>) -> Outcome {
    ctx.server.unpause(Purpose::Command);
    ctx.reply_ok()
}

/// Ends a client's waiting for a key, as if its time had run out or with an error.
pub fn unblock(ctx: &mut Context<'_>) -> Outcome {
    let with_error = match ctx.args.len() {
        3 => false,
        4 if ctx.is_word(3, "timeout") => false,
        4 if ctx.is_word(3, "error") => true,
        4 => return Err("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR".into()),
        _ => return Err(ctx.wrong_subcommand()),
    };
    let id = ctx.integer(2)?;
    let found = ctx.server.clients.iter().find(|client| client.id as i64 == id).map(Client::reference);
    let Some(mut client) = found.and_then(|found| ctx.server.clients.take_same(found)) else {
        return ctx.reply_integer(0);
    };
    let blocked = client.blocked.take();
    if let Some(blocked) = &blocked {
        if with_error {
            let text = b"UNBLOCKED client unblocked via CLIENT UNBLOCK";
            client.reply_late(|client| reply_error(ctx.server, client, text));
            let stats = &mut ctx.server.stats;
            stats.calls.worked(blocked.spec, Duration::ZERO, stats.errors.take_new(), false);
        } else {
            client.reply_late(|client| blocked.on_timeout.reply(&mut client.reply()));
        }
        ctx.server.stop_waiting(&mut client, blocked);
    }
    ctx.server.clients.put_back(client);
    ctx.reply_integer(blocked.is_some().into())
}

fn switch(word: &[u8]) -> Result<bool, Error> {
    match word.to_ascii_lowercase().as_slice() {
        b"on" => Ok(true),
        b"off" => Ok(false),
        _ => Err(SYNTAX_ERROR.into()),
    }
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
