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
mod tests {
    use super::*;
    use crate::testing::Session;

    #[test]
    fn names() {
        let special = "-ERR Client names cannot contain spaces, newlines or special characters.";
        Session::new().expect(&[
            ("CLIENT GETNAME", "$-1"),
            ("CLIENT SETNAME me", "+OK"),
            ("CLIENT GETNAME", "$2 me"),
            ("CLIENT SETNAME \"a b\"", special),
            ("CLIENT SETNAME \"a\\n\"", special),
            ("CLIENT SETNAME \"\"", "+OK"),
            ("CLIENT GETNAME", "$-1"),
            ("CLIENT SETINFO LIB-NAME lib", "+OK"),
            ("CLIENT SETINFO lib-ver 1.2", "+OK"),
            ("CLIENT SETINFO lib-ver \"1 2\"", "-ERR lib-ver cannot contain spaces, newlines or special characters."),
            ("CLIENT SETINFO other x", "-ERR Unrecognized option 'other'"),
        ]);
    }

    #[test]
    fn description() {
        let mut session = Session::new();
        session.run("CLIENT SETNAME me");
        session.run("CLIENT SETINFO LIB-NAME lib");
        session.run("SELECT 3");
        session.wait(2500);
        let id = session.client.id;
        let info = session.run("CLIENT INFO");
        assert_eq!(
            session.run("CLIENT LIST").replace("client|list", "client|info").split_once(' ').unwrap().1.len(),
            info.split_once(' ').unwrap().1.len()
        );
        for part in
            [&format!("id={id} "), " name=me age=2 idle=2 flags=N db=3 ", "cmd=client|info", "lib-name=lib lib-ver="]
        {
            assert!(info.contains(part), "{part} in {info}");
        }
        // Somebody sets the clock back by a day.
        session.server.now -= 86_400_000;
        assert!(session.run("CLIENT INFO").contains(" age=2 idle=2 "));
        assert_eq!(session.run("CLIENT ID"), format!(":{id}"));
        let twice = session.run(&format!("CLIENT LIST ID {id} 999 {id}"));
        assert_eq!(twice.matches(&format!("id={id} ")).count(), 2, "{twice}");
        session.expect(&[
            ("CLIENT LIST ID 999999", "$0 "),
            ("CLIENT LIST TYPE pubsub", "$0 "),
            ("CLIENT LIST TYPE x", "-ERR Unknown client type 'x'"),
            ("CLIENT LIST ID x", "-ERR Invalid client ID"),
            ("CLIENT LIST ID -1 0", "$0 "),
            ("CLIENT LIST x", "-ERR syntax error"),
        ]);
    }

    #[test]
    fn one_pause_does_not_end_another() {
        let mut session = Session::new();
        session.server.begin_pause(Purpose::Failover, Paused::Writes, 1_000_000_000_000_000);
        session.expect(&[("CLIENT PAUSE 0 ALL", "+OK")]);
        session.server.end_pause_in_time();
        session.expect(&[
            ("GET k", "$-1"),
            ("CLIENT PAUSE 100000 WRITE", "+OK"),
            ("CLIENT UNPAUSE", "+OK"),
            ("SET k v", ""),
        ]);
        session.client.postponed = None;
        assert!(session.server.databases.frozen);
        session.server.unpause(Purpose::Failover);
        assert!(!session.server.databases.frozen);
        session.expect(&[("SET k v", "+OK")]);
    }

    #[test]
    fn the_arguments_of_the_running_request_are_told() {
        let mut session = Session::new();
        let mut other = session.other();
        session.run_as(&mut other, "SET k value");
        let list = session.run("client list");
        // Of this request alone: "client" and "list".
        assert_eq!((list.matches("argv-mem=10 ").count(), list.matches("argv-mem=0 ").count()), (1, 1), "{list}");
        session.expect(&[("MULTI", "+OK"), ("CLIENT INFO", "+QUEUED")]);
        assert!(session.run("EXEC").contains(" argv-mem=4 "));
    }

    #[test]
    fn flags_and_types() {
        let mut session = Session::new();
        let mut other = session.other();
        let mut flags = |line: &str, name: &str| {
            session.run_as(&mut other, line);
            let list = session.run(&format!("CLIENT LIST ID {}", other.id));
            let from = list.find(&format!(" {name}=")).unwrap() + name.len() + 2;
            list[from..].split(' ').next().unwrap().to_string()
        };
        assert_eq!(flags("WATCH k", "flags"), "N");
        assert_eq!(flags("SET k v", "flags"), "d");
        assert_eq!(flags("MULTI", "flags"), "xd");
        assert_eq!(flags("SET k v", "cmd"), "set");
        assert_eq!((flags("GET k", "multi"), flags("DISCARD", "multi")), ("2".into(), "-1".into()));
        assert_eq!(flags("CLIENT NO-EVICT on", "flags"), "e");
        assert_eq!(flags("HELLO 3", "resp"), "3");
        assert_eq!(flags("CLIENT TRACKING on BCAST", "flags"), "tBe");
        assert_eq!((flags("PING", "redir"), flags("RESET", "redir")), ("0".into(), "-1".into()));
        assert_eq!(flags("CLIENT NO-EVICT off", "flags"), "N");
        assert_eq!(flags("SUBSCRIBE a b", "flags"), "P");
        assert_eq!((flags("PSUBSCRIBE c", "sub"), flags("PING", "psub")), ("2".into(), "1".into()));
        assert_eq!(flags("RESET", "flags"), "N");
        assert_ne!(flags("BLPOP l 0", "argv-mem"), "0");
        let id = format!("id={} ", other.id);
        let with = |list: &str| list.contains(&id);
        assert!(session.run("CLIENT LIST").contains(" flags=b "));
        assert!(with(&session.run("CLIENT LIST TYPE normal")) && !with(&session.run("CLIENT LIST TYPE pubsub")));
        session.run("RPUSH l x");
        session.run_as(&mut other, "SUBSCRIBE a");
        assert!(!with(&session.run("CLIENT LIST TYPE normal")) && with(&session.run("CLIENT LIST TYPE pubsub")));
        session.expect(&[("CLIENT LIST TYPE master", "$0 "), ("CLIENT KILL TYPE pubsub", ":1")]);
    }

    #[test]
    fn killing() {
        let mut session = Session::new();
        let id = session.client.id;
        session.expect(&[
            ("CLIENT KILL 1.2.3.4:5", "-ERR No such client"),
            ("CLIENT KILL ID 0", "-ERR client-id should be greater than 0"),
            ("CLIENT KILL ID 99 x", "-ERR syntax error"),
            (&format!("CLIENT KILL ID {id}"), ":0"),
            ("CLIENT KILL USER nosuch", "-ERR No such user 'nosuch'"),
            (&format!("CLIENT KILL ID {id} USER default SKIPME no"), ":1"),
        ]);
        assert_eq!(session.client.closing, Closing::AfterReplies);
    }

    #[test]
    fn replies_can_be_left_out() {
        Session::new().expect(&[
            ("CLIENT REPLY SKIP", ""),
            ("PING", ""),
            ("PING", "+PONG"),
            ("CLIENT REPLY SKIP", ""),
            ("CLIENT REPLY SKIP", ""),
            ("PING", ""),
            ("PING", "+PONG"),
            ("CLIENT REPLY SKIP", ""),
            ("CLIENT REPLY ON", "+OK"),
            ("PING", "+PONG"),
            ("CLIENT REPLY OFF", ""),
            ("PING", ""),
            ("SUBSCRIBE c", "*3 $9 subscribe $1 c :1"),
            ("UNSUBSCRIBE c", "*3 $11 unsubscribe $1 c :0"),
            ("CLIENT REPLY SKIP", ""),
            ("PING", ""),
            ("PING", ""),
            ("CLIENT REPLY ON", "+OK"),
            ("PING", "+PONG"),
            ("CLIENT REPLY x", "-ERR syntax error"),
        ]);
    }

    #[test]
    fn the_late_reply_of_a_request_that_waits_is_left_out() {
        let mut session = Session::new();
        let mut other = session.other();
        session.run_as(&mut other, "CLIENT REPLY SKIP");
        session.run_as(&mut other, "BLPOP l 0");
        session.expect(&[("RPUSH l a", ":1"), ("EXISTS l", ":0")]);
        assert_eq!(session.received(&mut other), "");
        assert_eq!(session.run_as(&mut other, "PING"), "+PONG");
    }

    #[test]
    fn pausing_writes() {
        let mut session = Session::new();
        session.expect(&[
            ("CLIENT PAUSE x", "-ERR timeout is not an integer or out of range"),
            ("CLIENT PAUSE -1", "-ERR timeout is negative"),
            ("CLIENT PAUSE 1 x", "-ERR CLIENT PAUSE mode must be WRITE or ALL"),
            // It would end after the end of time, and does not begin.
            ("CLIENT PAUSE 9223372036854775807", "+OK"),
            ("DEL k", ":0"),
            ("CLIENT PAUSE 1000 WRITE", "+OK"),
            // The longer one counts.
            ("CLIENT PAUSE 10 WRITE", "+OK"),
            ("GET k", "$-1"),
            ("SET k v", ""),
        ]);
        session.wait(500);
        session.server.end_pause_in_time();
        assert!(session.server.pause.which().is_some());
        assert!(session.client.postponed.is_some());
        session.client.postponed = None;
        // Replicas are told of it.
        session.expect(&[("PUBLISH c m", "")]);
        session.client.postponed = None;
        session.expect(&[("MULTI", "+OK"), ("GET k", "+QUEUED"), ("SET k v", "")]);
        session.client.postponed = None;
        session.expect(&[("EXEC", "*1 $-1"), ("CLIENT UNPAUSE", "+OK"), ("MULTI", "+OK"), ("SET k v", "+QUEUED")]);
        let mut other = session.other();
        assert_eq!(session.run_as(&mut other, "CLIENT PAUSE 1000 WRITE"), "+OK");
        session.expect(&[("EXEC", "")]);
        session.client.postponed = None;
        session.expect(&[("DISCARD", "+OK"), ("CLIENT UNPAUSE", "+OK"), ("SET k v", "+OK")]);
        session.expect(&[("SET e 1 PX 50", "+OK"), ("CLIENT PAUSE 100", "+OK"), ("GET k", "")]);
        session.client.postponed = None;
        session.wait(100);
        session.server.end_pause_in_time();
        session.expect(&[("GET k", "$1 v"), ("EXISTS e", ":0"), ("DBSIZE", ":1")]);
    }

    #[test]
    fn unblocking() {
        let mut session = Session::new();
        let mut other = session.other();
        let id = other.id;
        for (how, reply) in [("", "*-1"), (" ERROR", "-UNBLOCKED client unblocked via CLIENT UNBLOCK")] {
            session.run_as(&mut other, "BLPOP k 0");
            session.expect(&[(&format!("CLIENT UNBLOCK {id}{how}"), ":1"), (&format!("CLIENT UNBLOCK {id}"), ":0")]);
            assert_eq!(session.received(&mut other), reply);
        }
        // The error counts as a failure of the command that waited.
        assert!(session.run("INFO errorstats").contains("errorstat_UNBLOCKED:count=1"));
        assert!(session.run("INFO commandstats").contains("rejected_calls=0,failed_calls=1"));
        session.expect(&[
            ("CLIENT UNBLOCK 999", ":0"),
            ("CLIENT UNBLOCK 1 x", "-ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR"),
        ]);
    }

    #[test]
    fn switches_and_errors() {
        Session::new().expect(&[
            ("CLIENT NO-EVICT on", "+OK"),
            ("CLIENT NO-EVICT x", "-ERR syntax error"),
            ("CLIENT NO-TOUCH off", "+OK"),
            ("CLIENT", "-ERR wrong number of arguments for 'client' command"),
            ("CLIENT SETNAME", "-ERR wrong number of arguments for 'client|setname' command"),
            ("CLIENT NOSUCH", "-ERR unknown subcommand 'NOSUCH'. Try CLIENT HELP."),
        ]);
        assert!(Session::new().run("CLIENT HELP").contains("SETNAME"));
    }
}
