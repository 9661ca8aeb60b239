//! MULTI, EXEC, DISCARD, WATCH, UNWATCH.

use crate::acl::denials::Origin;
use crate::clients::client::Replies;
use crate::clients::transaction::Seen;
use crate::command::call::call;
use crate::command::context::{Context, Wait, reply_error};
use crate::command::error::Outcome;
use crate::command::flag;

pub fn multi(ctx: &mut Context<'_>) -> Outcome {
    if ctx.client.transaction.is_some() {
        return Err("ERR MULTI calls can not be nested".into());
    }
    ctx.client.transaction = Some(Box::default());
    ctx.reply_ok()
}

pub fn discard(ctx: &mut Context<'_>) -> Outcome {
    if ctx.client.transaction.take().is_none() {
        return Err("ERR DISCARD without MULTI".into());
    }
    ctx.server.unwatch(ctx.client);
    ctx.reply_ok()
}

pub fn exec(ctx: &mut Context<'_>) -> Outcome {
    let Some(transaction) = ctx.client.transaction.take() else {
        return Err("ERR EXEC without MULTI".into());
    };
    let changed = a_watched_key_changed(ctx);
    ctx.server.unwatch(ctx.client);
    if transaction.failed {
        return Err("EXECABORT Transaction discarded because of previous errors.".into());
    }
    if changed {
        ctx.reply().null_array();
        return Ok(());
    }
    if ctx.client.is_answered() {
        ctx.reply().array(transaction.queue.len());
    }
    ctx.client.executes = Some(transaction.queue.len());
    for (spec, args) in &transaction.queue {
        // They may have changed since it was queued.
        let Context { server, client, commands, .. } = &mut *ctx;
        // Each request has its own reply or none: one may be CLIENT REPLY or CLIENT KILL.
        client.reply_in_transaction(spec.is(flag::SUBSCRIBING), |client| {
            if let Err(denied) = server.check_rights(client, spec, &args.as_args(), Origin::Transaction) {
                reply_error(server, client, denied.text_in_transaction().as_bytes());
            } else if let Some(command) = commands.find_full(spec.full_name.as_bytes()) {
                call(server, client, args.as_args(), command, commands, Wait::Never);
            }
        });
    }
    ctx.client.executes = None;
    if std::mem::take(&mut ctx.client.skips_behind) && ctx.client.replies == Replies::On {
        ctx.client.replies = Replies::SkipNext;
    }
    // They have.
    ctx.no_effect();
    Ok(())
}

/// A key that has expired since counts as changed, one that had expired before as missing. Nothing is removed.
fn a_watched_key_changed(ctx: &mut Context<'_>) -> bool {
    let (databases, now) = (&mut ctx.server.databases, ctx.server.now);
    ctx.client.watched.iter().any(|(db, key, seen)| {
        let is_same = databases.observers.watched.is_same(db, key, seen);
        !is_same || !seen.had_expired && databases.db(db, now).has_expired(key)
    })
}

pub fn watch(ctx: &mut Context<'_>) -> Outcome {
    if ctx.client.transaction.is_some() {
        return Err("ERR WATCH inside MULTI is not allowed".into());
    }
    let db = ctx.client.db as usize;
    for key in ctx.args.from(1) {
        if ctx.client.watched.contains(db, key) {
            continue;
        }
        let had_expired = ctx.db().has_expired(key);
        let version = ctx.server.databases.observers.watched.watch(db, key);
        ctx.client.watched.add(db, key, Seen { version, had_expired });
    }
    ctx.reply_ok()
}

pub fn unwatch(ctx: &mut Context<'_>) -> Outcome {
    ctx.server.unwatch(ctx.client);
    ctx.reply_ok()
}

#[cfg(test)]
mod tests {
    use crate::testing::Session;

    #[test]
    fn queued_requests_run_at_once() {
        Session::new().expect(&[
            ("EXEC", "-ERR EXEC without MULTI"),
            ("DISCARD", "-ERR DISCARD without MULTI"),
            ("MULTI", "+OK"),
            ("MULTI", "-ERR MULTI calls can not be nested"),
            ("WATCH k", "-ERR WATCH inside MULTI is not allowed"),
            ("SET k 1", "+QUEUED"),
            ("INCR k", "+QUEUED"),
            ("STRLEN", "-ERR wrong number of arguments for 'strlen' command"),
            ("EXEC", "-EXECABORT Transaction discarded because of previous errors."),
            ("GET k", "$-1"),
            ("MULTI", "+OK"),
            ("SET k a", "+QUEUED"),
            ("INCR k", "+QUEUED"),
            ("GET k", "+QUEUED"),
            ("EXEC", "*3 +OK -ERR value is not an integer or out of range $1 a"),
            ("MULTI", "+OK"),
            ("SET k b", "+QUEUED"),
            ("DISCARD", "+OK"),
            ("GET k", "$1 a"),
            ("MULTI", "+OK"),
            ("EXEC", "*0"),
            ("MULTI", "+OK"),
            ("SHUTDOWN", "-ERR Command not allowed inside a transaction"),
            ("EXEC", "-EXECABORT Transaction discarded because of previous errors."),
        ]);
    }

    #[test]
    fn afterwards_a_client_has_run_exec_and_is_in_no_transaction() {
        let mut session = Session::new();
        let mut other = session.other();
        for (line, reply) in [("MULTI", "+OK"), ("GET k", "+QUEUED"), ("EXEC", "*1 $-1")] {
            assert_eq!(session.run_as(&mut other, line), reply);
        }
        let told = session.run(&format!("CLIENT LIST ID {}", other.id));
        assert!(told.contains(" multi=-1 ") && told.contains(" cmd=exec "), "{told}");
    }

    #[test]
    fn what_a_client_runs_in_a_transaction_is_exec() {
        if !cfg!(feature = "scripting") {
            return;
        }
        let mut session = Session::new();
        for queued in ["MULTI", "EVAL 'return 1' 0", "CLIENT INFO", "EVAL 'return 1' 0"] {
            session.run(queued);
        }
        let replies = session.run("EXEC");
        assert!(replies.starts_with("*3 :1 ") && replies.contains(" cmd=exec "), "{replies}");
        // Also behind it.
        let client = &session.client;
        assert_eq!(client.last_command.map(|spec| spec.full_name), Some("exec"));
    }

    #[test]
    fn who_discards_watches_nothing_any_more() {
        let mut session = Session::new();
        session.expect(&[("WATCH k", "+OK"), ("MULTI", "+OK"), ("DISCARD", "+OK")]);
        assert!(session.server.databases.observers.watched.is_empty());
        let mut other = session.other();
        session.run_as(&mut other, "SET k v");
        session.expect(&[("MULTI", "+OK"), ("GET k", "+QUEUED"), ("EXEC", "*1 $1 v")]);
    }

    #[test]
    fn who_fails_to_execute_watches_nothing_any_more() {
        let mut session = Session::new();
        session.expect(&[("WATCH k", "+OK"), ("MULTI", "+OK")]);
        session.run("NOSUCH");
        session.expect(&[
            ("EXEC", "-EXECABORT Transaction discarded because of previous errors."),
            ("SET k v", "+OK"),
            ("MULTI", "+OK"),
            ("EXEC", "*0"),
        ]);
        assert!(session.server.databases.observers.watched.is_empty());
    }

    #[test]
    fn each_reply_may_be_left_out() {
        for (queued, reply) in [
            (&["CLIENT REPLY OFF", "PING"][..], "*2"),
            (&["PING", "CLIENT REPLY SKIP", "PING"], "*3 +PONG +PONG"),
            (&["CLIENT REPLY OFF", "PING", "CLIENT REPLY ON", "ECHO x"], "*4 +OK $1 x"),
            (&["CLIENT REPLY OFF", "SUBSCRIBE c", "PING"], "*3 *3 $9 subscribe $1 c :1"),
            (&["SET k v", "CLIENT REPLY OFF", "LPUSH k v"], "*3 +OK"),
        ] {
            let mut session = Session::new();
            session.run("MULTI");
            queued.iter().for_each(|line| assert_eq!(session.run(line), "+QUEUED"));
            session.expect(&[("EXEC", reply)]);
        }
        // Who watches sees its own requests among the replies, unless it is to get none.
        let mut session = Session::new();
        for request in ["MONITOR", "MULTI", "CLIENT REPLY SKIP"] {
            session.run(request);
        }
        let seen = session.run("EXEC");
        assert!(seen.ends_with("\"EXEC\""), "{seen}");
        for (queued, reply) in [("PING", "*2 +PONG"), ("CLIENT REPLY ON", "*2 +OK")] {
            let mut session = Session::new();
            session.expect(&[("MULTI", "+OK"), ("CLIENT REPLY SKIP", "+QUEUED"), (queued, "+QUEUED"), ("EXEC", reply)]);
            session.expect(&[("PING", ""), ("PING", "+PONG")]);
        }
        let mut session = Session::new();
        session.expect(&[("CLIENT REPLY OFF", ""), ("MULTI", ""), ("PING", ""), ("CLIENT REPLY ON", "")]);
        session.expect(&[("ECHO x", ""), ("CLIENT REPLY SKIP", ""), ("EXEC", "+OK $1 x"), ("PING", "")]);
        session.expect(&[
            ("CLIENT REPLY OFF", ""),
            ("MULTI", ""),
            ("SUBSCRIBE c", ""),
            ("EXEC", "*3 $9 subscribe $1 c :1"),
        ]);
        session.expect(&[("RESET", "+RESET"), ("CLIENT REPLY OFF", ""), ("MULTI", ""), ("CLIENT REPLY ON", "")]);
        // A long value is not copied into the reply.
        let large = "x".repeat(30_000);
        session.expect(&[(&format!("SET k {large}"), ""), ("GET k", ""), ("CLIENT REPLY OFF", "")]);
        session.expect(&[("EXEC", &format!("+OK +OK $30000 {large}"))]);
    }

    #[test]
    fn who_ends_itself_gets_no_more_replies() {
        let mut session = Session::new();
        let id = session.client.id;
        session.expect(&[("MULTI", "+OK"), ("PING", "+QUEUED")]);
        session.expect(&[(&format!("CLIENT KILL ID {id} SKIPME no"), "+QUEUED"), ("SET k v", "+QUEUED")]);
        session.expect(&[("SUBSCRIBE c", "+QUEUED"), ("EXEC", "*4 +PONG :1")]);
        let mut other = session.other();
        assert_eq!(session.run_as(&mut other, "GET k"), "$1 v");
    }

    #[test]
    fn watched_keys() {
        let mut session = Session::new();
        session.expect(&[
            ("WATCH k", "+OK"),
            ("SET k 1", "+OK"),
            ("MULTI", "+OK"),
            ("PING", "+QUEUED"),
            ("EXEC", "*-1"),
            ("MULTI", "+OK"),
            ("PING", "+QUEUED"),
            ("EXEC", "*1 +PONG"),
            ("WATCH k", "+OK"),
            ("SET k 2", "+OK"),
            ("UNWATCH", "+OK"),
            ("MULTI", "+OK"),
            ("EXEC", "*0"),
            ("SET k 3 PX 100", "+OK"),
            ("WATCH k k", "+OK"),
            ("MULTI", "+OK"),
            ("EXEC x", "-EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' command"),
            ("SET k 4 PX 100", "+OK"),
            ("MULTI", "+OK"),
            ("EXEC", "*0"),
            ("WATCH k k", "+OK"),
            ("MULTI", "+OK"),
        ]);
        session.wait(101);
        session.expect(&[("EXEC", "*-1"), ("WATCH k", "+OK"), ("MULTI", "+OK"), ("EXEC", "*0")]);
        assert!(session.server.databases.observers.watched.is_empty());
    }

    #[test]
    fn a_key_that_had_expired_may_come_with_another_database() {
        let mut session = Session::new();
        session.expect(&[
            ("DEBUG SET-ACTIVE-EXPIRE 0", "+OK"),
            ("SET k 1 PX 100", "+OK"),
            ("SELECT 1", "+OK"),
            ("SET k 2", "+OK"),
            ("SELECT 0", "+OK"),
        ]);
        session.wait(100);
        session.expect(&[("WATCH k", "+OK"), ("SWAPDB 0 1", "+OK"), ("MULTI", "+OK"), ("GET k", "+QUEUED")]);
        session.expect(&[("EXEC", "*-1"), ("GET k", "$1 2")]);
    }

    #[test]
    fn what_is_no_longer_allowed_is_refused_as_a_whole() {
        let mut session = Session::new();
        let mut other = session.other();
        let refused = "-EXECABORT Transaction discarded because of: ";
        for (change, back, reason) in [
            ("REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE", "READONLY You can't write against a read only replica."),
            (
                "CONFIG SET maxmemory 1",
                "CONFIG SET maxmemory 0",
                "OOM command not allowed when used memory > 'maxmemory'.",
            ),
        ] {
            session.expect(&[("MULTI", "+OK"), ("SET k v", "+QUEUED")]);
            assert_eq!(session.run_as(&mut other, change), "+OK");
            session.expect(&[("EXEC", &format!("{refused}{reason}")), ("EXISTS k", ":0")]);
            assert_eq!(session.run_as(&mut other, back), "+OK");
        }
        // A queue takes memory whatever it holds.
        session.expect(&[("CONFIG SET maxmemory 1", "+OK"), ("GET k", "$-1"), ("MULTI", "+OK")]);
        session.expect(&[("GET k", "-OOM command not allowed when used memory > 'maxmemory'."), ("DISCARD", "+OK")]);
    }

    /// As redis-server 7.0.15 does it; nothing is told to others.
    #[test]
    fn a_key_that_had_expired_is_missing_until_somebody_sets_it() {
        for (before, after) in [
            (&["GET k"][..], "*0"),
            (&[], "*0"),
            (&["DEL k"], "*0"),
            (&["SET k 1"], "*-1"),
            (&["GET k", "SET k 1"], "*-1"),
            (&["SET k 1", "DEL k"], "*-1"),
            (&["FLUSHDB"], "*0"),
            (&["SWAPDB 0 1"], "*0"),
            (&["SWAPDB 1 0"], "*0"),
            (&["SET k 1", "FLUSHALL"], "*-1"),
        ] {
            let mut session = Session::new();
            session.expect(&[("DEBUG SET-ACTIVE-EXPIRE 0", "+OK"), ("SET k 1 PX 100", "+OK")]);
            session.wait(101);
            session.server.set_streams(true, true);
            session.expect(&[("WATCH k", "+OK"), ("DBSIZE", ":1")]);
            before.iter().for_each(|request| drop(session.run(request)));
            session.expect(&[("MULTI", "+OK"), ("EXEC", after)]);
            assert_eq!(session.server.streams.log.bytes.is_empty(), before.is_empty());
        }
    }

    #[test]
    fn a_key_that_expires_meanwhile_has_changed_and_stays() {
        let mut session = Session::new();
        session.expect(&[("DEBUG SET-ACTIVE-EXPIRE 0", "+OK"), ("SET k 1 PX 100", "+OK"), ("WATCH k", "+OK")]);
        session.wait(101);
        session.server.set_streams(true, true);
        session.expect(&[("MULTI", "+OK"), ("EXEC", "*-1"), ("DBSIZE", ":1")]);
        assert!(session.server.streams.log.bytes.is_empty());
    }

    #[test]
    fn a_hundred_thousand_watched_keys() {
        let mut session = Session::new();
        let keys = (0..100_000).map(|i| i.to_string().into_bytes());
        let watch: Vec<Vec<u8>> = std::iter::once(b"WATCH".to_vec()).chain(keys).collect();
        // The second time all of them are known.
        for _ in 0..2 {
            assert_eq!(session.request(&watch), b"+OK\r\n");
        }
        session.expect(&[("SET 77777 v", "+OK"), ("MULTI", "+OK"), ("EXEC", "*-1")]);
        assert!(session.server.databases.observers.watched.is_empty());
    }

    #[test]
    fn a_missing_key_stays_missing_if_it_is_exchanged_for_an_expired_one() {
        let mut session = Session::new();
        session.expect(&[("DEBUG SET-ACTIVE-EXPIRE 0", "+OK"), ("SET k 1 PX 100", "+OK"), ("SELECT 1", "+OK")]);
        session.wait(101);
        session.expect(&[("WATCH k", "+OK"), ("SWAPDB 0 1", "+OK"), ("MULTI", "+OK"), ("EXEC", "*0")]);
        session.expect(&[("SELECT 0", "+OK"), ("SET k 2", "+OK"), ("SELECT 1", "+OK"), ("WATCH k", "+OK")]);
        session.expect(&[("SWAPDB 0 1", "+OK"), ("MULTI", "+OK"), ("EXEC", "*-1")]);
    }

    #[test]
    fn a_watched_key_that_expires_and_goes_has_changed() {
        let mut session = Session::new();
        session.expect(&[("SET k 1 PX 100", "+OK"), ("WATCH k", "+OK")]);
        session.wait(101);
        session.expect(&[("EXISTS k", ":0"), ("DBSIZE", ":0"), ("MULTI", "+OK"), ("EXEC", "*-1")]);
    }

    #[test]
    fn what_runs_in_a_transaction_is_exec() {
        let mut session = Session::new();
        session.expect(&[("MULTI", "+OK"), ("PING", "+QUEUED"), ("CLIENT INFO", "+QUEUED")]);
        let info = session.run("EXEC");
        assert!(info.contains(" cmd=exec "), "{info}");
    }

    #[test]
    fn a_pause_never_becomes_less_strict() {
        Session::new().expect(&[
            ("MULTI", "+OK"),
            ("CLIENT PAUSE 1000 ALL", "+QUEUED"),
            ("CLIENT PAUSE 2000 WRITE", "+QUEUED"),
            ("EXEC", "*2 +OK +OK"),
            ("PING", ""),
        ]);
    }
}
