//! Commands about the connection itself.

use crate::clients::client::{Closing, Replies};
use crate::command::context::Context;
use crate::command::error::{Outcome, quoting};
use crate::config::settings::REDIS_VERSION;
use resp::{Protocol, number};

pub fn ping(ctx: &mut Context<'_>) -> Outcome {
    if ctx.client.protocol == Protocol::Resp2 && ctx.client.subscriptions.is_some() && ctx.args.len() < 3 {
        let text = ctx.arg(1);
        ctx.reply().strings(&[&b"pong"[..], text]);
        return Ok(());
    }
    match ctx.args.len() {
        1 => ctx.reply().simple("PONG"),
        2 => return ctx.reply_bulk(ctx.arg(1)),
        _ => return Err("ERR wrong number of arguments for 'ping' command".into()),
    }
    Ok(())
}

pub fn echo(ctx: &mut Context<'_>) -> Outcome {
    ctx.reply_bulk(ctx.arg(1))
}

pub fn select(ctx: &mut Context<'_>) -> Outcome {
    ctx.client.db = ctx.database(1)?;
    ctx.reply_ok()
}

pub fn quit(ctx: &mut Context<'_>) -> Outcome {
    ctx.client.closing = Closing::AfterReplies;
    ctx.reply_ok()
}

pub fn hello(ctx: &mut Context<'_>) -> Outcome {
    let mut protocol = ctx.client.protocol;
    if ctx.args.len() > 1 {
        let version = number::parse(ctx.arg(1)).ok_or("ERR Protocol version is not an integer or out of range")?;
        protocol = match version {
            2 => Protocol::Resp2,
            3 => Protocol::Resp3,
            _ => return Err("NOPROTO unsupported protocol version".into()),
        };
    }
    let mut name = None;
    let mut words = ctx.args.from(2);
    while let Some(word) = words.next() {
        let left = words.len();
        if word.eq_ignore_ascii_case(b"auth") && left >= 2 {
            let (user, password) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
            super::auth::authenticate(ctx, user, password)?;
        } else if word.eq_ignore_ascii_case(b"setname") && left >= 1 {
            name = words.next();
        } else {
            return Err(quoting("ERR Syntax error in HELLO option '", word, "'"));
        }
    }
    if !ctx.client.authenticated {
        return Err("NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO \
                    AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol \
                    version at the same time"
            .into());
    }
    if let Some(name) = name {
        super::client::set_name(ctx, name)?;
    }
    ctx.client.protocol = protocol;
    let id = ctx.client.id as i64;
    let role = if ctx.server.replication.link.is_some() { "replica" } else { "master" };
    let mut reply = ctx.reply();
    reply.map(7);
    for text in ["server", "redis", "version", REDIS_VERSION] {
        reply.bulk(text);
    }
    for (field, value) in [("proto", reply.version()), ("id", id)] {
        reply.bulk(field);
        reply.integer(value);
    }
    for text in ["mode", "standalone", "role", role, "modules"] {
        reply.bulk(text);
    }
    reply.array(0);
    Ok(())
}

pub fn reset(ctx: &mut Context<'_>) -> Outcome {
    ctx.client.transaction = None;
    ctx.server.unwatch(ctx.client);
    ctx.server.channels.forget(ctx.client);
    ctx.server.stop_tracking(ctx.client);
    ctx.server.stop_monitoring(ctx.client);
    // With CLIENT REPLY SKIP it is this request that is not answered.
    if ctx.client.replies != Replies::Skip {
        ctx.client.replies = Replies::On;
    }
    ctx.client.db = 0;
    ctx.client.protocol = Protocol::Resp2;
    ctx.server.forget_user(ctx.client);
    if let Some(named) = &mut ctx.client.named {
        named.name = Box::default();
        named.no_touch = false;
    }
    ctx.reply().simple("RESET");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::settings::Config;
    use crate::testing::Session;

    #[test]
    fn small_talk() {
        Session::new().expect(&[
            ("PING", "+PONG"),
            ("ping hello", "$5 hello"),
            ("PING a b", "-ERR wrong number of arguments for 'ping' command"),
            ("ECHO x", "$1 x"),
            ("ECHO", "-ERR wrong number of arguments for 'echo' command"),
        ]);
    }

    #[test]
    fn databases() {
        Session::new().expect(&[
            ("SET k 0", "+OK"),
            ("SELECT 15", "+OK"),
            ("GET k", "$-1"),
            ("SET k 15", "+OK"),
            ("SELECT 16", "-ERR DB index is out of range"),
            ("SELECT -1", "-ERR DB index is out of range"),
            ("SELECT x", "-ERR value is not an integer or out of range"),
            ("SELECT 99999999999", "-ERR value is out of range, value must between -2147483648 and 2147483647"),
            ("GET k", "$2 15"),
            ("RESET", "+RESET"),
            ("GET k", "$1 0"),
        ]);
    }

    #[test]
    fn quitting() {
        let mut session = Session::new();
        session.expect(&[("QUIT", "+OK")]);
        assert_eq!(session.client.closing, Closing::AfterReplies);
        let mut session = Session::new();
        session.expect(&[("POST / HTTP/1.1", "")]);
        assert_eq!(session.client.closing, Closing::Now);
    }

    #[test]
    fn passwords() {
        let mut session = Session::with(Config { password: b"secret".into(), ..Config::default() });
        session.expect(&[
            ("GET k", "-NOAUTH Authentication required."),
            ("NOSUCH", "-ERR unknown command 'NOSUCH', with args beginning with: "),
            ("GET", "-ERR wrong number of arguments for 'get' command"),
            ("AUTH wrong", "-WRONGPASS invalid username-password pair or user is disabled."),
            ("AUTH secretsecret", "-WRONGPASS invalid username-password pair or user is disabled."),
            ("AUTH \"\"", "-WRONGPASS invalid username-password pair or user is disabled."),
            ("AUTH other secret", "-WRONGPASS invalid username-password pair or user is disabled."),
            ("AUTH a b c", "-ERR syntax error"),
            ("GET k", "-NOAUTH Authentication required."),
            ("AUTH secret", "+OK"),
            ("GET k", "$-1"),
            ("RESET", "+RESET"),
            ("PING", "-NOAUTH Authentication required."),
            ("AUTH default secret", "+OK"),
            ("PING", "+PONG"),
        ]);
        assert!(Session::new().run("AUTH x").starts_with("-ERR AUTH <password> called without any password"));
        Session::new().expect(&[("AUTH default x", "+OK")]);
    }

    #[test]
    fn hello() {
        let mut session = Session::new();
        let id = session.client.id;
        let greeting = format!(
            "*14 $6 server $5 redis $7 version $6 {REDIS_VERSION} $5 proto :2 $2 id :{id} $4 mode $10 standalone \
             $4 role $6 master $7 modules *0"
        );
        session.expect(&[
            ("HELLO", &greeting),
            ("HELLO 2", &greeting),
            ("HELLO 4", "-NOPROTO unsupported protocol version"),
            ("HELLO 1", "-NOPROTO unsupported protocol version"),
            ("HELLO x", "-ERR Protocol version is not an integer or out of range"),
            ("HELLO 2 SETNAME me", &greeting),
            ("CLIENT GETNAME", "$2 me"),
            ("RESET", "+RESET"),
            ("CLIENT GETNAME", "$-1"),
            ("HELLO 2 SETNAME", "-ERR Syntax error in HELLO option 'SETNAME'"),
            ("HELLO 2 AUTH default", "-ERR Syntax error in HELLO option 'AUTH'"),
            ("HELLO 2 SETNAME \"a b\"", "-ERR Client names cannot contain spaces, newlines or special characters."),
        ]);
        session.expect(&[
            ("HELLO 3", &greeting.replace("*14", "%7").replace("proto :2", "proto :3")),
            ("GET none", "_"),
            ("CONFIG GET save", "%1 $4 save $0 "),
            ("MGET none", "*1 _"),
            ("HELLO", &greeting.replace("*14", "%7").replace("proto :2", "proto :3")),
            ("RESET", "+RESET"),
            ("GET none", "$-1"),
        ]);
        // An error changes nothing.
        session.expect(&[
            ("HELLO 3 SETNAME \"a b\"", "-ERR Client names cannot contain spaces, newlines or special characters."),
            ("GET none", "$-1"),
            ("REPLICAOF 127.0.0.1 1", "+OK"),
            ("HELLO", &greeting.replace("$6 master", "$7 replica")),
        ]);
        let mut session = Session::with(Config { password: b"secret".into(), ..Config::default() });
        assert!(session.run("HELLO 2").starts_with("-NOAUTH HELLO must be called"));
        assert!(session.run("HELLO 2 AUTH default wrong").starts_with("-WRONGPASS"));
        assert!(session.run("HELLO 2 AUTH default secret").starts_with("*14"));
        assert_eq!(session.run("PING"), "+PONG");
    }

    #[test]
    fn a_reset_leaves_nothing_but_no_evict() {
        let mut session = Session::new();
        session.expect(&[
            ("CLIENT NO-TOUCH ON", "+OK"),
            ("CLIENT TRACKING ON", "+OK"),
            ("GET k", "$-1"),
            ("WATCH k", "+OK"),
            ("MULTI", "+OK"),
            ("GET k", "+QUEUED"),
            ("RESET", "+RESET"),
            ("EXEC", "-ERR EXEC without MULTI"),
            ("CLIENT GETREDIR", ":-1"),
        ]);
        let flags = |session: &mut Session| {
            let info = session.run("CLIENT INFO");
            info.split(' ').find_map(|word| word.strip_prefix("flags=")).map(String::from)
        };
        assert_eq!(flags(&mut session).as_deref(), Some("N"));
        assert!(session.server.databases.observers.watched.is_empty());
        // As in Redis 7.0.
        session.expect(&[("CLIENT NO-EVICT ON", "+OK"), ("RESET", "+RESET")]);
        assert_eq!(flags(&mut session).as_deref(), Some("e"));
    }

    #[test]
    fn a_reset_ends_subscriptions() {
        Session::new().expect(&[
            ("SUBSCRIBE c", "*3 $9 subscribe $1 c :1"),
            ("PSUBSCRIBE p*", "*3 $10 psubscribe $2 p* :2"),
            ("SSUBSCRIBE s", "*3 $10 ssubscribe $1 s :1"),
            ("RESET", "+RESET"),
            ("PUBLISH c hi", ":0"),
            ("PUBLISH p hi", ":0"),
            ("SPUBLISH s hi", ":0"),
            ("GET k", "$-1"),
        ]);
    }

    #[test]
    fn a_reset_ends_monitoring() {
        let mut session = Session::new();
        let mut other = session.other();
        assert_eq!(session.run_as(&mut other, "MONITOR"), "+OK");
        assert_eq!(session.run_as(&mut other, "RESET"), "+RESET");
        session.run("SET k v");
        assert_eq!(session.received(&mut other), "");
        let told = session.run(&format!("CLIENT LIST ID {}", other.id));
        assert!(told.contains(" flags=N "), "{told}");
    }

    #[test]
    fn a_reset_that_is_to_be_skipped_is_not_answered() {
        Session::new().expect(&[("CLIENT REPLY SKIP", ""), ("RESET", ""), ("PING", "+PONG")]);
        Session::new().expect(&[("CLIENT REPLY OFF", ""), ("RESET", "+RESET"), ("PING", "+PONG")]);
    }
}
